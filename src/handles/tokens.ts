import type { ResolvedConfig } from '../config/types.ts';
import { afterWrite, type Floor, noFloor } from '../consistency/floor.ts';
import { BrokenToken, readToken, writeToken } from '../consistency/token.ts';
import { InvalidTokenError } from '../errors/errors.ts';
import type { Answer } from '../pool/command.ts';

/** Makes and reads the tokens of one cluster. */
export class Tokens {
  readonly #settings: ResolvedConfig['tokens'];

  constructor(settings: ResolvedConfig['tokens']) {
    this.#settings = settings;
  }

  /** `undefined` when there is nothing to carry. */
  write(floor: Floor): string | undefined {
    return writeToken(floor, this.#settings.secret);
  }

  /** The token of one write; `undefined` when the server has not told its position. */
  ofWrite({ vendor, position }: Pick<Answer, 'vendor' | 'position'>): string | undefined {
    if (position === undefined) return undefined;
    const floor = afterWrite(noFloor, vendor, position);
    return floor.isUnknown ? undefined : this.write(floor);
  }

  /** What a token asks for. @throws {@link InvalidTokenError}, unless such tokens are to be ignored. */
  read(token: string | undefined): Floor {
    if (token === undefined) return noFloor;
    try {
      return readToken(token, this.#settings.secret, performance.now());
    } catch (error) {
      if (!(error instanceof BrokenToken)) throw error;
      if (this.#settings.onInvalid === 'ignore') return noFloor;
      throw new InvalidTokenError(
        `The session token cannot be used: ${error.message}. Nothing was sent. Look for another tokens.secret where it ` +
          "was made, or for somebody who has changed it; tokens.onInvalid: 'ignore' goes on without it.",
      );
    }
  }
}
