import { EventEmitter } from 'node:events';
import CircuitBreaker from 'opossum';
import type { ResolvedConfig } from '../config/types.ts';

/** The parts of the window; the oldest is dropped as a whole. */
const buckets = 10;

/** Moves the windows of all breakers of a cluster on with one timer. Runs until {@link stop}. */
export class BreakerClock {
  readonly rotation: EventEmitter = new EventEmitter().setMaxListeners(0);
  readonly #timer: NodeJS.Timeout;

  constructor(windowMs: number) {
    this.#timer = setInterval(() => this.rotation.emit('rotate'), windowMs / buckets);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

export interface BreakerOptions {
  readonly name: string;
  readonly settings: ResolvedConfig['breaker'];
  readonly clock: BreakerClock;
  readonly onOpen: () => void;
  readonly onClose: () => void;
}

type Circuit = CircuitBreaker<[failed: boolean], void>;

const answered = Promise.resolve();

/**
 * The circuit breaker of one server: closed, it counts how reads end; open, nobody reads; half-open, only the
 * monitor's probe decides. It tells and does not run anything itself.
 *
 * opossum keeps the window and the state, and is told of a read only once that has ended. Handed the read itself, it
 * would take the late success of one begun before it opened for the success of its own trial and close
 * (opossum #381, #382). Its percentiles and snapshots are off: they cost up to 10 ms per failure. Successes are counted
 * here and entered into its window in one go: fired one by one they would cost a microsecond or two for each read.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  #circuit: Circuit;
  /** Rises whenever what began before says nothing about what comes. */
  #period = 0;
  /** Successes of this period that are not in the window yet. */
  #successes = 0;

  constructor(options: BreakerOptions) {
    this.#options = options;
    this.#circuit = this.#createCircuit();
    options.clock.rotation.prependListener('rotate', this.#enterSuccesses);
  }

  get closed(): boolean {
    return this.#circuit.closed;
  }

  /** Marks the beginning of a read; its end is told with the same number. */
  get period(): number {
    return this.#period;
  }

  /** A read that began in `period` was answered. */
  succeeded(period: number): void {
    if (period === this.#period) this.#successes += 1;
  }

  /** A read that began in `period` found no connection, lost it, or was not answered in time. */
  failed(period: number): void {
    if (period !== this.#period || !this.#circuit.closed) return;
    this.#enterSuccesses();
    this.#report(true);
  }

  /** The monitor's probe was answered: closes the breaker if it is half-open. */
  probeSucceeded(): void {
    if (this.#circuit.halfOpen) this.#report(false);
  }

  /** Starts anew, closed and with nothing counted: another server, or another life of the same one. */
  reset(): void {
    this.#circuit.shutdown();
    this.#beginPeriod();
    this.#circuit = this.#createCircuit();
  }

  /** Ends its timer; it is of no use afterwards. */
  stop(): void {
    this.#options.clock.rotation.off('rotate', this.#enterSuccesses);
    this.#circuit.shutdown();
  }

  #beginPeriod(): void {
    this.#period += 1;
    this.#successes = 0;
  }

  /** Into the newest part of the window, before that moves on or a failure is judged by it. */
  readonly #enterSuccesses = (): void => {
    const [newest] = this.#circuit.status.window;
    if (newest === undefined) return;
    newest.fires += this.#successes;
    newest.successes += this.#successes;
    this.#successes = 0;
  };

  #report(failed: boolean): void {
    this.#circuit.fire(failed).catch(() => {
      // The failure was made for opossum to count.
    });
  }

  #createCircuit(): Circuit {
    const { name, settings, clock, onOpen, onClose } = this.#options;
    const circuit: Circuit = new CircuitBreaker(
      (failed: boolean) => (failed ? Promise.reject(new ReadFailed()) : answered),
      {
        name,
        timeout: false,
        // opossum opens above the percentage; the option names the share that opens.
        errorThresholdPercentage: (settings.errorRate - Number.EPSILON) * 100,
        volumeThreshold: settings.minimumReads,
        rollingCountTimeout: settings.windowMs,
        rollingCountBuckets: buckets,
        resetTimeout: settings.resetMs,
        rollingPercentilesEnabled: false,
        enableSnapshots: false,
        rotateBucketController: clock.rotation,
      },
    );
    circuit.on('open', () => {
      this.#beginPeriod();
      onOpen();
    });
    circuit.on('close', () => {
      // Failures from before would open it again at the first new one.
      this.reset();
      onClose();
    });
    return circuit;
  }
}

class ReadFailed {
  readonly code = 'READ_FAILED';
}
