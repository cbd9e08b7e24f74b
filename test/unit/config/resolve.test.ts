import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { type NumberFacts, numberOptions } from '../../../src/config/defaults.ts';
import { resolveConfig } from '../../../src/config/resolve.ts';
import { ConfigError, type ConfigIssue } from '../../../src/errors/errors.ts';

const base = { primary: '10.0.0.9', user: 'shop' };

function issuesOf(config: unknown): readonly ConfigIssue[] {
  try {
    resolveConfig(config);
  } catch (error) {
    if (error instanceof ConfigError) return error.issues;
    throw error;
  }
  return [];
}

/** A configuration with one value at a path like `pool.max` or `replicas[].weight`. */
function withValue(path: string, value: unknown): Record<string, unknown> {
  const entry = path.includes('[].') ? { [path.includes('refresh') ? 'dns' : 'host']: 'server' } : undefined;
  const [name = '', inner] = path.replace('[]', '').split('.');
  if (entry !== undefined) return { ...base, [name]: [{ ...entry, [inner ?? '']: value }] };
  if (path.startsWith('cache.l1.')) {
    return { ...base, cache: { redis: 'redis://h', l1: { [path.split('.')[2] ?? '']: value } } };
  }
  if (name === 'primary') return { ...base, primary: { host: 'h', [inner ?? '']: value } };
  return { ...base, [name]: inner === undefined ? value : { [inner]: value } };
}

