import { describe, expect, test } from 'vitest';
import { parsePosition } from '../../../src/consistency/parse-position.ts';
import type { PositionVendor } from '../../../src/consistency/position.ts';
import type { Identity } from '../../../src/pool/identity.ts';
import { begunBy, receivedFrom } from '../../../src/topology/master-look.ts';
import { mariadb, mysql, uuid } from './servers.ts';

describe('what a server began itself', () => {
  test.each<[PositionVendor, Identity, string, string]>([
    ['mariadb', mariadb(2), '1-1-5,1-2-3,2-2-9,3-12-4', '1-2-3,2-2-9'],
    ['mariadb', mariadb(9), '1-1-5', ''],
    ['mysql', mysql(2), `${uuid(1)}:1-5,${uuid(2)}:1-3:tag:1-2`, `${uuid(2)}:1-3:tag:1-2`],
    ['mysql', mysql(9), `${uuid(1)}:1-5`, ''],
  ])('on %s, %o of %s', (vendor, identity, position, own) => {
    expect(begunBy(identity, parsePosition(vendor, position)).toString()).toBe(own);
  });
});

describe('what was fetched from a server', () => {
  test.each<[PositionVendor, Identity, readonly string[], string | undefined]>([
    ['mariadb', mariadb(1), ['1-1-5,2-2-9'], '1-1-5,2-1-9'],
    ['mariadb', mariadb(1), ['0-2-9'], '0-1-9'],
    ['mariadb', mariadb(1), ['1-1-5', '1-1-7'], '1-1-7'],
    ['mysql', mysql(1), [`${uuid(1)}:3-5,${uuid(2)}:1-9`, `${uuid(1)}:8`], `${uuid(1)}:3-5:8`],
    ['mysql', mysql(1), [''], ''],
    ['mysql', mysql(1), [], undefined],
  ])('on %s, %o over %j', (vendor, source, texts, expected) => {
    const positions = texts.map((text) => parsePosition(vendor, text));
    expect(receivedFrom(source, { positions, connected: true })?.toString()).toBe(expected);
  });
});
