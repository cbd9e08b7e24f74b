import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import type { Cluster } from 'vipsql';
import { toHttpError } from './http-errors.ts';
import type { Recorded, ShopRepository } from './model.ts';
import { orderBody, orderPath, productPath, productsQuery, restockBody } from './requests.ts';

/** How long the readiness check waits for a primary: a failover shorter than this takes no instance out of service. */
const readyTimeoutMs = 3_000;

export interface AppParts {
  readonly shop: ShopRepository;
  /** For the readiness check only; all SQL is in the shop. */
  readonly db: Pick<Cluster, 'ready' | 'status'>;
  readonly logger?: FastifyServerOptions['logger'];
}

/** The HTTP service of the shop. The caller listens, and closes the app before the cluster. */
export function buildApp({ shop, db, logger = false }: AppParts): FastifyInstance {
  const app = Fastify({ logger });

  app.setErrorHandler((error, request, reply) => {
    const { status, body, retryAfter } = toHttpError(error);
    if (status >= 500) request.log.error(error);
    if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
    return reply.code(status).send(body);
  });
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({ error: 'not_found', message: `There is no ${request.method} ${request.url}.` }),
  );

  closeConnectionsAtTheEnd(app);
  addProbes(app, db);
  addProducts(app, shop);
  addOrders(app, shop);
  return app;
}

/** Fastify closes idle connections; one with a request under way would live on for its keep-alive time, and the process with it. */
function closeConnectionsAtTheEnd(app: FastifyInstance): void {
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
  });
  app.addHook('onSend', async (_request, reply) => {
    if (closing) reply.header('connection', 'close');
  });
}

function addProbes(app: FastifyInstance, db: AppParts['db']): void {
  app.get('/health', () => ({ alive: true }));

  app.get('/ready', async () => {
    await db.ready({ timeoutMs: readyTimeoutMs });
    const { primary, replicas } = db.status();
    return {
      ready: true,
      primary: { server: primary.server, epoch: primary.epoch },
      replicas: replicas.map(({ name, state }) => ({ name, state })),
    };
  });
}

function addProducts(app: FastifyInstance, shop: ShopRepository): void {
  app.get('/products', async ({ query }) => {
    const filter = productsQuery.parse(query);
    const products = await shop.products(filter);
    // A full page may be followed by another one.
    return { products, next: products.length < filter.limit ? undefined : products.at(-1)?.sku };
  });

  app.get('/products/:sku', ({ params }) => shop.product(productPath.parse(params).sku));

  app.get('/products/:sku/stock', ({ params }) => shop.stock(productPath.parse(params).sku));

  app.post('/products/:sku/restock', async ({ params, body }, reply) => {
    const { sku } = productPath.parse(params);
    const { entry, repeated } = await shop.restock({ sku, ...restockBody.parse(body) });
    return reply.code(statusOf({ repeated })).send(entry);
  });
}

function addOrders(app: FastifyInstance, shop: ShopRepository): void {
  app.put('/orders/:orderId', async ({ params, body }, reply) => {
    const { orderId } = orderPath.parse(params);
    const { entry, repeated } = await shop.placeOrder({ id: orderId, ...orderBody.parse(body) });
    return reply.code(statusOf({ repeated })).send(entry);
  });

  app.get('/orders/:orderId', ({ params }) => shop.order(orderPath.parse(params).orderId));

  app.post('/orders/:orderId/cancel', ({ params }) => shop.cancelOrder(orderPath.parse(params).orderId));
}

function statusOf({ repeated }: Pick<Recorded<unknown>, 'repeated'>): number {
  return repeated ? 200 : 201;
}