describe('resolveConfig', () => {
  it('completes the smallest configuration with the defaults', () => {
    const pool = { max: 10, min: 2, idleMs: 60_000, maxLifetimeMs: 1_800_000, maxWaiting: 1_000 };
    expect(resolveConfig(base)).toEqual({
      primary: {
        endpoint: { kind: 'tcp', host: '10.0.0.9', port: 3306, name: '10.0.0.9:3306' },
        credentials: { user: 'shop', password: undefined },
        proxied: false,
      },
      replicas: [],
      masters: [],
      session: {
        database: undefined,
        ssl: undefined,
        timezone: '+00:00',
        charset: 'utf8mb4_general_ci',
        bigint: 'auto',
        dates: 'date',
        sessionVariables: {},
        onConnect: undefined,
      },
      pool: { primary: pool, replica: pool },
      timeoutMs: 10_000,
      transactionTimeoutMs: 30_000,
      tcpTimeoutMs: 300,
      loginTimeoutMs: 5_000,
      failover: { heartbeatMs: 500, maxWaiting: 10_000, catchUpMs: 500, twoWriters: 'warn' },
      retry: { attempts: 3, budget: 0.2, backoffMs: 20 },
      balance: { policy: 'p2c', zone: undefined, primaryWeight: 0, rampUpMs: 10_000 },
      breaker: { errorRate: 0.5, minimumReads: 5, windowMs: 5_000, resetMs: 1_000 },
      monitor: { intervalMs: 1_000, timeoutMs: 1_000 },
      consistency: { waitMs: 500 },
      lag: { maxLagMs: 0, intervalMs: 1_000, heartbeatTable: undefined, writeHeartbeat: false },
      tokens: { secret: [], onInvalid: 'throw' },
      fallback: 'primary',
      fallbackMax: 5,
      primaryOnly: [],
      exactlyOnce: {
        table: { schema: undefined, name: 'vipsql_commit' },
        retentionMs: 604_800_000,
        isFenced: undefined,
      },
    });
  });

  it('reads a full configuration', () => {
    const onConnect = (): void => {};
    const isFenced = (): boolean => true;
    const password = async (): Promise<string> => 'x';
    const config = resolveConfig({
      primary: { host: '10.0.0.9', port: 3307, proxied: true },
      replicas: [
        '10.0.0.1',
        { host: '10.0.0.2', weight: 2, zone: 'a', name: 'second', balanced: true },
        { dns: 'replicas.internal', port: 3308, refreshMs: 5_000, user: 'reader', password: 'r' },
        'mysql://auditor:a@10.0.0.3/shop',
        { socketPath: '/run/mysqld/mysqld.sock' },
      ],
      masters: ['10.0.0.4', { host: '10.0.0.1', port: 3307 }, 'mysql://looker:l@[::1]:3308', '/run/a.sock'],
      user: 'shop',
      password,
      database: 'shop',
      replica: { user: 'readonly', password: 'ro' },
      ssl: { ca: 'PEM' },
      timezone: 'Z',
      charset: 'utf8mb4_bin',
      bigint: 'string',
      dates: 'string',
      sessionVariables: { '@@SESSION.wait_timeout': 600, sql_mode: 'STRICT_ALL_TABLES' },
      onConnect,
      pool: { max: 20, primary: { max: 5, min: 5 }, replica: { idleMs: 1_000 } },
      balance: { policy: 'random', zone: 'a' },
      fallback: 'error',
      primaryOnly: ['stock', 'shop.orders', 'inventory_*'],
      exactlyOnce: { table: 'ops.ids', retentionMs: 0, isFenced },
    });
    expect(config).toMatchObject({
      primary: {
        endpoint: { kind: 'tcp', host: '10.0.0.9', port: 3307, name: '10.0.0.9:3307' },
        credentials: { user: 'shop', password },
        proxied: true,
      },
      replicas: [
        { kind: 'fixed', weight: 1, credentials: { user: 'readonly', password: 'ro' }, balanced: false },
        {
          kind: 'fixed',
          weight: 2,
          zone: 'a',
          endpoint: { name: 'second', host: '10.0.0.2' },
          balanced: true,
        },
        {
          kind: 'dns',
          dns: 'replicas.internal',
          port: 3308,
          refreshMs: 5_000,
          credentials: { user: 'reader', password: 'r' },
        },
        { kind: 'fixed', credentials: { user: 'auditor', password: 'a' } },
        { kind: 'fixed', endpoint: { kind: 'socket', path: '/run/mysqld/mysqld.sock' } },
      ],
      masters: [
        { endpoint: { name: '10.0.0.4:3306' }, credentials: { user: 'shop', password } },
        { endpoint: { name: '10.0.0.1:3307' }, credentials: { user: 'shop', password } },
        { endpoint: { name: '[::1]:3308' }, credentials: { user: 'looker', password: 'l' } },
        { endpoint: { kind: 'socket', path: '/run/a.sock' } },
      ],
      session: {
        ssl: { ca: 'PEM', rejectUnauthorized: true, verifyIdentity: true },
        timezone: '+00:00',
        charset: 'utf8mb4_bin',
        sessionVariables: { wait_timeout: 600, sql_mode: 'STRICT_ALL_TABLES' },
        onConnect,
      },
      pool: { primary: { max: 5, min: 5, idleMs: 60_000 }, replica: { max: 20, min: 2, idleMs: 1_000 } },
      fallback: 'error',
      primaryOnly: ['stock', 'shop.orders', 'inventory_*'],
      exactlyOnce: { table: { schema: 'ops', name: 'ids' }, retentionMs: 0, isFenced },
    });
  });

  it('looks for the commit ledger in the database, which the URL of the primary may name', () => {
    const table = (config: object): unknown => resolveConfig({ ...base, ...config }).exactlyOnce.table;
    expect(table({ database: 'shop' })).toEqual({ schema: 'shop', name: 'vipsql_commit' });
    expect(table({ primary: 'mysql://shop@h/store', user: undefined })).toMatchObject({ schema: 'store' });
    expect(table({ database: 'shop', exactlyOnce: { table: 'ops.ids' } })).toEqual({
      schema: 'ops',
      name: 'ids',
    });
  });

  it('takes user, password and database from the URL of the primary, for the replicas too', () => {
    const config = resolveConfig({ primary: 'mysql://shop:p%40ss@10.0.0.9/shop', replicas: ['10.0.0.1'] });
    expect(config.primary.credentials).toMatchObject({ user: 'shop', password: 'p@ss' });
    expect(config.replicas[0]?.credentials).toMatchObject({ user: 'shop', password: 'p@ss' });
    expect(config.session.database).toBe('shop');
  });

  it('accepts a master that is a replica too', () => {
    expect(issuesOf({ ...base, replicas: ['10.0.0.1'], masters: ['10.0.0.1', '10.0.0.2'] })).toEqual([]);
  });

  it('lets a replica with a user of its own inherit the password', () => {
    const config = resolveConfig({
      ...base,
      password: 'p',
      replica: { user: 'ro' },
      replicas: ['mysql://x@10.0.0.1'],
    });
    expect(config.replicas[0]?.credentials).toMatchObject({ user: 'x', password: 'p' });
  });

  it('accepts the same login in the URL and beside it', () => {
    expect(
      issuesOf({ primary: 'mysql://shop:p@h/shop', user: 'shop', password: 'p', database: 'shop' }),
    ).toEqual([]);
  });

  it('treats undefined as absent at every depth', () => {
    const config = {
      ...base,
      replicas: [{ host: 'a', weight: undefined }],
      pool: { max: undefined },
      nonsense: undefined,
    };
    expect(resolveConfig(config)).toEqual(resolveConfig({ ...base, replicas: ['a'] }));
  });

  it('lowers the default minimum of a small pool', () => {
    expect(resolveConfig({ ...base, pool: { max: 1 } }).pool.primary).toMatchObject({ max: 1, min: 1 });
  });

  it('freezes the result and leaves the input alone', () => {
    const input = {
      ...base,
      replicas: [{ host: 'a' }],
      primaryOnly: ['stock'],
      ssl: { ca: Buffer.from('PEM') },
      pool: { max: 3 },
    };
    const config = resolveConfig(input);
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' ||
      value === null ||
      ArrayBuffer.isView(value) ||
      (Object.isFrozen(value) && Object.values(value).every(frozen));
    expect(frozen(config)).toBe(true);
    input.primaryOnly.push('orders');
    input.pool.max = 7;
    expect(config.primaryOnly).toEqual(['stock']);
    expect([input, input.pool, input.replicas, input.ssl].some(Object.isFrozen)).toBe(false);
  });

  it('verifies certificate and host with ssl: true and uses no TLS with false', () => {
    expect(resolveConfig({ ...base, ssl: true }).session.ssl).toEqual({
      rejectUnauthorized: true,
      verifyIdentity: true,
    });
    expect(resolveConfig({ ...base, ssl: false }).session.ssl).toBeUndefined();
    expect(resolveConfig({ ...base, ssl: { rejectUnauthorized: false } }).session.ssl).toEqual({
      rejectUnauthorized: false,
      verifyIdentity: false,
    });
  });
});

