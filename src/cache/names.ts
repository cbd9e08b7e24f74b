import { hash, randomBytes } from 'node:crypto';
import type { SeenRecord } from './store.ts';

/** Where the records of a cluster lie. */
export class RecordNames {
  readonly #namespace: string;

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  entry(key: string): string {
    return `vipsql:${this.#namespace}:e:${key}`;
  }

  /** How long processes serve copies of values. */
  get copies(): string {
    return `vipsql:${this.#namespace}:c`;
  }

  /** Begins a new generation when the cache is cleared. */
  get everything(): string {
    return `vipsql:${this.#namespace}:a`;
  }

  /** A table as `TableTags` names it. */
  table(name: string): string {
    return `vipsql:${this.#namespace}:b:${name}`;
  }

  tag(tag: string): string {
    return `vipsql:${this.#namespace}:t:${tag}`;
  }
}

/** What nobody else comes up with. */
export function newId(): string {
  return randomBytes(9).toString('base64url');
}

/** A short text that stands for the parts. */
export function fingerprint(parts: readonly string[]): string {
  const text = parts.map((part) => `${part.length}:${part}`).join('');
  return hash('sha256', text, 'base64url').slice(0, 24);
}

/** Stands with a value for which value it is and what its tags were; a value with another one is not the one asked for. */
export function proofOf(what: string, tagGens: readonly string[]): string {
  return tagGens.length === 0 ? what : `${what},${tagGens.join(',')}`;
}

/** The generations of an entry and its tags; `undefined` unless all of them are known in this era. */
export function generationsOf(
  records: readonly (SeenRecord | undefined)[],
  era: string,
): readonly string[] | undefined {
  const gens = records.flatMap((record) => (record?.era === era ? [record.gen] : []));
  return gens.length === records.length ? gens : undefined;
}
