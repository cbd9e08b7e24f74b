import { describe, expect, it, test } from 'vitest';
import { classifyFailure, type Failure, type FailureContext } from '../../../src/resilience/failures.ts';

interface ServerErrorParts {
  readonly message?: string;
  readonly code?: string;
  readonly fatal?: boolean;
}

/** An error as mysql2 makes it from an error packet. */
function serverError(errno: number, sqlState = 'HY000', parts: ServerErrorParts = {}): Error {
  const { message = `error ${errno}`, ...rest } = parts;
  return Object.assign(new Error(message), {
    errno,
    sqlState,
    sqlMessage: message,
    sql: "SELECT 'secret'",
    ...rest,
  });
}

function lineError(code: string | undefined, message = `read ${code}`): Error {
  return Object.assign(new Error(message), {
    fatal: true,
    ...(code === undefined ? {} : { code, errno: -104 }),
  });
}

const readOnlyMariadb =
  'The MariaDB server is running with the --read-only option so it cannot execute this statement';
const readOnlyMysql =
  'The MySQL server is running with the --super-read-only option so it cannot execute this statement';

type Verdict = Pick<Failure, 'kind' | 'outcome' | 'connection'>;

const verdict = (
  kind: Failure['kind'],
  outcome: Failure['outcome'],
  connection: Failure['connection'] = 'keep',
): Verdict => ({ kind, outcome, connection });

function context(over: Partial<FailureContext> = {}): FailureContext {
  return { vendor: 'mysql', phase: 'statement', sent: true, statement: 'single-write', ...over };
}

function judge(cause: unknown, over?: Partial<FailureContext>): Verdict {
  const { kind, outcome, connection } = classifyFailure(cause, context(over));
  return { kind, outcome, connection };
}

type Row = readonly [what: string, cause: unknown, over: Partial<FailureContext>, expected: Verdict];

const closedState = lineError(undefined, "Can't add new command when connection is in closed state");
const connect = { phase: 'connect', sent: false, vendor: undefined, statement: 'other' } as const;
const mariadb = { vendor: 'mariadb' } as const;

describe('the line to the server', () => {
  const lost = verdict('lost', 'unknown', 'destroy');
  const unsent = verdict('lost', 'not-executed', 'destroy');
  test.each<Row>([
    ['a reset line', lineError('ECONNRESET'), {}, lost],
    ['a reset line, unsent', lineError('ECONNRESET'), { sent: false }, unsent],
    ['a reset line while preparing', lineError('ECONNRESET'), { phase: 'prepare' }, unsent],
    ['a reset line under COMMIT', lineError('ECONNRESET'), { phase: 'commit', statement: 'other' }, lost],
    ['a broken pipe', lineError('EPIPE'), {}, lost],
    ['a retransmission time-out', lineError('ETIMEDOUT'), {}, lost],
    ['a host that went away', lineError('EHOSTUNREACH'), {}, lost],
    ['the end of the stream', lineError('PROTOCOL_CONNECTION_LOST'), {}, lost],
    ["mysql2's own time-out", lineError('PROTOCOL_SEQUENCE_TIMEOUT'), {}, lost],
    ['a packet out of order', lineError('PROTOCOL_PACKETS_OUT_OF_ORDER'), {}, lost],
    ['a connection that was closed before', closedState, { sent: false }, unsent],
    ['a destroyed socket', lineError('ERR_STREAM_DESTROYED'), { sent: false }, unsent],
    ['a shutdown', serverError(1053, '08S01'), {}, lost],
    ['a shutdown read before the statement was sent', serverError(1053, '08S01'), { sent: false }, unsent],
    ['a shutdown under a read', serverError(1053, '08S01'), { statement: 'read' }, lost],
    ['a killed session of MariaDB', serverError(1927, '70100'), mariadb, lost],
    ['a killed session of MySQL', serverError(3169, 'HY000'), {}, lost],
    ['an idle session of MySQL', serverError(4031, 'HY000'), { sent: false }, unsent],
    ['an unlisted error of class 08', serverError(1189, '08S01'), {}, lost],
  ])('%s', (_, cause, over, expected) => {
    expect(judge(cause, over)).toEqual(expected);
  });

  it('blames the driver for an error that nobody knows', () => {
    expect(judge(new TypeError('x is not a function'))).toEqual(verdict('driver', 'unknown', 'destroy'));
    expect(judge(new TypeError('x is not a function'), { sent: false })).toEqual(
      verdict('driver', 'not-executed', 'destroy'),
    );
  });

  it.each([undefined, null, 'text', 5, {}])('survives %o as a cause', (cause) => {
    expect(judge(cause)).toEqual(verdict('driver', 'unknown', 'destroy'));
  });
});