describe('a resolved configuration', () => {
  it('shows no secret when it is printed or serialised', () => {
    const config = resolveConfig({
      primary: 'mysql://shop:hunter2@h',
      replicas: [{ host: 'a', password: 'hunter2' }],
      masters: ['mysql://shop:hunter2@b'],
      ssl: { cert: 'PEM hunter2', key: 'PEM hunter2', passphrase: 'hunter2' },
      tokens: { secret: ['hunter2 hunter2 hunter2'] },
    });
    expect(inspect(config, { depth: 9, showHidden: true })).not.toContain('hunter2');
    expect(JSON.stringify(config)).not.toContain('hunter2');
    expect(inspect(config.primary.credentials)).toBe("{ user: 'shop', password: '[redacted]' }");
    expect(JSON.parse(JSON.stringify(config.session.ssl))).toMatchObject({
      verifyIdentity: true,
      key: '[redacted]',
    });
  });
});

describe('tokens.secret', () => {
  const at = (secret: unknown): unknown => issuesOf({ primary: 'h', user: 'u', tokens: { secret } });

  it('is a text or a list, the first of which signs', () => {
    const secretOf = (secret: string | string[]): readonly string[] =>
      resolveConfig({ primary: 'h', user: 'u', tokens: { secret } }).tokens.secret;
    expect(secretOf('correct horse battery')).toEqual(['correct horse battery']);
    expect(secretOf(['correct horse battery', 'an older secret text'])).toHaveLength(2);
  });

  it.each([['too short'], [''], [[]], [['correct horse battery', 'short']], [7]])('refuses %o', (secret) => {
    expect(at(secret)).toEqual([
      { path: 'tokens.secret', rule: expect.stringContaining('16 characters'), received: '[redacted]' },
    ]);
  });
});

describe('numbers', () => {
  const rows = Object.entries(numberOptions) as [string, NumberFacts][];

  test.each(rows)('%s stays within its bounds', (path, { min, max, orZero }) => {
    const paths = (value: unknown): string[] =>
      issuesOf(withValue(path, value)).map((issue) => issue.path.replace(/\[\d\]/, '[]'));
    const wrong = [min - 1, max + 1, Number.NaN, '5', null].filter(
      (value) => !(value === 0 && orZero === true),
    );
    for (const value of wrong) expect(paths(value), `${path}: ${value}`).toContain(path);
    expect(issuesOf(withValue(path, max)).filter(({ rule }) => rule.startsWith('must be a'))).toEqual([]);
    if (orZero === true) expect(paths(0)).toEqual([]);
  });

  test.each(rows.filter(([, facts]) => facts.type !== 'ratio'))(
    '%s takes whole numbers only',
    (path, { min }) => {
      expect(issuesOf(withValue(path, min + 0.5)).length).toBeGreaterThan(0);
    },
  );

  test.each([
    ['timeoutMs', 30, '30 seconds are 30000'],
    ['loginTimeoutMs', 5, '5 seconds are 5000'],
    ['pool.idleMs', 60, '60 seconds are 60000'],
    ['pool.maxLifetimeMs', 30, '30 seconds are 30000'],
  ])('%s: %i hints at seconds', (path, value, hint) => {
    expect(issuesOf(withValue(path, value))).toMatchObject([
      { path, rule: expect.stringContaining(hint), received: `${value}` },
    ]);
  });
});

