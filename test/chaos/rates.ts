/** How much a worker does, per second; operations start on time, however long earlier ones take. */
export interface Rates {
  readonly events: number;
  readonly counters: number;
  readonly transfers: number;
  /** Transfers that are to be done once; clients that do not promise that do none of them. */
  readonly onceTransfers: number;
  /** The same by key; each worker calls each key twice. */
  readonly keyedTransfers: number;
  readonly primaryReads: number;
  readonly replicaReads: number;
  /** Whether transactions with a pause in the middle run all the time, one after another. */
  readonly longTransfers: boolean;
}

/** 20 writes a second, and reads beside them. */
export const standardRates: Rates = {
  events: 20,
  counters: 2,
  transfers: 4,
  onceTransfers: 6,
  keyedTransfers: 2,
  primaryReads: 5,
  replicaReads: 20,
  longTransfers: true,
};

/** What every client can be asked to do. */
export const peerRates: Rates = { ...standardRates, onceTransfers: 0, keyedTransfers: 0 };

/** Nothing at all. */
export const idleRates: Rates = {
  events: 0,
  counters: 0,
  transfers: 0,
  onceTransfers: 0,
  keyedTransfers: 0,
  primaryReads: 0,
  replicaReads: 0,
  longTransfers: false,
};