describe('connecting', () => {
  const failed = (kind: Failure['kind']): Verdict => verdict(kind, 'not-executed', 'destroy');
  test.each<readonly [string, unknown, Verdict]>([
    ['a closed port', lineError('ECONNREFUSED'), failed('connect')],
    ['a silent address', lineError('ETIMEDOUT', 'connect ETIMEDOUT'), failed('connect')],
    ['an unknown name', lineError('ENOTFOUND'), failed('connect')],
    ['a greeting that never ends', lineError('PROTOCOL_CONNECTION_LOST'), failed('connect')],
    ['a password provider that fails', new Error('vault is sealed'), failed('connect')],
    ['a shutdown', serverError(1053, '08S01'), failed('connect')],
    ['a wrong password', serverError(1045, '28000'), failed('access')],
    ['a missing database', serverError(1049, '42000'), failed('access')],
    ['a host without a grant', serverError(1130, 'HY000'), failed('access')],
    ['an account locked on MySQL', serverError(3118), failed('access')],
    ['an account locked on MariaDB', serverError(4151), failed('access')],
    ['a plugin that mysql2 does not have', lineError('AUTH_SWITCH_PLUGIN_ERROR'), failed('access')],
    ['an untrusted certificate', lineError('DEPTH_ZERO_SELF_SIGNED_CERT'), failed('tls')],
    ['a certificate of another host', lineError('ERR_TLS_CERT_ALTNAME_INVALID'), failed('tls')],
    ['an expired certificate', lineError('CERT_HAS_EXPIRED'), failed('tls')],
    ['a server without TLS', lineError('HANDSHAKE_NO_SSL_SUPPORT'), failed('tls')],
    ['too many connections', serverError(1040, '08004'), failed('overloaded')],
    ['too many connections of one user', serverError(1203, '42000'), failed('overloaded')],
    ['a spent resource limit', serverError(1226, '42000'), failed('overloaded')],
    ['a blocked host', serverError(1129), failed('host-blocked')],
    ['offline mode', serverError(3032), failed('offline')],
  ])('%s', (_, cause, expected) => {
    expect(judge(cause, connect)).toEqual(expected);
  });
});

describe('refusals', () => {
  const refused = verdict('read-only', 'not-executed', 'destroy');
  test.each<Row>([
    ['read_only of MariaDB', serverError(1290, 'HY000', { message: readOnlyMariadb }), mariadb, refused],
    ['super_read_only of MySQL', serverError(1290, 'HY000', { message: readOnlyMysql }), {}, refused],
    [
      '1290 for another option',
      serverError(1290, 'HY000', {
        message: 'The MySQL server is running with the --secure-file-priv option',
      }),
      { statement: 'read' },
      verdict('sql', 'statement-rolled-back'),
    ],
    [
      'read_only at COMMIT',
      serverError(1290, 'HY000', { message: readOnlyMysql }),
      { phase: 'commit', statement: 'other' },
      verdict('read-only', 'rolled-back', 'destroy'),
    ],
    [
      'read_only within a procedure',
      serverError(1290, 'HY000', { message: readOnlyMysql }),
      { statement: 'other' },
      verdict('read-only', 'unknown', 'destroy'),
    ],
    ['read-only mode', serverError(1836), {}, refused],
    ['InnoDB in read-only mode', serverError(1874), {}, refused],
    ['offline mode', serverError(3032), {}, verdict('offline', 'not-executed', 'destroy')],
    [
      'a Galera node that is not ready',
      serverError(1047, '08S01', { message: 'WSREP has not yet prepared node for application use' }),
      mariadb,
      verdict('offline', 'not-executed', 'destroy'),
    ],
    [
      'an unknown command',
      serverError(1047, '08S01', { message: 'Unknown command' }),
      {},
      verdict('sql', 'not-executed'),
    ],
    [
      'a write on our READ ONLY session',
      serverError(1792, '25006'),
      { readOnlySession: true },
      verdict('replica-read-only', 'not-executed'),
    ],
    [
      'a write on our READ ONLY session on a server that is read-only itself',
      serverError(1290, 'HY000', {
        message:
          'The MariaDB server is running with the --read-only option so it cannot execute this statement',
      }),
      { readOnlySession: true },
      verdict('replica-read-only', 'not-executed'),
    ],
    [
      'CALL on our READ ONLY session',
      serverError(1792, '25006'),
      { readOnlySession: true, statement: 'other' },
      verdict('replica-read-only', 'not-executed'),
    ],
    [
      "a write in the caller's own READ ONLY transaction",
      serverError(1792, '25006'),
      { inTransaction: true },
      verdict('sql', 'statement-rolled-back'),
    ],
    ['a server whose sessions begin READ ONLY', serverError(1792, '25006'), {}, refused],
  ])('%s', (_, cause, over, expected) => {
    expect(judge(cause, over)).toEqual(expected);
  });
});

