import { type Cluster, sql } from 'vipsql';
import { createTables } from '../create-tables.ts';
import type { Product } from '../model.ts';

export const categories = ['books', 'garden', 'kitchen', 'music', 'office', 'toys'];

const productsPerCategory = 50;

/** A product with its first delivery. */
interface Offer extends Product {
  readonly deliveryId: string;
  readonly qty: number;
}

/** Creates the tables and fills them; the pieces come in as deliveries, as all do later. */
export async function createCatalogue(db: Cluster): Promise<void> {
  await createTables(db);
  const offers = categories.flatMap((category) =>
    Array.from({ length: productsPerCategory }, (_, index) => makeOffer(category, index)),
  );
  const products = sql.values(offers, ['sku', 'name', 'category', 'priceCents']);
  const stocks = sql.values(offers, ['sku', 'qty']);
  const deliveries = sql.values(offers, ['deliveryId', 'sku', 'qty']);
  await db.transaction(async (tx) => {
    await tx.execute(sql`INSERT INTO product (sku, name, category, price_cents) VALUES ${products}`);
    await tx.execute(sql`INSERT INTO stock (sku, qty) VALUES ${stocks}`);
    await tx.execute(sql`INSERT INTO restock (id, sku, qty) VALUES ${deliveries}`);
  });
}

function makeOffer(category: string, index: number): Offer {
  const number = String(index + 1).padStart(3, '0');
  const sku = `${category.toUpperCase()}-${number}`;
  return {
    sku,
    name: `${category} no. ${number}`,
    category,
    priceCents: 499 + index * 100,
    deliveryId: `opening-${sku}`,
    qty: openingQty(index),
  };
}

/** The front of a category sells best and has few pieces, so that some sell out while the buyers are at it. */
function openingQty(index: number): number {
  if (index < 10) return 5;
  return index < 25 ? 20 : 100;
}
