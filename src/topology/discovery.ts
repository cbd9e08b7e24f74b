import { lookup } from 'node:dns/promises';

/** Finds all addresses of a name. */
export type Resolve = (name: string) => Promise<readonly string[]>;

export interface DiscoveryOptions {
  readonly dns: string;
  readonly refreshMs: number;
  readonly resolve?: Resolve;
  /** Told of every answer, also when it is the same as before. */
  readonly onAddresses: (addresses: ReadonlySet<string>) => void;
  /** The name could not be resolved; what was known stays. */
  readonly onFailed: (message: string) => void;
}

/** Refreshes of many processes must not fall together. */
const jitter = 0.1;

/** After a failure the name is tried again this soon; the pause doubles up to the refresh interval. */
const firstRetryMs = 1_000;

/** As the rest of the machine resolves it: `/etc/hosts` and the system's resolver, IPv4 and IPv6. */
const lookupAll: Resolve = async (name) => (await lookup(name, { all: true })).map(({ address }) => address);

/** Resolves one name again and again, at jittered intervals, until it is stopped. */
export class Discovery {
  readonly #options: DiscoveryOptions;
  #timer: NodeJS.Timeout | undefined;
  #retryMs = firstRetryMs;
  #pending = true;
  #stopped = false;

  constructor(options: DiscoveryOptions) {
    this.#options = options;
  }

  /** The first look-up has not ended. */
  get pending(): boolean {
    return this.#pending;
  }

  start(): void {
    void this.#refresh();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #refresh(): Promise<void> {
    const { dns, refreshMs, resolve = lookupAll, onAddresses, onFailed } = this.#options;
    let waitMs = refreshMs;
    let tell: () => void;
    try {
      const addresses = new Set(await resolve(dns));
      if (addresses.size === 0) throw new Error(`${dns} has no addresses`);
      this.#retryMs = firstRetryMs;
      tell = () => onAddresses(addresses);
    } catch (error) {
      waitMs = Math.min(this.#retryMs, refreshMs);
      this.#retryMs = Math.min(this.#retryMs * 2, refreshMs);
      tell = () => onFailed(error instanceof Error ? error.message : String(error));
    }
    if (this.#stopped) return;
    this.#pending = false;
    this.#timer = setTimeout(() => void this.#refresh(), waitMs * (1 + jitter * (2 * Math.random() - 1)));
    tell();
  }
}
