import type { Acknowledgement, Client, ClientFailure } from '../client.ts';

/** What other libraries' clients have in common: they promise no deadline, and their errors say no outcome. */
export function peerClient(methods: Pick<Client, 'execute' | 'transaction' | 'read' | 'close'>): Client {
  return {
    deadlines: { statementMs: undefined, transactionMs: undefined },
    ready: async () => {
      await methods.read('primary', 'SELECT 1', []);
    },
    describe: describePeerError,
    onNotice: () => {},
    ...methods,
  };
}

/** A success that knows nothing of epochs. */
export const done: Acknowledgement = { epoch: undefined };

/** `localhost:3306` as two options. */
export function hostAndPort(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}

/** The next of a list, again and again. */
export function inTurn<T>(choices: readonly T[]): () => T {
  let turn = 0;
  return () => {
    const choice = choices[turn % choices.length];
    turn += 1;
    if (choice === undefined) throw new RangeError('nothing to take turns with');
    return choice;
  };
}

function describePeerError(error: unknown): ClientFailure {
  const { code, message } = error as { code?: string; message?: string };
  return { code: code ?? 'no code', outcome: 'unknown', message: message ?? String(error), epoch: undefined };
}
