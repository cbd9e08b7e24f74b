import { describe, expect, test } from 'vitest';
import { driverOptionsOf } from '../../../../src/adapters/driver/driver-options.ts';

describe('driverOptionsOf', () => {
  test('takes what makes values, and reads dates in the time zone of the sessions', () => {
    const typeCast = (): undefined => undefined;
    expect(
      driverOptionsOf({ host: 'db', password: 'secret', dateStrings: ['DATE'], typeCast }, '+02:00'),
    ).toEqual({
      timezone: '+02:00',
      dateStrings: ['DATE'],
      typeCast,
    });
    expect(driverOptionsOf({ timezone: 'local' }, 'Z')).toEqual({ timezone: 'local' });
  });

  test('gives the same object for the same settings', () => {
    const settings = {};
    expect(driverOptionsOf(settings, 'Z')).toBe(driverOptionsOf(settings, 'Z'));
  });
});
