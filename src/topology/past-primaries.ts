import { type Identity, type ServerFacts, sameIdentity } from '../pool/identity.ts';

/** Every server that has been the primary in an earlier epoch, each as it was in its last time. */
export class PastPrimaries {
  #pasts: readonly ServerFacts[] = [];

  add(past: ServerFacts): void {
    this.#pasts = [...this.except(past.identity), past];
  }

  of(identity: Identity): ServerFacts | undefined {
    return this.#pasts.find((past) => sameIdentity(past.identity, identity));
  }

  /** All but one, which is the primary now. */
  except(identity: Identity): readonly ServerFacts[] {
    return this.#pasts.filter((past) => !sameIdentity(past.identity, identity));
  }
}
