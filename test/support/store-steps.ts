import type { CacheStore, CompleteOrder, OpenOrder } from '../../src/cache/store.ts';

type Step =
  | { readonly kind: 'open'; readonly order: OpenOrder }
  | { readonly kind: 'complete'; readonly order: CompleteOrder }
  | { readonly kind: 'release'; readonly name: string; readonly lease: string }
  | { readonly kind: 'mark'; readonly name: string; readonly id: string; readonly gen: string }
  | {
      readonly kind: 'fill';
      readonly name: string;
      readonly lease: string;
      readonly fence: string | undefined;
    };

export interface EraStep {
  readonly era: string;
  readonly step: Step;
}

const uuid = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const fences = ['', '', '?', '0-1-5', '0-1-9,1-1-2', '0-2-3', `${uuid}:3-4`, `${uuid}:9-9`];

/** What may be done to two records, in any order. */
export function randomSteps(random: () => number, prefix: string): readonly EraStep[] {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  return Array.from({ length: 25 }, (_, index) => {
    const name = `${prefix}:${pick(['a', 'b'])}`;
    const gen = `g${index}`;
    const id = pick(['x', 'y', 'tags.z']);
    const steps: readonly Step[] = [
      {
        kind: 'open',
        order: {
          name,
          gen,
          lease: random() < 0.8 ? { id, ms: 60_000, seenFill: pick(['', 'x', 'y']) } : undefined,
          keepMs: 60_000,
        },
      },
      {
        kind: 'complete',
        order: { name, id: pick(['', 'x', 'y']), gen, fence: pick([undefined, ...fences]), keepMs: 60_000 },
      },
      { kind: 'mark', name, id, gen },
      { kind: 'release', name, lease: id },
      { kind: 'fill', name, lease: id, fence: pick([undefined, ...fences]) },
    ];
    return { era: random() < 0.9 ? 'p' : 'q', step: pick(steps) };
  });
}

/** Everything that a caller sees on the way, but for times. */
export async function carryOut(store: CacheStore, steps: readonly EraStep[]): Promise<readonly unknown[]> {
  const seen: unknown[] = [];
  for (const { era: primary, step } of steps) {
    const era = `${store.life}.${primary}`;
    seen.push(await carryOutOne(store, era, step));
    const name = 'order' in step ? step.order.name : step.name;
    const [record] = await store.get(era, [name]);
    seen.push(
      record && {
        ...record,
        era: record.era.split('.')[1],
        filled: record.filled && { ...record.filled, freshUntil: 0 },
      },
    );
  }
  return seen;
}

async function carryOutOne(store: CacheStore, era: string, step: Step): Promise<unknown> {
  switch (step.kind) {
    case 'open': {
      const [told] = await store.open(era, [step.order]);
      return { ...told, heldMs: (told?.heldMs ?? 0) > 0 };
    }
    case 'complete':
      return await store.complete(era, [step.order]);
    case 'release':
      return await store.release(era, step);
    case 'mark':
      return await store.mark(era, [{ ...step, ms: 60_000, keepMs: 60_000 }]);
    case 'fill':
      return await store.fill(
        era,
        {
          ...step,
          proof: 'p',
          proven: '',
          payload: Buffer.from('v'),
          loadMs: 3,
          ttlMs: 60_000,
          keepMs: 60_000,
        },
        [],
      );
  }
}
