import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { OrderRequest } from '../model.ts';
import { categories } from './catalogue.ts';
import { type Answer, errorCode, exchange } from './client.ts';
import type { Ledger, OrderEntry } from './ledger.ts';
import type { Tally } from './tally.ts';

export interface Crowd {
  readonly url: string;
  readonly buyers: number;
  readonly ledger: Ledger;
  readonly tally: Tally;
}

const pauseMs = 30;
const restockEveryMs = 100;
/** Shares of the orders that are sent twice at once, and that are cancelled. */
const doubleClicks = 0.1;
const cancellations = 0.1;

const productPage = z.object({ products: z.array(z.object({ sku: z.string() })) });

/**
 * Lets the buyers shop and a supplier deliver while `meanwhile` runs. Resolves to what that gives, when the last of
 * them has been answered.
 */
export async function openDoors<T>(crowd: Crowd, meanwhile: () => Promise<T>): Promise<T> {
  const closing = new AbortController();
  const people = Promise.allSettled([
    ...Array.from({ length: crowd.buyers }, (_, i) => shop(crowd, `buyer-${i + 1}`, closing.signal)),
    deliver(crowd, closing.signal),
  ]);
  let result: T;
  try {
    result = await meanwhile();
  } finally {
    closing.abort();
    await people;
  }
  for (const person of await people) {
    if (person.status === 'rejected') throw person.reason;
  }
  return result;
}

async function shop(crowd: Crowd, customer: string, closing: AbortSignal): Promise<void> {
  while (!closing.aborted) {
    await sleep(Math.random() * 2 * pauseMs);
    const order = await choose(crowd, customer);
    if (order === undefined) continue;
    const entry = crowd.ledger.asked(order);
    const clicks = Math.random() < doubleClicks ? 2 : 1;
    await Promise.all(Array.from({ length: clicks }, () => place(crowd, entry)));
    if (entry.told === 'placed' && Math.random() < cancellations) await cancel(crowd, entry);
  }
}

/** Looks at a page of the catalogue and at the stock of one product, and picks one to three products. */
async function choose(crowd: Crowd, customer: string): Promise<OrderRequest | undefined> {
  const category = pick(categories);
  const page = await ask(crowd, 'GET', `/products?category=${category}&limit=50`);
  if (!expect(crowd, page, [200])) return undefined;
  const skus = productPage.parse(page.body).products.map(({ sku }) => sku);
  if (skus.length === 0) return undefined;
  const wanted = new Set(Array.from({ length: 1 + Math.floor(Math.random() * 3) }, () => pickPopular(skus)));
  const stock = await ask(crowd, 'GET', `/products/${pick([...wanted])}/stock`);
  if (!expect(crowd, stock, [200])) return undefined;
  const lines = [...wanted].map((sku) => ({ sku, qty: 1 + Math.floor(Math.random() * 2) }));
  return { id: randomUUID(), customer, lines };
}

async function place(crowd: Crowd, entry: OrderEntry): Promise<void> {
  const { id, ...body } = entry.request;
  const answer = await ask(crowd, 'PUT', `/orders/${id}`, body);
  if (!expect(crowd, answer, [200, 201, 409])) return;
  if (answer.status !== 409) crowd.ledger.answered(entry, 'placed');
  else if (errorCode(answer.body) === 'out_of_stock') crowd.ledger.answered(entry, 'refused');
  else crowd.ledger.unexpected.push(`PUT /orders/${id}: ${JSON.stringify(answer)}`);
}

async function cancel(crowd: Crowd, entry: OrderEntry): Promise<void> {
  entry.told = 'cancelling';
  const answer = await ask(crowd, 'POST', `/orders/${entry.request.id}/cancel`);
  if (expect(crowd, answer, [200])) entry.told = 'cancelled';
}

async function deliver(crowd: Crowd, closing: AbortSignal): Promise<void> {
  while (!closing.aborted) {
    await sleep(restockEveryMs);
    const sku = `${pick(categories).toUpperCase()}-001`;
    const delivery = { id: randomUUID(), qty: 2 };
    const answer = await ask(crowd, 'POST', `/products/${sku}/restock`, delivery);
    if (expect(crowd, answer, [200, 201])) crowd.ledger.restocks.set(delivery.id, { ...delivery, sku });
  }
}

async function ask(crowd: Crowd, method: string, path: string, body?: unknown): Promise<Answer | undefined> {
  const result = await exchange(method, `${crowd.url}${path}`, body);
  crowd.tally.add(result);
  return result.answer;
}

/** Whether an answer came and is one of those that may come; any other one goes on the books as unexpected. */
function expect(
  { ledger }: Crowd,
  answer: Answer | undefined,
  statuses: readonly number[],
): answer is Answer {
  if (answer === undefined) return false;
  if (statuses.includes(answer.status)) return true;
  ledger.unexpected.push(JSON.stringify(answer));
  return false;
}

function pick<T>(list: readonly T[]): T {
  const item = list[Math.floor(Math.random() * list.length)];
  if (item === undefined) throw new RangeError('nothing to pick from');
  return item;
}

/** The front of the page sells best. */
function pickPopular<T>(list: readonly T[]): T {
  return pick(list.slice(0, 1 + Math.floor(Math.random() ** 2 * list.length)));
}
