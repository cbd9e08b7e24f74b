import { describe, expect, test } from 'vitest';
import { loadNeed } from '../../../src/cache/load-need.ts';
import type { Opened } from '../../../src/cache/store.ts';
import { noFloor, withPosition } from '../../../src/consistency/floor.ts';
import { parsePosition } from '../../../src/consistency/parse-position.ts';

const at = (text: string) => parsePosition('mariadb', text);

const record = (fence: string, isPending = false): Opened => ({
  gen: 'g',
  fence,
  isPending,
  lease: 'granted',
  heldMs: 0,
});

describe('a load', () => {
  test.each<[string, readonly Opened[], string | undefined, object]>([
    ['with nothing to see', [record('')], '0-1-9', { position: undefined, proven: '', learnt: undefined }],
    [
      'with known fences sees all of them, and asks nobody',
      [record('0-1-5'), record('1-2-3')],
      undefined,
      { position: '0-1-5,1-2-3', proven: '0-1-5,1-2-3', learnt: undefined },
    ],
    [
      'with an unknown fence sees what the primary has, and learns it',
      [record('0-1-5'), record('?')],
      '0-1-9',
      { position: '0-1-9', proven: '0-1-9', learnt: '0-1-9' },
    ],
    [
      'while an invalidation is pending sees what the primary has',
      [record('0-1-5', true)],
      '0-1-9',
      { position: '0-1-9', proven: '0-1-9', learnt: '0-1-9' },
    ],
    [
      'goes to the primary when that does not tell what it has',
      [record('?')],
      undefined,
      { position: undefined, isUnknown: true, proven: '', learnt: undefined },
    ],
    [
      'goes to the primary when that says that it has nothing',
      [record('?')],
      '',
      { position: undefined, isUnknown: true, proven: '', learnt: undefined },
    ],
    [
      'with fences of two vendors sees what the primary has',
      [record('0-1-5'), record('3e11fa47-71ca-11e1-9e33-c80aa9429562:1-2')],
      '0-1-9',
      { position: '0-1-9', proven: '0-1-9', learnt: '0-1-9' },
    ],
  ])('%s', async (_, opened, primary, expected) => {
    const { floor, proven, learnt } = await loadNeed(opened, noFloor, async () =>
      primary === undefined ? undefined : at(primary),
    );
    const position = floor.position?.toString();
    expect({ position, isUnknown: floor.isUnknown, proven, learnt }).toEqual({
      isUnknown: false,
      ...expected,
    });
  });

  test('sees what its session has seen besides', async () => {
    const { floor, proven, provenAnyway } = await loadNeed(
      [record('0-1-5')],
      withPosition(noFloor, at('2-1-1')),
      async () => {
        throw new Error('not asked');
      },
    );
    expect(floor.position?.toString()).toBe('0-1-5,2-1-1');
    expect(proven).toBe('0-1-5,2-1-1');
    expect(provenAnyway).toBe('0-1-5');
  });

  test('proves of the primary only what that has, though the fence asks for more', async () => {
    const uuid = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
    const need = await loadNeed([record('?')], noFloor, async () =>
      parsePosition('mysql', `${uuid}:1-5:7-9`),
    );
    expect(need).toMatchObject({ provenAnyway: `${uuid}:1-5:7-9`, learnt: `${uuid}:1-9` });
  });
});
