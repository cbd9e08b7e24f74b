export type { CacheStatus, FillRejection } from './cache/stats.ts';
export {
  type CloseOptions,
  type Cluster,
  type ClusterStatus,
  createCluster,
  type ReadyOptions,
} from './cluster.ts';
export type {
  CachedCallOptions,
  CachedHandleOptions,
  CachedOptions,
  CacheReadOptions,
} from './config/cached-options.ts';
export type {
  CallOptions,
  Consistency,
  IsolationLevel,
  KeyedTransactionOptions,
  PrimaryOptions,
  ReplicaOptions,
  RowSchema,
  RowVerdict,
  SchemaOption,
  SessionOptions,
  TransactionOptions,
} from './config/call-options.ts';
export type { InvalidationTargets } from './config/invalidation-targets.ts';
export type { MemcachedTarget } from './config/memcached-target.ts';
export type {
  NatMap,
  RedisClient,
  RedisClusterClient,
  RedisClusterOptions,
  RedisNode,
  RedisOptions,
  RedisTarget,
} from './config/redis-target.ts';
export type {
  Address,
  AddressObject,
  CacheConfig,
  ClusterConfig,
  ConnectingSession,
  L1Config,
  LostServer,
  Password,
  PoolConfig,
  PrimaryAddress,
  ReplicaAddress,
  ReplicaAddressObject,
  ReplicaDnsObject,
  ReplicaSettings,
  SessionVariableValue,
  Tls,
  TlsOptions,
} from './config/types.ts';
export {
  AbortedError,
  CacheInvalidationError,
  ClosedError,
  ConfigError,
  type ConfigIssue,
  ConnectError,
  ConnectionLostError,
  DeadlockError,
  DuplicateKeyError,
  type ErrorCode,
  type ErrorFacts,
  ExactlyOnceError,
  type ExactlyOnceProblem,
  errorCodes,
  ImplicitCommitError,
  InDoubtError,
  InvalidTokenError,
  LockTimeoutError,
  type MissingProof,
  NoReplicaError,
  type Outcome,
  OutsideTransactionError,
  ParameterError,
  PrimaryRequiredError,
  PrimaryUnavailableError,
  QueryKilledError,
  QueueFullError,
  ReadOnlyServerError,
  ReplicaReadOnlyError,
  RowCountError,
  RowSchemaError,
  type ServerErrorFacts,
  SessionStateError,
  SqlError,
  TimeoutError,
  TransactionClosedError,
  TwoWritersError,
  UnsafeEscapingError,
  UnsafeIntegerError,
  VipsqlError,
  type WaitPhase,
} from './errors/errors.ts';
export type { AutoHandle } from './handles/auto-handle.ts';
export type { CacheHandle, CacheSource, InvalidationResult } from './handles/cache-handle.ts';
export type { CachedHandle } from './handles/cached-handle.ts';
export type { Query } from './handles/call.ts';
export type { KeyedResult } from './handles/once.ts';
export type { PinnedConnection } from './handles/pinned-connection.ts';
export type { PrimaryHandle } from './handles/primary-handle.ts';
export type { ReplicaHandle } from './handles/replica-handle.ts';
export type { Field, ResultInfo, RowReader } from './handles/row-reader.ts';
export type { DefaultRow, QueryOf, RowShapes } from './handles/row-shapes.ts';
export type { RowStream } from './handles/row-stream.ts';
export type { CallResult, ExecuteResult, RowWriter } from './handles/row-writer.ts';
export type { Snapshot } from './handles/snapshot.ts';
export type { Transaction } from './handles/transaction.ts';
export type { ClusterEvents, EventListener, EventName, InterruptionReason } from './observe/events.ts';
export type { ConsistencyStatus } from './routing/fresh-reads.ts';
export type { InsertId } from './rows/insert-id.ts';
export type { SqlFragment } from './sql/fragment.ts';
export type { ReadSql } from './sql/read-sql.ts';
export { type SqlPart, type SqlRow, type SqlTag, sql } from './sql/tag.ts';
export type { SqlParams, SqlScalar, SqlValue } from './sql/value.ts';
export type { MasterStatus } from './topology/master-status.ts';
export type { PrimaryStatus } from './topology/primary.ts';
export type { ReplicaStateKind, ReplicaStatus } from './topology/replica-status.ts';
