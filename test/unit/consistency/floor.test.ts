import { describe, expect, it } from 'vitest';
import {
  afterCheckedRead,
  afterFallbackRead,
  afterPrimaryRead,
  afterReplicaRead,
  afterUnplacedWrite,
  afterWrite,
  type Floor,
  isNoFloor,
  noFloor,
  sameLife,
  unionOfFloors,
  withoutLost,
} from '../../../src/consistency/floor.ts';
import { parsePosition } from '../../../src/consistency/parse-position.ts';

const uuid = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const r1 = { key: 'r1', startedAtMs: 1_000_000 };
const r2 = { key: 'r2', startedAtMs: 2_000_000 };
const at = (server: typeof r1, time: number): typeof r1 & { at: number } => ({ ...server, at: time });
const readOn = (floor: Floor, server: typeof r1, time: number, covered = floor): Floor =>
  afterReplicaRead(floor, covered, at(server, time));

describe('a floor', () => {
  it('asks for nothing at first', () => {
    expect(isNoFloor(noFloor)).toBe(true);
    expect(isNoFloor(afterPrimaryRead(noFloor, 1))).toBe(false);
  });

  it('rises with each write, in one stretch per source', () => {
    let floor = afterWrite(noFloor, 'mysql', `${uuid}:5`);
    floor = afterWrite(floor, 'mysql', `${uuid}:9`);
    expect(floor.position?.toString()).toBe(`${uuid}:5-9`);
    let other = afterWrite(noFloor, 'mariadb', '0-1-5');
    other = afterWrite(other, 'mariadb', '0-2-9');
    expect(other.position?.toString()).toBe('0-1-5,0-2-9');
  });

  it('is unknown after a write without a position, with one that cannot be read, and with two vendors', () => {
    expect(afterUnplacedWrite(noFloor).isUnknown).toBe(true);
    expect(afterWrite(noFloor, 'mysql', 'no position').isUnknown).toBe(true);
    const mixed = afterWrite(afterWrite(noFloor, 'mysql', `${uuid}:5`), 'mariadb', '0-1-5');
    expect(mixed.isUnknown).toBe(true);
  });

  it('names the server of the last read, once', () => {
    const floor = readOn(readOn(noFloor, r1, 1), r1, 2);
    expect(floor.seen).toEqual([at(r1, 2)]);
  });

  it('names the new server alone after a read there that covered the old one', () => {
    expect(readOn(readOn(noFloor, r1, 1), r2, 2).seen).toEqual([at(r2, 2)]);
  });

  it('keeps a server that was read meanwhile by another branch', () => {
    const before = readOn(noFloor, r1, 1);
    const meanwhile = readOn(before, r1, 5);
    expect(readOn(meanwhile, r2, 6, before).seen).toEqual([at(r1, 5), at(r2, 6)]);
  });

  it('forgets the primary once a replica has shown as much, not when it was read again meanwhile', () => {
    const before = afterPrimaryRead(noFloor, 1);
    expect(readOn(before, r1, 3).primaryAt).toBeUndefined();
    const meanwhile = afterPrimaryRead(before, 2);
    expect(readOn(meanwhile, r1, 3, before).primaryAt).toBe(2);
  });

  it('forgets what a strong read has covered, which asks for more than the session did', () => {
    const session = afterPrimaryRead(noFloor, 1);
    const strong = afterPrimaryRead(session, 4);
    expect(readOn(session, r1, 5, strong).primaryAt).toBeUndefined();
  });

  it('forgets the replicas once the primary was read', () => {
    const before = readOn(noFloor, r1, 1);
    expect(afterFallbackRead(before, before, 2)).toMatchObject({ seen: [], primaryAt: 2 });
  });

  it('takes over what a server said that is not known again', () => {
    const before = readOn(afterWrite(noFloor, 'mysql', `${uuid}:5`), r1, 1);
    const floor = afterCheckedRead(before, before, parsePosition('mysql', `${uuid}:1-7`));
    expect(floor.seen).toEqual([]);
    expect(floor.position?.toString()).toBe(`${uuid}:1-7`);
  });

  it('drops what is lost, and asks no more of that source', () => {
    const floor = afterWrite(afterWrite(noFloor, 'mariadb', '1-1-5'), 'mariadb', '2-2-3');
    expect(withoutLost(floor, parsePosition('mariadb', '1-1-5')).position?.toString()).toBe('2-2-3');
    expect(withoutLost(floor, parsePosition('mysql', `${uuid}:5`))).toBe(floor);
  });
});

describe('the union of two floors', () => {
  it('asks for what either asks for', () => {
    const a = readOn(afterWrite(noFloor, 'mysql', `${uuid}:5`), r1, 1);
    const b = afterPrimaryRead(readOn(afterWrite(noFloor, 'mysql', `${uuid}:8`), r2, 2), 3);
    const both = unionOfFloors(a, b);
    expect(both.position?.toString()).toBe(`${uuid}:5-8`);
    expect(both.seen).toEqual([at(r1, 1), at(r2, 2)]);
    expect(both.primaryAt).toBe(3);
  });

  it('takes the later read of one server and of the primary', () => {
    const a = afterPrimaryRead(readOn(noFloor, r1, 1), 9);
    const b = afterPrimaryRead(readOn(noFloor, r1, 4), 2);
    expect(unionOfFloors(a, b)).toMatchObject({ seen: [at(r1, 4)], primaryAt: 9 });
  });

  it('is the other one where one asks for nothing', () => {
    const floor = readOn(noFloor, r1, 1);
    expect(unionOfFloors(floor, noFloor)).toBe(floor);
    expect(unionOfFloors(noFloor, floor)).toBe(floor);
  });

  it('is unknown where one is', () => {
    expect(unionOfFloors(readOn(noFloor, r1, 1), afterUnplacedWrite(noFloor)).isUnknown).toBe(true);
  });
});

describe('the life of a server', () => {
  it.each([
    ['the same reading', r1, r1, true],
    ['a restart', r1, { ...r1, startedAtMs: r1.startedAtMs + 1_000 }, false],
    ['another server', r1, { ...r2, startedAtMs: r1.startedAtMs }, false],
  ])('%s', (_, a, b, same) => {
    expect(sameLife(a, b)).toBe(same);
  });
});
