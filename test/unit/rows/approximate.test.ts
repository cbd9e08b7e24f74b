import { describe, expect, test } from 'vitest';
import { doubleAsText, floatAsText } from '../../../src/rows/approximate.ts';

describe('floatAsText', () => {
  // what `SELECT` of a FLOAT prints, on MariaDB 10.11 and MySQL 9.7
  test.each<[number, number, number]>([
    [0, 31, 0],
    [Math.fround(0.1), 31, 0.1],
    [Math.fround(-1.5), 31, -1.5],
    [999999, 31, 999999],
    [16777216, 31, 16777200],
    [1000005, 31, 1000000],
    [1000015, 31, 1000020],
    [-1000015, 31, -1000020],
    [-1000005, 31, -1000000],
    [123456.5, 31, 123456],
    [123457.5, 31, 123458],
    [Math.fround(3.4028234e38), 31, 3.40282e38],
    [Math.fround(1.1754944e-38), 31, 1.17549e-38],
    [1234567.125, 2, 1234567.12],
    [1234567.375, 2, 1234567.38],
    [0.5, 0, 0],
    [1.5, 0, 2],
  ])('makes %d with %d decimals %d', (value, decimals, expected) => {
    expect(floatAsText(value, decimals)).toBe(expected);
  });
});

describe('doubleAsText', () => {
  test.each<[number, number, number]>([
    [Math.PI, 31, Math.PI],
    [Math.PI, 39, Math.PI],
    [2 / 3, 6, 0.666667],
    [0.125, 2, 0.12],
    [0.375, 2, 0.38],
    [-0.125, 2, -0.12],
    [1.005, 2, 1],
    [1e22, 2, 1e22],
    [2.5, 0, 2],
    [3.5, 0, 4],
  ])('makes %d with %d decimals %d', (value, decimals, expected) => {
    expect(doubleAsText(value, decimals)).toBe(expected);
  });
});