describe('one DML statement', () => {
  const undone = (kind: Failure['kind']): Verdict => verdict(kind, 'statement-rolled-back');
  test.each<Row>([
    ['a deadlock', serverError(1213, '40001'), {}, verdict('deadlock', 'rolled-back')],
    ['an unlisted SQLSTATE 40', serverError(3999, '40000'), {}, verdict('deadlock', 'rolled-back')],
    ['a full lock table', serverError(1206), {}, verdict('deadlock', 'rolled-back')],
    ["MariaDB's snapshot isolation", serverError(1020), mariadb, verdict('deadlock', 'rolled-back')],
    ['1020 of MySQL', serverError(1020), {}, undone('sql')],
    ['a SIGNAL that borrows SQLSTATE 40001', serverError(1644, '40001'), {}, undone('sql')],
    ['a SIGNAL that borrows SQLSTATE 08000', serverError(1644, '08000'), {}, undone('sql')],
    ['a lock wait time-out', serverError(1205), {}, undone('lock-timeout')],
    ['NOWAIT on MySQL', serverError(3572), {}, undone('lock-timeout')],
    ['3572 on MariaDB', serverError(3572), mariadb, undone('sql')],
    ['a temporary error of the engine', serverError(1297), {}, undone('transient')],
    ['a duplicate key', serverError(1062, '23000'), {}, undone('duplicate-key')],
    ['a duplicate named key', serverError(1586, '23000'), {}, undone('duplicate-key')],
    ['a missing table', serverError(1146, '42S02'), {}, undone('sql')],
    ['a syntax error', serverError(1064, '42000'), {}, verdict('sql', 'not-executed')],
    ['a killed statement by itself', serverError(1317, '70100'), {}, verdict('killed', 'rolled-back')],
    [
      'a killed statement in a transaction',
      serverError(1317, '70100'),
      { inTransaction: true },
      undone('killed'),
    ],
    [
      'a statement that we killed',
      serverError(1317, '70100'),
      { killedByUs: true },
      verdict('killed', 'rolled-back'),
    ],
    [
      'another error while our KILL is under way',
      serverError(1062, '23000'),
      { killedByUs: true },
      verdict('duplicate-key', 'statement-rolled-back', 'destroy'),
    ],
    ['max_execution_time of MySQL', serverError(3024), {}, undone('killed')],
    ['max_statement_time of MariaDB', serverError(1969, '70100'), mariadb, undone('killed')],
    ['4031 of MariaDB, a missing trigger', serverError(4031), mariadb, undone('sql')],
    ['3024 of MariaDB', serverError(3024), mariadb, undone('sql')],
    ['1969 of MySQL', serverError(1969), {}, undone('sql')],
    [
      'a packet too large',
      serverError(1153, '08S01'),
      {},
      verdict('sql', 'statement-rolled-back', 'destroy'),
    ],
    ['a commit that failed half-way', serverError(1180), {}, verdict('commit-failed', 'unknown', 'destroy')],
    [
      'any error while preparing',
      serverError(1146, '42S02'),
      { phase: 'prepare' },
      verdict('sql', 'not-executed'),
    ],
    [
      'a fatal error',
      serverError(1146, '42S02', { fatal: true }),
      {},
      verdict('sql', 'statement-rolled-back', 'destroy'),
    ],
  ])('%s', (_, cause, over, expected) => {
    expect(judge(cause, over)).toEqual(expected);
  });
});

