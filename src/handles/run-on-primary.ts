import type { CallOptions } from '../config/call-options.ts';
import type { Answer } from '../pool/command.ts';
import type { Connection } from '../pool/connection.ts';
import { Deadline } from '../resilience/deadline.ts';
import type { Begun } from './begin.ts';
import { type Call, isUnbounded, operationOf, refuseSessionState, refuseTransactionControl } from './call.ts';
import type { Pump } from './row-stream.ts';
import type { Services } from './services.ts';
import { answeredFor, seenBy } from './session.ts';
import { type AttemptTrace, withRetries } from './with-retries.ts';

/** Runs one statement on the primary, again where the outcome table allows. */
export function runOnPrimary(
  services: Services,
  begun: Begun,
  call: Call,
  options: CallOptions | undefined,
): Promise<Answer> {
  const use = useFor(services, begun, call, options);
  const answerBy = answerDeadline(begun, call, options);
  return answeredFor(services.sessions.current, () =>
    use((connection) => connection.run(call.command, answerBy)),
  );
}

/** Runs the statement of a stream on the primary. A lost connection is made good only before the first row. */
export function pumpOnPrimary(
  services: Services,
  begun: Begun,
  call: Call,
  options: CallOptions | undefined,
): Pump {
  const use = useFor(services, begun, call, options);
  const session = services.sessions.current;
  return (pump) => seenBy(session, () => use(pump));
}

/** Until when the answer is waited for: a table that is built or rebuilt takes as long as it takes. */
export function answerDeadline(
  { deadline }: Begun,
  { statement }: Call,
  options: CallOptions | undefined,
): Deadline {
  const hasLimit = options?.timeoutMs !== undefined || !isUnbounded(statement);
  return hasLimit ? deadline : new Deadline(Number.POSITIVE_INFINITY, options?.signal);
}

/** Refuses what a handle may not run, and gives what borrows a connection for the rest, with its retries. */
function useFor(
  services: Services,
  { deadline }: Begun,
  call: Call,
  options: CallOptions | undefined,
): <T>(run: (connection: Connection) => Promise<T>) => Promise<T> {
  refuseTransactionControl(call.statement);
  refuseSessionState(call.statement);
  const operation = operationOf(call);
  const attempt = { role: 'primary', operation, idempotent: options?.idempotent === true, deadline } as const;
  return (run) =>
    withRetries(services, attempt, (trace) =>
      services.primary.use(
        deadline,
        (connection) => {
          note(trace, connection);
          return run(connection);
        },
        operation === 'read',
      ),
    );
}

function note(trace: AttemptTrace, { endpointName, epoch }: Connection): void {
  trace.server = endpointName;
  trace.epoch = epoch;
}
