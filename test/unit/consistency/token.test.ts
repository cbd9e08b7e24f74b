import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterPrimaryRead,
  afterReplicaRead,
  afterUnplacedWrite,
  afterWrite,
  type Floor,
  noFloor,
} from '../../../src/consistency/floor.ts';
import { waitStatement } from '../../../src/consistency/server-position.ts';
import { BrokenToken, maxTokenLength, readToken, writeToken } from '../../../src/consistency/token.ts';

const uuid = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const server = { key: 'abcDEF012-_z', startedAtMs: 1_760_000_000_000 };
const secret = 'correct horse battery';

function written(floor: Floor, ...secrets: string[]): string {
  const token = writeToken(floor, secrets);
  if (token === undefined) throw new Error('no token');
  return token;
}

const floors: readonly (readonly [string, Floor])[] = [
  ['a write on MySQL', afterWrite(noFloor, 'mysql', `${uuid}:7`)],
  ['a write with a tag', afterWrite(noFloor, 'mysql', `${uuid}:shop:7`)],
  ['a write on MariaDB', afterWrite(noFloor, 'mariadb', '1-1-20')],
  ['two domains', afterWrite(afterWrite(noFloor, 'mariadb', '1-1-20'), 'mariadb', '2-2-3')],
  ['a write without a position', afterUnplacedWrite(noFloor)],
  ['a read on the primary', afterPrimaryRead(noFloor, 5)],
  ['a read on a replica', afterReplicaRead(noFloor, noFloor, { ...server, at: 5 })],
];

describe('a token', () => {
  it('is not made when there is nothing to carry', () => {
    expect(writeToken(noFloor, [])).toBeUndefined();
  });

  it.each(floors)('carries %s, signed or not', (_, floor) => {
    const now = 1_000;
    for (const secrets of [[], [secret]]) {
      const read = readToken(written(floor, ...secrets), secrets, now);
      expect(read.position?.toString()).toBe(floor.position?.toString());
      expect(read.isUnknown).toBe(floor.isUnknown);
      expect(read.seen).toEqual(floor.seen.map((seen) => ({ ...seen, at: now })));
      expect(read.primaryAt).toBe(floor.primaryAt === undefined ? undefined : now);
    }
  });

  it('stays short however many writes it carries, and covers all of them', () => {
    let floor = noFloor;
    for (let n = 1; n <= 2_001; n += 2) floor = afterWrite(floor, 'mysql', `${uuid}:${n}`);
    const token = written(floor, secret);
    expect(token.length).toBeLessThan(200);
    expect(readToken(token, [secret], 0).position?.toString()).toBe(`${uuid}:1-2001`);
  });

  it('leaves the primary when it would be too long', () => {
    let floor = noFloor;
    for (let n = 10; n < 60; n += 1) floor = afterWrite(floor, 'mysql', `${uuid.slice(0, -2)}${n}:5`);
    const token = written(floor, secret);
    expect(token.length).toBeLessThanOrEqual(maxTokenLength);
    expect(readToken(token, [secret], 0)).toMatchObject({ isUnknown: true, position: undefined });
  });

  it('leaves the primary when it would name too many servers', () => {
    const seen = Array.from({ length: 9 }, (_, n) => ({ ...server, key: `abcDEF01234${n}`, at: 0 }));
    const read = readToken(written({ ...noFloor, seen }), [], 0);
    expect(read).toMatchObject({ isUnknown: true });
    expect(read.seen.length).toBeLessThan(9);
  });

  it('goes into a cookie and a header as it is', () => {
    for (const [, floor] of floors) expect(written(floor, secret)).toMatch(/^[\w.-]+$/);
  });
});

describe('a secret', () => {
  const token = written(afterWrite(noFloor, 'mysql', `${uuid}:7`), secret);

  it('accepts what an earlier one has signed, and signs with the first', () => {
    expect(readToken(token, ['another secret text', secret], 0).position?.toString()).toBe(`${uuid}:7`);
    const newer = written(afterWrite(noFloor, 'mariadb', '1-1-1'), 'another secret text', secret);
    expect(() => readToken(newer, [secret], 0)).toThrow(BrokenToken);
  });

  it.each([
    ['another signature', `${token.slice(0, -4)}AAAA`, [secret], /signature is wrong/],
    ['no signature', token.slice(0, token.lastIndexOf('.')), [secret], /not signed/],
    ['another secret', token, ['another secret text'], /signature is wrong/],
    ['a signature where none is expected', token, [], /tokens\.secret is not set/],
    [
      'the signature of another content',
      `${written(afterWrite(noFloor, 'mysql', `${uuid}:8`))}.${token.split('.')[2]}`,
      [secret],
      /signature is wrong/,
    ],
  ])('refuses %s', (_, text, secrets, message) => {
    expect(() => readToken(text, secrets, 0)).toThrow(message);
  });
});

describe('a broken token', () => {
  const unsigned = (payload: string): string => `v1.${Buffer.from(payload, 'latin1').toString('base64url')}`;

  it.each([
    ['no text', 7],
    ['nothing', ''],
    ['another version', 'v2.AAAA'],
    ['no content', 'v1.'],
    ['more parts', 'v1.AAAA.BBBB.CCCC'],
    ['far too long', `v1.${'A'.repeat(10_000)}`],
    ['too few fields', unsigned('mysql;')],
    ['more fields', unsigned('mysql;;;;')],
    ['another vendor', unsigned('oracle;;;')],
    ['SQL in the position', unsigned(`mysql;${uuid}:1') OR 1=1 -- ;;`)],
    ['a position of the other vendor', unsigned('mysql;1-1-20;;')],
    ['a position of no vendor', unsigned(';1-1-20;;')],
    ['other flags', unsigned('mysql;;;x')],
    ['a server in another form', unsigned("mysql;;abc'@1;")],
    ['too many servers', unsigned(`;;${Array(5).fill('abcDEF012-_z@1').join(',')};`)],
  ])('with %s is refused', (_, text) => {
    expect(() => readToken(text, [], 0)).toThrow(BrokenToken);
  });

  const anything = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.string({ unit: 'binary', maxLength: 200 }).map((text) => unsigned(text)),
    fc.string({ maxLength: 60 }).map((text) => unsigned(`mysql;${uuid}:${text};;`)),
    fc.string({ maxLength: 60 }).map((text) => unsigned(`mariadb;1-${text};;up`)),
    fc.tuple(fc.nat(), fc.nat(), fc.nat()).map((parts) => unsigned(`mariadb;${parts.join('-')};;`)),
    fc.nat({ max: 200 }).map((at) => {
      const token = written(afterWrite(noFloor, 'mysql', `${uuid}:7`));
      return `${token.slice(0, at)}!${token.slice(at + 1)}`;
    }),
  );

  it('is refused or read, whatever it holds, and what is read makes no SQL but a position', () => {
    fc.assert(
      fc.property(anything, (text) => {
        let floor: Floor;
        try {
          floor = readToken(text, [], 0);
        } catch (error) {
          expect(error).toBeInstanceOf(BrokenToken);
          return;
        }
        const { position } = floor;
        if (position === undefined) return;
        const [, quoted = '\0'] = /\('(.*)', 0\.500\) AS/s.exec(waitStatement(position, 500, '8.4.0')) ?? [];
        expect(quoted).toMatch(/^[\w,:-]*$/);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is never read when a secret is set', () => {
    fc.assert(
      fc.property(anything, (text) => {
        expect(() => readToken(text, [secret], 0)).toThrow(BrokenToken);
      }),
      { numRuns: 1_000 },
    );
  });
});
