import { EventEmitter } from 'node:events';
import type { ClusterEvents, EventListener, EventName } from './events.ts';

/** Hands events to listeners; a listener that throws becomes a process warning and disturbs nobody else. */
export class ClusterEmitter {
  readonly #emitter = new EventEmitter();

  emit<E extends EventName>(name: E, event: ClusterEvents[E]): void {
    for (const listener of this.#emitter.rawListeners(name)) {
      try {
        (listener as EventListener<E>).call(undefined, event);
      } catch (error) {
        process.emitWarning(error instanceof Error ? error : new Error(String(error)));
      }
    }
  }

  on<E extends EventName>(name: E, listener: EventListener<E>): void {
    this.#emitter.on(name, listener);
  }

  once<E extends EventName>(name: E, listener: EventListener<E>): void {
    this.#emitter.once(name, listener);
  }

  off<E extends EventName>(name: E, listener: EventListener<E>): void {
    this.#emitter.off(name, listener);
  }

  removeAll(): void {
    this.#emitter.removeAllListeners();
  }
}
