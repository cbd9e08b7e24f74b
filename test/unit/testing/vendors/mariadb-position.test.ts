import { describe, expect, it } from 'vitest';
import { stateHolds } from '../../../../src/testing/vendors/mariadb-position.ts';

describe('stateHolds', () => {
  it.each([
    { state: '', position: '', holds: true },
    { state: '1-1-5', position: '', holds: true },
    { state: '', position: '1-1-1', holds: false },
    { state: '1-1-5', position: '1-1-5', holds: true },
    { state: '1-1-5', position: '1-1-6', holds: false },
    { state: '1-1-10', position: '1-1-9', holds: true },
    { state: '1-1-5,2-2-7', position: '2-2-7,1-1-5', holds: true },
    { state: '1-1-5', position: '1-1-5,2-2-1', holds: false },
    // The same domain, another server's sequence: the higher number proves nothing.
    { state: '1-1-50', position: '1-2-7', holds: false },
    // The binlog state and the replicated position in one list: the higher one counts, wherever it stands.
    { state: '1-1-5,,1-1-3', position: '1-1-5', holds: true },
    { state: '1-1-3,1-1-5', position: '1-1-5', holds: true },
    { state: '1-1-9007199254740993', position: '1-1-9007199254740994', holds: false },
  ])('says $holds of $position in a server with $state', ({ state, position, holds }) => {
    expect(stateHolds(state, position)).toBe(holds);
  });
});