describe('CALL, DDL and unrecognised text', () => {
  const other = { statement: 'other' } as const;
  test.each<Row>([
    ['a SIGNAL of a procedure', serverError(1644, '45000'), other, verdict('sql', 'unknown', 'destroy')],
    ['a lock wait time-out', serverError(1205), other, verdict('lock-timeout', 'unknown', 'destroy')],
    ['a deadlock', serverError(1213, '40001'), other, verdict('deadlock', 'unknown', 'destroy')],
    ['a kill', serverError(1317, '70100'), other, verdict('killed', 'unknown', 'destroy')],
    [
      'a syntax error, which may be that of dynamic SQL',
      serverError(1064, '42000'),
      other,
      verdict('sql', 'unknown', 'destroy'),
    ],
    [
      'a syntax error while preparing',
      serverError(1064, '42000'),
      { ...other, phase: 'prepare' },
      verdict('sql', 'not-executed'),
    ],
    [
      'an error of a statement that was not sent',
      serverError(1146),
      { ...other, sent: false },
      verdict('sql', 'not-executed'),
    ],
  ])('%s', (_, cause, over, expected) => {
    expect(judge(cause, over)).toEqual(expected);
  });
});

describe('COMMIT', () => {
  const commit = { phase: 'commit', statement: 'other' } as const;
  test.each<Row>([
    ['a certification conflict', serverError(1213, '40001'), commit, verdict('deadlock', 'rolled-back')],
    ['a group that refused it', serverError(3101, '40000'), commit, verdict('deadlock', 'rolled-back')],
    ['a failed hook', serverError(3100), commit, verdict('commit-failed', 'unknown', 'destroy')],
    ['an error during commit', serverError(1180), commit, verdict('commit-failed', 'unknown', 'destroy')],
    ['a kill', serverError(1317, '70100'), commit, verdict('killed', 'unknown', 'destroy')],
    ['any other error', serverError(1105), commit, verdict('sql', 'unknown', 'destroy')],
    [
      'a COMMIT that was not sent',
      lineError('ECONNRESET'),
      { ...commit, sent: false },
      verdict('lost', 'not-executed', 'destroy'),
    ],
  ])('%s', (_, cause, over, expected) => {
    expect(judge(cause, over)).toEqual(expected);
  });
});

describe('what is kept of the cause', () => {
  it("keeps the cause itself and takes mysql2's sql, which contains values, out of it", () => {
    const cause = serverError(1062, '23000', { code: 'ER_DUP_ENTRY' });
    const failure = classifyFailure(cause, context());
    expect(failure.cause).toBe(cause);
    expect(cause).not.toHaveProperty('sql');
    expect(failure).toMatchObject({
      errno: 1062,
      sqlState: '23000',
      reason: 'ER_DUP_ENTRY',
      message: 'error 1062',
    });
  });

  it('gives errors of the line no number', () => {
    const failure = classifyFailure(lineError('ECONNRESET'), context());
    expect(failure.reason).toBe('ECONNRESET');
    expect(failure).not.toHaveProperty('errno');
  });

  it.each([
    ['mysql', 4031, 'ER_CLIENT_INTERACTION_TIMEOUT', 'ER_CLIENT_INTERACTION_TIMEOUT'],
    ['mariadb', 4031, 'ER_CLIENT_INTERACTION_TIMEOUT', undefined],
    ['mariadb', 1969, undefined, 'ER_STATEMENT_TIMEOUT'],
    ['mariadb', 1146, 'ER_NO_SUCH_TABLE', 'ER_NO_SUCH_TABLE'],
  ] as const)('on %s names %i, which mysql2 calls %s, %s', (vendor, errno, code, reason) => {
    const failure = classifyFailure(
      serverError(errno, 'HY000', code === undefined ? {} : { code }),
      context({ vendor }),
    );
    expect(failure.reason).toBe(reason);
  });
});
