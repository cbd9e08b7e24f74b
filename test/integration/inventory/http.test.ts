import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../../support/cluster.ts';
import { ShopFixture } from './shop-fixture.ts';

let shop: ShopFixture;

beforeAll(async () => {
  shop = await ShopFixture.open('mariadb');
});

afterAll(async () => {
  await shop?.[Symbol.asyncDispose]();
});

beforeEach(async () => {
  await shop.stockUp({ 'FORK-1': 10, 'HOSE-1': 5, 'RAKE-1': 1 });
});

describe('a request that is not valid', () => {
  const line = { sku: 'FORK-1', qty: 1 };

  test.each([
    ['GET', '/products?limit=0', undefined, 'limit'],
    ['GET', '/products?limit=101', undefined, 'limit'],
    ['GET', '/products?limit=ten', undefined, 'limit'],
    ['GET', '/products?category=Garden!', undefined, 'category'],
    ['GET', '/products?colour=red', undefined, ''],
    ['GET', "/products/'", undefined, 'sku'],
    ['GET', '/products/fork-1/stock', undefined, 'sku'],
    ['GET', '/orders/short', undefined, 'orderId'],
    ['PUT', '/orders/short', { customer: 'ann', lines: [line] }, 'orderId'],
    ['PUT', '/orders/12345678', { lines: [line] }, 'customer'],
    ['PUT', '/orders/12345678', { customer: ' ', lines: [line] }, 'customer'],
    ['PUT', '/orders/12345678', { customer: 'ann', lines: [] }, 'lines'],
    ['PUT', '/orders/12345678', { customer: 'ann', lines: [line, line] }, 'lines'],
    ['PUT', '/orders/12345678', { customer: 'ann', lines: [{ ...line, qty: 0 }] }, 'lines.0.qty'],
    ['PUT', '/orders/12345678', { customer: 'ann', lines: [{ ...line, qty: 1.5 }] }, 'lines.0.qty'],
    ['PUT', '/orders/12345678', { customer: 'ann', lines: [{ ...line, qty: '1' }] }, 'lines.0.qty'],
    ['PUT', '/orders/12345678', { customer: 'ann', lines: [{ ...line, price: 0 }] }, 'lines.0'],
    ['POST', '/products/FORK-1/restock', { qty: 1 }, 'id'],
    ['POST', '/products/FORK-1/restock', { id: '12345678', qty: -1 }, 'qty'],
    ['POST', '/orders/short/cancel', undefined, 'orderId'],
  ] as const)('is answered with 400 and what is wrong: %s %s %j', async (method, url, payload, path) => {
    const answer = await shop.send(method, url, payload);
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    expect(answer.body.issues).toContainEqual({ path, message: expect.any(String) });
  });

  test('is answered with 400 when its body is no JSON, and 415 when it does not say that it is', async () => {
    const url = `/orders/${randomUUID()}`;
    const headers = { 'content-type': 'application/json' };
    const broken = await shop.app.inject({ method: 'PUT', url, headers, payload: '{"customer":' });
    const plain = await shop.app.inject({
      method: 'PUT',
      url,
      payload: 'customer=ann',
      headers: { 'content-type': 'text/csv' },
    });
    expect([broken.statusCode, broken.json().error]).toEqual([400, 'invalid_request']);
    expect([plain.statusCode, plain.json().error]).toEqual([415, 'invalid_request']);
  });

  test('is a 404 where there is nothing', async () => {
    expect(await shop.get('/customers')).toMatchObject({ status: 404, body: { error: 'not_found' } });
  });
});

describe('without a primary', () => {
  test('the process is alive, not ready, sells nothing, and shows its catalogue', async () => {
    expect(await shop.get('/ready')).toMatchObject({ status: 200, body: { ready: true } });
    // The tables were created after the primary had opened: whether they are views over stock only the primary can tell.
    await shop.get('/products');
    await shop.lab.fault({ kind: 'black-hole' });
    await eventually('the silence is noticed', () => shop.db.status().primary.state === 'interrupted');
    const [health, ready, order, products] = await Promise.all([
      shop.get('/health'),
      shop.get('/ready'),
      shop.order({ 'FORK-1': 1 }),
      shop.get('/products'),
    ]);
    expect(health).toMatchObject({ status: 200, body: { alive: true } });
    for (const answer of [ready, order]) {
      expect(answer).toMatchObject({
        status: 503,
        headers: { 'retry-after': '1' },
        body: { error: 'unavailable' },
      });
    }
    expect(products.body.products).toHaveLength(3);

    await shop.lab.fault({ kind: 'answer' });
    expect(await shop.get('/ready')).toMatchObject({ status: 200, body: { ready: true } });
    expect(await shop.left('FORK-1')).toBe(10);
  });
});
