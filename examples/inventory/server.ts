import { createCluster } from 'vipsql';
import { z } from 'zod';
import { buildApp } from './app.ts';
import { clusterSettings } from './cluster-settings.ts';
import { Shop } from './shop.ts';

// The stand-alone service: `VIP=192.168.3.99 DB_PASSWORD=… node --import tsx examples/inventory/server.ts`.

const env = z
  .object({
    VIP: z.string(),
    /** Separated by commas. */
    REPLICAS: z.string().default(''),
    DB_USER: z.string().default('shop'),
    DB_PASSWORD: z.string(),
    DB_NAME: z.string().default('shop'),
    HOST: z.string().default('127.0.0.1'),
    PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  })
  .parse(process.env);

const db = createCluster({
  ...clusterSettings,
  primary: env.VIP,
  replicas: env.REPLICAS.split(',').filter((address) => address !== ''),
  user: env.DB_USER,
  password: env.DB_PASSWORD,
  database: env.DB_NAME,
});
const app = buildApp({ shop: new Shop(db), db, logger: true });

db.on('primary:interrupted', (event) => app.log.warn(event, 'primary interrupted'));
db.on('primary:resumed', (event) => app.log.info(event, 'primary resumed'));
db.on('epoch:opened', (event) => app.log.info(event, 'epoch opened'));
db.on('replica:down', (event) => app.log.warn(event, 'replica down'));
db.on('replica:up', (event) => app.log.info(event, 'replica up'));

/** Answers what has been asked, then lets go of the database. */
async function shutDown(): Promise<void> {
  await app.close();
  await db.close();
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    shutDown().catch((error: unknown) => {
      app.log.error(error);
      process.exitCode = 1;
    });
  });
}

try {
  // Requests wait for the first connection as they wait for a failover; GET /ready tells when it is there.
  await app.listen({ host: env.HOST, port: env.PORT });
} catch (error) {
  app.log.error(error);
  process.exitCode = 1;
  await shutDown();
}
