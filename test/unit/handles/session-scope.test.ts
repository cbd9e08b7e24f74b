import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { needFor } from '../../../src/handles/need-for.ts';
import { SessionScope } from '../../../src/handles/session-scope.ts';
import { Tokens } from '../../../src/handles/tokens.ts';

const write = (position: string) => ({ vendor: 'mariadb', position, isUnplaced: false }) as const;

describe('a session', () => {
  const tokens = new Tokens({ secret: [], onInvalid: 'throw' });
  let sessions: SessionScope;

  beforeEach(() => {
    sessions = new SessionScope(tokens);
  });

  const position = (): string | undefined => sessions.current?.floor.position?.toString();

  it('is known to the code in it, across awaits, and to no other', async () => {
    expect(sessions.current).toBeUndefined();
    const inside = sessions.run(async () => {
      const { current } = sessions;
      await sleep(1);
      expect(sessions.current).toBe(current);
      return current;
    }, undefined);
    expect(sessions.current).toBeUndefined();
    expect(await inside).toBeDefined();
  });

  it('has no token before anything was seen, nor has the code outside', async () => {
    await sessions.run(async () => {
      expect(sessions.token()).toBeUndefined();
      sessions.current?.noteAnswer(write('1-1-5'));
      expect(sessions.token()).toMatch(/^v1\./);
    }, undefined);
    expect(sessions.token()).toBeUndefined();
  });

  it('goes on where its token ended', async () => {
    const token = tokens.ofWrite({ vendor: 'mariadb', position: '1-1-5' });
    await sessions.run(async () => {
      expect(position()).toBe('1-1-5');
    }, token);
  });

  it('rejects with the error of a broken token, without running', async () => {
    let ran = false;
    const run = sessions.run(async () => {
      ran = true;
    }, 'v1.broken');
    await expect(run).rejects.toMatchObject({ code: 'VIPSQL_INVALID_TOKEN', outcome: 'not-executed' });
    expect(ran).toBe(false);
  });

  it('begins anew with a broken token where those are ignored', async () => {
    const lenient = new SessionScope(new Tokens({ secret: [], onInvalid: 'ignore' }));
    expect(await lenient.run(async () => lenient.token(), 'v1.broken')).toBeUndefined();
  });

  it('inside another sees what that has seen, which learns in the end', async () => {
    await sessions.run(async () => {
      sessions.current?.noteAnswer(write('1-1-5'));
      const inner = sessions.run(async () => {
        expect(position()).toBe('1-1-5');
        sessions.current?.noteAnswer(write('2-2-3'));
        expect(position()).toBe('1-1-5,2-2-3');
        await sleep(1);
      }, undefined);
      expect(position()).toBe('1-1-5');
      await inner;
      expect(position()).toBe('1-1-5,2-2-3');
    }, undefined);
  });

  it('inside another is learnt from when it fails as well', async () => {
    await sessions.run(async () => {
      const inner = sessions.run(async () => {
        sessions.current?.noteAnswer(write('1-1-5'));
        throw new Error('no');
      }, undefined);
      await expect(inner).rejects.toThrow('no');
      expect(position()).toBe('1-1-5');
    }, undefined);
  });

  it('learns from branches that run at the same time', async () => {
    await sessions.run(async () => {
      await Promise.all(
        [1, 2, 3].map(async (domain) => {
          await sleep(domain);
          sessions.current?.noteAnswer(write(`${domain}-1-1`));
        }),
      );
      expect(position()).toBe('1-1-1,2-1-1,3-1-1');
    }, undefined);
  });

  it('is unknown after a write without a position', async () => {
    await sessions.run(async () => {
      sessions.current?.noteAnswer({ vendor: 'mysql', position: undefined, isUnplaced: true });
      expect(sessions.current?.floor.isUnknown).toBe(true);
    }, undefined);
  });

  it('remembers the primary after an answer that tells no change', async () => {
    await sessions.run(async () => {
      sessions.current?.noteAnswer({ vendor: 'mysql', position: undefined, isUnplaced: false });
      expect(sessions.current?.floor).toMatchObject({ isUnknown: false, primaryAt: expect.any(Number) });
    }, undefined);
  });

  describe('and what a read in it needs', () => {
    const after = tokens.ofWrite({ vendor: 'mariadb', position: '2-2-3' });
    const services = () => ({ sessions, tokens });

    it('is nothing outside', () => {
      expect(needFor(services(), undefined)).toBeUndefined();
      expect(needFor(services(), { consistency: 'eventual' })).toBeUndefined();
    });

    it('is the token that it is given outside', () => {
      expect(needFor(services(), { after })?.floor.position?.toString()).toBe('2-2-3');
    });

    it('is its floor inside, with the token that it is given', async () => {
      await sessions.run(async () => {
        sessions.current?.noteAnswer(write('1-1-5'));
        expect(needFor(services(), undefined)?.floor.position?.toString()).toBe('1-1-5');
        expect(needFor(services(), { after })?.floor.position?.toString()).toBe('1-1-5,2-2-3');
        expect(needFor(services(), { consistency: 'eventual' })).toBeUndefined();
      }, undefined);
    });

    it('is as if the primary had been read, for a strong one', async () => {
      const before = performance.now();
      expect(needFor(services(), { consistency: 'strong' })?.floor.primaryAt).toBeGreaterThanOrEqual(before);
    });

    it.each([
      ['eventual after something', { consistency: 'eventual', after }],
      ["a session's outside of one", { consistency: 'session' }],
    ] as const)('cannot be %s', (_, options) => {
      expect(() => needFor(services(), options)).toThrow(/consistency/);
    });
  });
});
