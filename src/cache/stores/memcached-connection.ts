import { connect, type Socket } from 'node:net';
import type { MemcachedPlace } from '../../config/memcached-target.ts';
import { StoreRefused } from '../store.ts';
import { flagOf, type MemcachedReply, ReplyReader } from './memcached-replies.ts';

export interface ConnectionListener {
  onOpen(): void;
  /** Nothing is asked or answered any more. */
  onEnd(reason: string): void;
}

/** What was asked, and the answers that have come. */
interface Question {
  /** The first answer has this number, the next one the next; `undefined` for a list, which ends with `END`. */
  readonly number: number | undefined;
  readonly wanted: number;
  readonly replies: MemcachedReply[];
  readonly resolve: (replies: readonly MemcachedReply[]) => void;
  readonly reject: (error: Error) => void;
}

const crlf = Buffer.from('\r\n');

/**
 * One connection to one memcached, in its meta commands. What is asked is sent at once; answers come in the order of the
 * questions, and carry their numbers. Whatever is not answered when it ends is rejected.
 */
export class MemcachedConnection {
  readonly #socket: Socket;
  readonly #listener: ConnectionListener;
  readonly #reader = new ReplyReader();
  readonly #questions: Question[] = [];
  #number = 0;
  #endedBecause: string | undefined;

  constructor({ host, port }: MemcachedPlace, listener: ConnectionListener) {
    this.#listener = listener;
    this.#socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 10_000 });
    this.#socket.on('connect', () => listener.onOpen());
    this.#socket.on('data', (piece) => this.#hear(piece));
    this.#socket.on('error', ({ message, code }: NodeJS.ErrnoException) => this.end(message || `${code}`));
    this.#socket.on('close', () => this.end('the connection to memcached was closed'));
  }

  /** Commands without a value; the answers in their order. Rejects with what memcached refuses. */
  ask(commands: readonly string[]): Promise<readonly MemcachedReply[]> {
    if (commands.length === 0) return Promise.resolve([]);
    const number = this.#number;
    this.#number += commands.length;
    let text = '';
    for (const [index, command] of commands.entries()) text += `${command} O${number + index}\r\n`;
    return this.#question(number, commands.length, () => this.#socket.write(text, 'latin1'));
  }

  /** A command that brings a value. */
  async store(command: string, value: Buffer): Promise<MemcachedReply> {
    const number = this.#number;
    this.#number += 1;
    const [reply] = await this.#question(number, 1, () => {
      this.#socket.cork();
      this.#socket.write(`${command} O${number}\r\n`, 'latin1');
      this.#socket.write(value);
      this.#socket.write(crlf);
      this.#socket.uncork();
    });
    return reply as MemcachedReply;
  }

  /** What memcached says of itself, by name. */
  async list(command: string): Promise<ReadonlyMap<string, string>> {
    const replies = await this.#question(undefined, 0, () => this.#socket.write(`${command}\r\n`));
    return new Map(
      replies.map(({ rest }) => {
        const space = rest.indexOf(' ');
        return [rest.slice(0, space), rest.slice(space + 1)];
      }),
    );
  }

  /** Does nothing when it has ended. */
  end(reason: string): void {
    if (this.#endedBecause !== undefined) return;
    this.#endedBecause = reason;
    this.#socket.destroy();
    for (const { reject } of this.#questions.splice(0)) reject(new Error(reason));
    this.#listener.onEnd(reason);
  }

  #question(
    number: number | undefined,
    wanted: number,
    send: () => void,
  ): Promise<readonly MemcachedReply[]> {
    return new Promise((resolve, reject) => {
      if (this.#endedBecause !== undefined) {
        reject(new Error(this.#endedBecause));
        return;
      }
      this.#questions.push({ number, wanted, replies: [], resolve, reject });
      send();
    });
  }

  #hear(piece: Buffer): void {
    try {
      for (const reply of this.#reader.read(piece)) this.#answer(reply);
    } catch (error) {
      this.end(error instanceof Error ? error.message : String(error));
    }
  }

  /** @throws when it is no answer to what was asked: nothing on this connection can be believed any more. */
  #answer(reply: MemcachedReply): void {
    const [question] = this.#questions;
    if (question === undefined || !fits(reply, question)) {
      throw new Error(`memcached said '${reply.code} ${reply.rest}'`);
    }
    const { number, wanted, replies } = question;
    const isLast = number === undefined ? reply.code === 'END' : replies.length + 1 === wanted;
    if (reply.code !== 'END') replies.push(reply);
    if (!isLast) return;
    this.#questions.shift();
    const refused = replies.find(({ code }) => code === 'SERVER_ERROR');
    if (refused === undefined) question.resolve(replies);
    else question.reject(new StoreRefused(`memcached refuses: ${refused.rest}`));
  }
}

function fits(reply: MemcachedReply, { number, replies }: Question): boolean {
  if (number === undefined) return reply.code === 'STAT' || reply.code === 'END';
  return reply.code === 'SERVER_ERROR' || flagOf(reply, 'O') === String(number + replies.length);
}
