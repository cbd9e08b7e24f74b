import type { LabAddress } from '../lab.ts';

/** What the relay does with new connections: pass them to a server, refuse them, or leave their SYN unanswered. */
export type Door =
  | { readonly kind: 'forward'; readonly target: LabAddress }
  | { readonly kind: 'refuse' }
  | { readonly kind: 'silent' };

/**
 * What the relay does with established connections. `reset` and `abandon` are for good: the client gets a RST or
 * nothing more, and the server is not told. `silence` can be taken back by `resume`. `forget` closes abandoned ones.
 */
export type OnConnections = 'reset' | 'abandon' | 'silence' | 'resume' | 'forget';

/** What the lab tells the relay process; both parts take effect together. */
export interface RelayCommand {
  readonly connections?: OnConnections;
  readonly door?: Door;
}

/** A numbered command. */
export interface RelayRequest {
  readonly id: number;
  readonly command: RelayCommand;
}

/** The answer to the request of that number. */
export interface RelayReply {
  readonly id: number;
  readonly error?: string;
}
