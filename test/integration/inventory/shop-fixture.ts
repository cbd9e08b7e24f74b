import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import knexModule, { type Knex } from 'knex';
import { type Cluster, createCluster, sql } from 'vipsql';
import { knexClient } from 'vipsql/knex';
import { type Lab, type LabVendor, startLab } from 'vipsql/testing';
import { buildApp } from '../../../examples/inventory/app.ts';
import { clusterSettings } from '../../../examples/inventory/cluster-settings.ts';
import { createTables } from '../../../examples/inventory/create-tables.ts';
import { KnexShop } from '../../../examples/inventory/knex-shop.ts';
import { Shop } from '../../../examples/inventory/shop.ts';
import { labVendors } from '../../support/lab-vendors.ts';

/** What the shop speaks to its database with. */
export type ShopLibrary = 'vipsql' | 'Knex';

export const shops = labVendors.flatMap((vendor) =>
  (['vipsql', 'Knex'] as const).map((library) => ({ vendor, library })),
);

/** An answer of the service, as far as a test looks at it. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever it expects to be there
  readonly body: any;
}

/** The shop on a lab of its own. */
export class ShopFixture implements AsyncDisposable {
  readonly lab: Lab;
  readonly db: Cluster;
  readonly app: FastifyInstance;
  readonly #knex: Knex | undefined;

  constructor(lab: Lab, library: ShopLibrary) {
    this.lab = lab;
    this.db = createCluster({ ...clusterSettings, ...lab.config(), transactionTimeoutMs: 5_000 });
    this.#knex = library === 'Knex' ? knexModule({ client: knexClient(this.db) }) : undefined;
    const shop = this.#knex === undefined ? new Shop(this.db) : new KnexShop(this.#knex);
    this.app = buildApp({ shop, db: this.db });
  }

  static async open(vendor: LabVendor, library: ShopLibrary = 'vipsql'): Promise<ShopFixture> {
    const fixture = new ShopFixture(await startLab({ vendor, redis: false }), library);
    try {
      await createTables(fixture.db);
      return fixture;
    } catch (error) {
      await fixture[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app.close();
    await this.#knex?.destroy();
    await this.db.close();
    await this.lab.stop();
  }

  /** Empties the shop and puts these pieces on its shelves; all servers have them when it resolves. */
  async stockUp(pieces: Readonly<Record<string, number>>): Promise<void> {
    const offers = Object.entries(pieces).map(([sku, qty]) => ({ id: `opening-${sku}`, sku, qty }));
    const products = sql.values(offers.map(({ sku }) => [sku, `The ${sku}`, 'garden', 250]));
    await this.db.transaction(async (tx) => {
      for (const table of ['order_line', 'orders', 'restock', 'stock', 'product']) {
        await tx.execute(sql`DELETE FROM ${sql.id(table)}`);
      }
      await tx.execute(sql`INSERT INTO product (sku, name, category, price_cents) VALUES ${products}`);
      await tx.execute(sql`INSERT INTO stock (sku, qty) VALUES ${sql.values(offers, ['sku', 'qty'])}`);
      await tx.execute(
        sql`INSERT INTO restock (id, sku, qty) VALUES ${sql.values(offers, ['id', 'sku', 'qty'])}`,
      );
    });
    await this.lab.heal();
  }

  async send(method: 'GET' | 'PUT' | 'POST', url: string, payload?: object | string): Promise<Answer> {
    const response = await this.app.inject({ method, url, ...(payload === undefined ? {} : { payload }) });
    return { status: response.statusCode, headers: response.headers, body: response.json() };
  }

  get(url: string): Promise<Answer> {
    return this.send('GET', url);
  }

  /** Orders these pieces under an id, a new one unless given. */
  order(pieces: Readonly<Record<string, number>>, id: string = randomUUID()): Promise<Answer> {
    const lines = Object.entries(pieces).map(([sku, qty]) => ({ sku, qty }));
    return this.send('PUT', `/orders/${id}`, { customer: 'ann', lines });
  }

  async left(sku: string): Promise<number> {
    return (await this.get(`/products/${sku}/stock`)).body.qty;
  }
}