describe('what is refused', () => {
  type Row = readonly [path: string, config: Record<string, unknown>, rule: RegExp];
  test.each<Row>([
    ['primary', { primary: undefined }, /must be given/],
    ['primary', { primary: 5 }, /must be an address/],
    ['primary', { primary: 'h:port' }, /port from 1/],
    ['primary', { primary: {} }, /either `host`/],
    ['primary', { primary: { host: 'h', socketPath: '/s' } }, /either `host`/],
    ['primary', { primary: { socketPath: '/s', port: 1 } }, /either `host`/],
    ['primary.host', { primary: { host: 'h:3306' } }, /host alone/],
    ['primary.socketPath', { primary: { socketPath: 's' } }, /absolute path/],
    ['primary.proxied', { primary: { host: 'h', proxied: 'yes' } }, /true or false/],
    ['primary.weight', { primary: { host: 'h', weight: 2 } }, /is not an option/],
    ['primary.password', { primary: { host: 'h', password: 'x' } }, /`password` at the top level/],
    ['user', { user: undefined }, /must be given/],
    ['user', { user: '' }, /not empty/],
    ['user', { primary: 'mysql://other@h' }, /must not differ/],
    ['password', { primary: 'mysql://shop:a@h', password: 'b' }, /must not differ/],
    ['database', { primary: 'mysql://shop@h/a', database: 'b' }, /must not differ/],
    ['replicas', { replicas: 'a' }, /list/],
    ['replicas[0]', { replicas: [undefined] }, /must be an address/],
    ['replicas[1]', { replicas: ['a', 'A:3306'] }, /must not repeat replicas\[0\]/],
    ['replicas[1]', { replicas: [{ dns: 'a' }, { dns: 'a', port: 3306 }] }, /must not repeat replicas\[0\]/],
    ['replicas[0]', { replicas: ['10.0.0.9:3306'] }, /address of the primary/],
    [
      'replicas[1].name',
      {
        replicas: [
          { host: 'a', name: 'x' },
          { host: 'b', name: 'x' },
        ],
      },
      /must not be the name of/,
    ],
    ['replicas[0]', { replicas: ['mysql://r@a/other'], database: 'shop' }, /another database/],
    ['replicas[0].balanced', { replicas: [{ dns: 'a', balanced: true }] }, /cannot be combined/],
    ['replicas[0].dns', { replicas: [{ dns: '' }] }, /host name/],
    ['replicas[0].wieght', { replicas: [{ host: 'a', wieght: 2 }] }, /did you mean `weight`/],
    ['masters', { masters: 'a' }, /list/],
    ['masters[0]', { masters: [5] }, /must be an address/],
    ['masters[0]', { masters: ['10.0.0.9'] }, /own address/],
    ['masters[1]', { masters: ['a', 'A:3306'] }, /must not repeat masters\[0\]/],
    ['masters[0]', { masters: ['mysql://shop@a/other'], database: 'shop' }, /another database/],
    ['masters[0]', { masters: [{ host: 'a', socketPath: '/s' }] }, /either `host`/],
    ['masters[0].weight', { masters: [{ host: 'a', weight: 2 }] }, /is not an option/],
    ['failover.twoWriters', { failover: { twoWriters: 'ignore' } }, /'warn' or 'stop'/],
    [
      'failover.twoWriters',
      { primary: { host: 'h', proxied: true }, failover: { twoWriters: 'stop' } },
      /`primary.proxied`/,
    ],
    ['replica.user', { replica: { user: 5 } }, /not empty/],
    ['ssl', { ssl: 'yes' }, /true, false or an object/],
    ['ssl.ca', { ssl: { ca: [] } }, /PEM/],
    ['ssl.key', { ssl: { cert: 'PEM' } }, /with `cert`/],
    ['ssl.cert', { ssl: { key: 'PEM' } }, /with `key`/],
    [
      'ssl.verifyIdentity',
      { ssl: { rejectUnauthorized: false, verifyIdentity: true } },
      /nothing would be verified/,
    ],
    ['ssl.minVersion', { ssl: { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' } }, /above `maxVersion`/],
    ['ssl.minVersion', { ssl: { minVersion: 'SSLv3' } }, /'TLSv1.2'/],
    ['ssl.rejectUnauthorised', { ssl: { rejectUnauthorised: false } }, /did you mean `rejectUnauthorized`/],
    ['timezone', { timezone: 'Europe/Berlin' }, /UTC offset/],
    ['timezone', { timezone: '+15:00' }, /UTC offset/],
    ['charset', { charset: 'latin1' }, /utf8mb4/],
    ['bigint', { bigint: 'number' }, /'auto' or 'bigint' or 'string'/],
    ['dates', { dates: true }, /'date' or 'string'/],
    ['onConnect', { onConnect: 'SET NAMES utf8' }, /function/],
    ['sessionVariables', { sessionVariables: [] }, /object/],
    ['sessionVariables.sql_mode', { sessionVariables: { sql_mode: 'ANSI_QUOTES' } }, /ANSI_QUOTES/],
    ['sessionVariables.autocommit', { sessionVariables: { autocommit: 0 } }, /vipsql opens and ends/],
    ['pool', { pool: 10 }, /object/],
    ['pool.min', { pool: { max: 5, min: 6 } }, /above the max of 5/],
    ['pool.replica.min', { pool: { max: 5, replica: { min: 6 } } }, /above the max of 5/],
    ['pool.min', { pool: { min: 6, primary: { max: 4 } } }, /above the max of 4/],
    ['pool.primary.mx', { pool: { primary: { mx: 1 } } }, /did you mean `max`/],
    ['pool.primary.replica', { pool: { primary: { replica: {} } } }, /is not an option/],
    ['tcpTimeoutMs', { tcpTimeoutMs: 600, timeoutMs: 600 }, /below `timeoutMs`/],
    ['timeoutMs', { timeoutMs: 200 }, /above `tcpTimeoutMs` \(300 by default\)/],
    ['failover.heartbeatMs', { failover: { heartbeatMs: 20_000 } }, /below `timeoutMs`/],
    ['balance.policy', { balance: { policy: 'fastest' } }, /'p2c'/],
    ['balance.zone', { balance: { zone: 'b' }, replicas: [{ host: 'a', zone: 'a' }] }, /there are 'a'/],
    ['balance.zone', { balance: { zone: 'b' } }, /no replica has a `zone`/],
    ['fallback', { fallback: 'error' }, /without replicas/],
    ['fallback', { fallback: 'none', replicas: ['a'] }, /'primary' or 'error'/],
    ['primaryOnly', { primaryOnly: 'stock' }, /list/],
    ['primaryOnly[1]', { primaryOnly: ['a', '`b`'] }, /without quotes/],
    ['primaryOnly[0]', { primaryOnly: ['a.b.c'] }, /'schema.table'/],
    ['primaryOnly[0]', { primaryOnly: ['*'] }, /db.primary\(\)/],
    ['exactlyOnce', { exactlyOnce: true }, /object/],
    ['exactlyOnce.table', { exactlyOnce: { table: 'a.b.c' } }, /'shop.vipsql_commit'/],
    ['exactlyOnce.table', { exactlyOnce: { table: '`ids`' } }, /letters, digits/],
    ['lag.maxLagMs', { lag: { maxLagMs: 5 } }, /5 seconds are 5000/],
    ['lag.maxLagMs', { lag: { maxLagMs: 1_500 } }, /twice `lag.intervalMs` \(1000\)/],
    [
      'lag.maxLagMs',
      { lag: { maxLagMs: 5_000 }, replicas: ['r1', { host: 'lvs', balanced: true }] },
      /replicas\[1\], which is balanced/,
    ],
    ['lag.heartbeatTable', { lag: { heartbeatTable: 'a.b.c' } }, /'percona.heartbeat'/],
    ['lag.heartbeatTable', { lag: { heartbeatTable: 'beats' } }, /must name its schema/],
    [
      'lag.heartbeatTable',
      { primary: { host: 'vip', proxied: true }, lag: { heartbeatTable: 'a.b' } },
      /primary.proxied/,
    ],
    ['lag.writeHeartbeat', { lag: { writeHeartbeat: true } }, /without `lag.heartbeatTable`/],
    ['lag.maxLag', { lag: { maxLag: 5 } }, /did you mean `maxLagMs`/],
    ['maxLagMs', { maxLagMs: 5 }, /did you mean `lag.maxLagMs`/],
    ['exactlyOnce.isFenced', { exactlyOnce: { isFenced: true } }, /function/],
    ['exactlyOnce.retention', { exactlyOnce: { retention: 5 } }, /did you mean `retentionMs`/],
    ['connectionLimit', { connectionLimit: 10 }, /did you mean `pool.max`/],
    ['Replicas', { Replicas: [] }, /did you mean `replicas`/],
    ['timeout', { timeout: 5 }, /did you mean `timeoutMs`/],
    ['zzz', { zzz: 1 }, /there are `primary`/],
    ['constructor', { constructor: 1 }, /is not an option/],
  ])('%s of %o', (path, config, rule) => {
    expect(issuesOf({ ...base, ...config })).toEqual([
      { path, rule: expect.stringMatching(rule), received: expect.any(String) },
    ]);
  });

  it.each([undefined, null, 5, 'mysql://h', [], () => {}])('%o as the whole configuration', (config) => {
    expect(issuesOf(config)[0]).toMatchObject({ path: expect.stringMatching(/^(config|primary)$/) });
  });
});

describe('ConfigError', () => {
  it('names all mistakes at once, each path once', () => {
    const issues = issuesOf({
      pool: { max: 0, min: 'x' },
      timeoutMs: 1,
      replicas: ['a', 'a', {}],
      nope: 1,
      user: 3,
    });
    expect(issues.map(({ path }) => path).sort()).toEqual(
      ['nope', 'pool.max', 'pool.min', 'primary', 'replicas[1]', 'replicas[2]', 'timeoutMs', 'user'].sort(),
    );
  });

  it('has path, rule and value in its message', () => {
    expect(() => resolveConfig({ ...base, pool: { max: 0 } })).toThrow(
      'vipsql configuration: pool.max: must be a whole number from 1 to 10000 (received 0)',
    );
  });

  test.each<readonly [string, Record<string, unknown>]>([
    ['a password', { password: { value: 'hunter2' } }],
    ['a password that differs from the URL', { primary: 'mysql://shop:hunter2@h', password: 'hunter2!' }],
    ['a broken URL', { primary: 'mysql://shop:hun@ter2/hunter2@h:x' }],
    ['a URL of another kind', { primary: 'postgres://shop:hunter2@h' }],
    ['a URL with parameters', { primary: 'mysql://shop:hunter2@h?password=hunter2' }],
    ['an address with a login', { replicas: ['shop:hunter2@h'] }],
    ['the address of a master with a login', { masters: ['shop:hunter2@h'] }],
    ['the password of a replica', { replicas: [{ host: 'a', password: ['hunter2'] }] }],
    ['a misspelt password', { passwrod: 'hunter2', pasword: 'hunter2', db_pass: 'hunter2' }],
    ['a password under another name', { credentials: 'hunter2', foo: 'hunter2', bar: { baz: 'hunter2' } }],
    ['a password in the primary object', { primary: { host: 'h', password: 'hunter2' } }],
    ['a TLS key', { ssl: { key: { pem: 'hunter2' }, passphrase: ['hunter2'] } }],
    ['a list instead of a password', { replica: { password: ['hunter2', 'hunter2'] } }],
    ['a configuration in the place of another', { pool: ['x:hunter2@h', 'mysql://a:hunter2@h'] }],
  ])('does not show %s', (_, config) => {
    const issues = issuesOf({ ...base, ...config });
    expect(issues.length).toBeGreaterThan(0);
    expect(JSON.stringify(issues)).not.toContain('hunter2');
    expect(JSON.stringify(issues)).not.toContain('ter2');
  });

  it('is the only thing that is ever thrown', () => {
    const value = fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true });
    const names = [
      'primary',
      'replicas',
      'masters',
      'user',
      'password',
      'ssl',
      'pool',
      'balance',
      'sessionVariables',
      'primaryOnly',
      'replica',
    ];
    const config = fc.dictionary(fc.constantFrom(...names, 'timeoutMs', 'nope'), value);
    fc.assert(
      fc.property(config, (random) => {
        issuesOf({ ...base, ...random });
        issuesOf({ ...base, replicas: [random], masters: [random] });
        issuesOf({ ...base, primary: random });
      }),
      { numRuns: 300 },
    );
  });

  it('is thrown for any text that is no address, and never repeats what stands before its last @', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const issues = issuesOf({ ...base, primary: `mysql://shop:hunter2${text}@h` });
        expect(JSON.stringify(issues)).not.toContain('hunter2');
      }),
    );
  });
});
