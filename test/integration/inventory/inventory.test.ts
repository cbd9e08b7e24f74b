import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { ShopFixture, shops } from './shop-fixture.ts';

describe.each(shops)('the shop on $vendor by $library', ({ vendor, library }) => {
  let shop: ShopFixture;

  beforeAll(async () => {
    shop = await ShopFixture.open(vendor, library);
  });

  afterAll(async () => {
    await shop?.[Symbol.asyncDispose]();
  });

  beforeEach(async () => {
    await shop.stockUp({ 'FORK-1': 10, 'HOSE-1': 5, 'RAKE-1': 1 });
  });

  describe('the catalogue', () => {
    test('comes in pages by sku, each naming where the next one begins', async () => {
      const first = await shop.get('/products?limit=2');
      const rest = await shop.get(`/products?limit=2&after=${first.body.next}`);

      expect(first.body).toEqual({
        products: [
          { sku: 'FORK-1', name: 'The FORK-1', category: 'garden', priceCents: 250 },
          { sku: 'HOSE-1', name: 'The HOSE-1', category: 'garden', priceCents: 250 },
        ],
        next: 'HOSE-1',
      });
      expect(rest.body).toEqual({ products: [expect.objectContaining({ sku: 'RAKE-1' })] });
    });

    test('can be limited to a category', async () => {
      const garden = await shop.get('/products?category=garden');
      const books = await shop.get('/products?category=books');
      expect(garden.body.products).toHaveLength(3);
      expect(books.body).toEqual({ products: [] });
    });

    test('shows one product, and 404 for one that it does not have', async () => {
      const found = await shop.get('/products/HOSE-1');
      const missing = await shop.get('/products/SPADE-1');
      expect(found).toMatchObject({ status: 200, body: { sku: 'HOSE-1', priceCents: 250 } });
      expect(missing).toMatchObject({ status: 404, body: { error: 'not_found' } });
    });

    test('is read from replicas, and the stock from the primary', async () => {
      const { lab, db } = shop;
      for (const { name } of lab.replicas) await lab.fault({ kind: 'stop-applier', server: name });
      await db.primary().execute("UPDATE product SET name = 'renamed' WHERE sku = 'FORK-1'");
      await shop.order({ 'FORK-1': 3 });

      expect((await shop.get('/products/FORK-1')).body.name).toBe('The FORK-1');
      expect((await shop.get('/products')).body.products[0].name).toBe('The FORK-1');
      expect(await shop.left('FORK-1')).toBe(7);
      await expect(db.replica().query('SELECT qty FROM stock')).rejects.toMatchObject({
        code: 'VIPSQL_PRIMARY_REQUIRED',
      });
    });
  });

  describe('an order', () => {
    test('takes its pieces from the stock and can be looked up', async () => {
      const id = randomUUID();
      const placed = await shop.order({ 'HOSE-1': 2, 'FORK-1': 3 }, id);

      expect(placed).toMatchObject({
        status: 201,
        body: {
          id,
          customer: 'ann',
          status: 'placed',
          lines: [
            { sku: 'FORK-1', qty: 3, priceCents: 250 },
            { sku: 'HOSE-1', qty: 2, priceCents: 250 },
          ],
        },
      });
      expect(await shop.get(`/orders/${id}`)).toMatchObject({ status: 200, body: placed.body });
      expect([await shop.left('FORK-1'), await shop.left('HOSE-1')]).toEqual([7, 3]);
    });

    test('keeps the price of its time', async () => {
      const id = randomUUID();
      await shop.order({ 'FORK-1': 1 }, id);
      await shop.db.primary().execute('UPDATE product SET price_cents = 999');
      expect((await shop.get(`/orders/${id}`)).body.lines[0].priceCents).toBe(250);
    });

    test('sent again is the same order and sells nothing, in whatever order its lines stand', async () => {
      const id = randomUUID();
      const first = await shop.order({ 'FORK-1': 3, 'HOSE-1': 1 }, id);
      const again = await shop.order({ 'HOSE-1': 1, 'FORK-1': 3 }, id);
      expect(again).toMatchObject({ status: 200, body: first.body });
      expect([await shop.left('FORK-1'), await shop.left('HOSE-1')]).toEqual([7, 4]);
    });

    test('sent many times at once is placed once', async () => {
      const id = randomUUID();
      const answers = await Promise.all(Array.from({ length: 8 }, () => shop.order({ 'FORK-1': 2 }, id)));
      const statuses = answers.map(({ status }) => status).sort();
      expect(statuses).toEqual([200, 200, 200, 200, 200, 200, 200, 201]);
      expect(await shop.left('FORK-1')).toBe(8);
    });

    test.each([
      ['another quantity', { 'FORK-1': 4 }],
      ['another product', { 'HOSE-1': 3 }],
      ['one more line', { 'FORK-1': 3, 'HOSE-1': 1 }],
    ])('with the id of another one is refused: %s', async (_difference, pieces) => {
      const id = randomUUID();
      await shop.order({ 'FORK-1': 3 }, id);
      expect(await shop.order(pieces, id)).toMatchObject({ status: 409, body: { error: 'id_taken' } });
      expect([await shop.left('FORK-1'), await shop.left('HOSE-1')]).toEqual([7, 5]);
    });

    test('for more than there is leaves nothing behind, and its id is free', async () => {
      const id = randomUUID();
      const refused = await shop.order({ 'FORK-1': 3, 'RAKE-1': 2 }, id);
      expect(refused).toMatchObject({ status: 409, body: { error: 'out_of_stock' } });
      expect((await shop.get(`/orders/${id}`)).status).toBe(404);
      expect([await shop.left('FORK-1'), await shop.left('RAKE-1')]).toEqual([10, 1]);
      expect((await shop.order({ 'RAKE-1': 1 }, id)).status).toBe(201);
    });

    test('for a product that does not exist is refused', async () => {
      const refused = await shop.order({ 'FORK-1': 1, 'SPADE-1': 1 });
      expect(refused).toMatchObject({ status: 422, body: { error: 'unknown_product' } });
      expect(await shop.left('FORK-1')).toBe(10);
    });

    test('is never sold to more buyers than there are pieces', async () => {
      const answers = await Promise.all(Array.from({ length: 50 }, () => shop.order({ 'FORK-1': 1 })));
      const count = (status: number): number => answers.filter((answer) => answer.status === status).length;
      expect([count(201), count(409)]).toEqual([10, 40]);
      expect(await shop.left('FORK-1')).toBe(0);
    });

    test('never deadlocks with one whose lines stand the other way round', async () => {
      let retries = 0;
      const onRetry = (): void => {
        retries += 1;
      };
      shop.db.on('operation:retry', onRetry);
      onTestFinished(() => {
        shop.db.off('operation:retry', onRetry);
      });
      await shop.stockUp({ 'FORK-1': 100, 'HOSE-1': 100 });
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, i) =>
          shop.order(i % 2 === 0 ? { 'FORK-1': 1, 'HOSE-1': 1 } : { 'HOSE-1': 1, 'FORK-1': 1 }),
        ),
      );
      expect(answers.every(({ status }) => status === 201)).toBe(true);
      expect([await shop.left('FORK-1'), await shop.left('HOSE-1')]).toEqual([60, 60]);
      expect(retries).toBe(0);
    });

    test('whose COMMIT got no answer is in doubt, and the repeat finds it done', async () => {
      const { lab } = shop;
      const id = randomUUID();
      // The commit waits for the standby, which does not hear of it; meanwhile the line is cut.
      await lab.fault({ kind: 'stop-receiver', server: 'b' });
      const unanswered = shop.order({ 'FORK-1': 2 }, id);
      await sleep(500);
      await lab.fault({ kind: 'refuse' });

      expect(await unanswered).toMatchObject({
        status: 503,
        headers: { 'retry-after': '1' },
        body: { error: 'in_doubt', message: expect.stringContaining('Repeat the request with the same id') },
      });
      await lab.fault({ kind: 'start-receiver', server: 'b' });
      await lab.fault({ kind: 'answer' });
      expect(await shop.order({ 'FORK-1': 2 }, id)).toMatchObject({ status: 200, body: { id } });
      expect(await shop.left('FORK-1')).toBe(8);
    });
  });

  describe('a cancellation', () => {
    test('gives the pieces back once, however often it is asked for', async () => {
      const id = randomUUID();
      await shop.order({ 'FORK-1': 3, 'HOSE-1': 1 }, id);
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => shop.send('POST', `/orders/${id}/cancel`)),
      );
      for (const answer of answers)
        expect(answer).toMatchObject({ status: 200, body: { id, status: 'cancelled' } });
      expect([await shop.left('FORK-1'), await shop.left('HOSE-1')]).toEqual([10, 5]);
    });

    test('stands when the order is sent again', async () => {
      const id = randomUUID();
      await shop.order({ 'FORK-1': 3 }, id);
      await shop.send('POST', `/orders/${id}/cancel`);
      expect(await shop.order({ 'FORK-1': 3 }, id)).toMatchObject({
        status: 200,
        body: { status: 'cancelled' },
      });
      expect(await shop.left('FORK-1')).toBe(10);
    });

    test('of an order that does not exist is a 404', async () => {
      expect(await shop.send('POST', `/orders/${randomUUID()}/cancel`)).toMatchObject({ status: 404 });
    });
  });

  describe('a delivery', () => {
    test('adds its pieces once, however often it is sent', async () => {
      const delivery = { id: randomUUID(), qty: 7 };
      const first = await shop.send('POST', '/products/RAKE-1/restock', delivery);
      const again = await shop.send('POST', '/products/RAKE-1/restock', delivery);
      expect(first).toMatchObject({ status: 201, body: { ...delivery, sku: 'RAKE-1' } });
      expect(again).toMatchObject({ status: 200, body: first.body });
      expect(await shop.left('RAKE-1')).toBe(8);
    });

    test('with the id of another one is refused', async () => {
      const id = randomUUID();
      await shop.send('POST', '/products/RAKE-1/restock', { id, qty: 7 });
      const more = await shop.send('POST', '/products/RAKE-1/restock', { id, qty: 8 });
      const elsewhere = await shop.send('POST', '/products/FORK-1/restock', { id, qty: 7 });
      expect(more).toMatchObject({ status: 409, body: { error: 'id_taken' } });
      expect(elsewhere).toMatchObject({ status: 409, body: { error: 'id_taken' } });
      expect([await shop.left('RAKE-1'), await shop.left('FORK-1')]).toEqual([8, 10]);
    });

    test('of a product that does not exist is a 404 and leaves its id free', async () => {
      const delivery = { id: randomUUID(), qty: 7 };
      expect((await shop.send('POST', '/products/SPADE-1/restock', delivery)).status).toBe(404);
      expect((await shop.send('POST', '/products/RAKE-1/restock', delivery)).status).toBe(201);
    });
  });
});
