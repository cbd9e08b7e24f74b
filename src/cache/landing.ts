import type { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import { interruptedWait } from '../resilience/interruption.ts';

/** Waits for work that goes on without this caller. */
export function landing<T>(work: Promise<T>, deadline: Deadline): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = deadline.onInterrupt((interruption) => {
      reject(new Failed(interruptedWait(interruption, 'answer', 'the value was still being loaded')));
    });
    work.then(resolve, reject).finally(cancel);
  });
}
