import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Floor, isNoFloor, noFloor, type SeenServer, withPosition } from './floor.ts';
import { parsePosition } from './parse-position.ts';
import { InvalidPositionError, type Position } from './position.ts';
import { withoutGaps } from './without-gaps.ts';

/** The longest token that is made, in characters: it fits into a cookie beside others. */
export const maxTokenLength = 1_024;

/** Much longer than any token: what is longer is not looked at. */
const maxReadLength = 4_096;

/** More servers than that in one token leave the primary. */
const maxSeen = 4;

const shape = /^v1\.([A-Za-z0-9_-]+)(?:\.([A-Za-z0-9_-]{43}))?$/;

/** A text is no token, or not one of ours; the message says why. */
export class BrokenToken extends Error {
  override readonly name = 'BrokenToken';
}

/** The secrets that tokens are signed with: the first signs, all are accepted. None: tokens are not signed. */
export type TokenSecrets = readonly string[];

/**
 * Writes a floor as a text that any process can read again: what was written, and which servers were read. A position
 * that would make it longer than {@link maxTokenLength} is left out in favour of "only the primary has it".
 */
export function writeToken(floor: Floor, secrets: TokenSecrets): string | undefined {
  if (isNoFloor(floor)) return undefined;
  const token = sealed(payloadOf(floor), secrets);
  return token.length <= maxTokenLength ? token : sealed(payloadOf({ ...noFloor, isUnknown: true }), secrets);
}

/**
 * Reads a token. What it says was read counts as read at `now`, by `performance.now()`.
 *
 * @throws {@link BrokenToken} for anything that {@link writeToken} has not made with one of the secrets.
 */
export function readToken(token: unknown, secrets: TokenSecrets, now: number): Floor {
  if (typeof token !== 'string') throw new BrokenToken(`it is no text but ${typeof token}`);
  if (token.length > maxReadLength) throw new BrokenToken(`its ${token.length} characters are too many`);
  const [, body = '', signature] = shape.exec(token) ?? [];
  if (body === '') throw new BrokenToken('it does not have the form of a token');
  checkSignature(body, signature, secrets);
  return readPayload(Buffer.from(body, 'base64url').toString('latin1'), now);
}

/** `vendor;position;servers;flags`, in ASCII. */
function payloadOf({ position, isUnknown, seen, primaryAt }: Floor): string {
  const flags = `${isUnknown || seen.length > maxSeen ? 'u' : ''}${primaryAt === undefined ? '' : 'p'}`;
  const servers = seen.slice(0, maxSeen).map(({ key, startedAtMs }) => `${key}@${Math.round(startedAtMs)}`);
  return [position?.vendor ?? '', positionText(position), servers.join(','), flags].join(';');
}

function positionText(position: Position | undefined): string {
  return position === undefined ? '' : withoutGaps(position).toString();
}

function readPayload(payload: string, now: number): Floor {
  const fields = payload.split(';');
  const [vendor = '', position = '', servers = '', flags = ''] = fields;
  if (fields.length !== 4 || !/^(?:mysql|mariadb|)$/.test(vendor) || !/^u?p?$/.test(flags)) {
    throw new BrokenToken('its content makes no sense');
  }
  const floor: Floor = {
    ...noFloor,
    isUnknown: flags.includes('u'),
    primaryAt: flags.includes('p') ? now : undefined,
    seen: servers === '' ? [] : servers.split(',').map((server) => readServer(server, now)),
  };
  if (floor.seen.length > maxSeen) throw new BrokenToken('it names too many servers');
  if (vendor === '' && position !== '') throw new BrokenToken('its position is of no vendor');
  return vendor === '' ? floor : withPosition(floor, readPosition(vendor as Position['vendor'], position));
}

function readPosition(vendor: Position['vendor'], text: string): Position {
  try {
    return parsePosition(vendor, text, maxReadLength);
  } catch (error) {
    if (error instanceof InvalidPositionError) throw new BrokenToken(error.message);
    throw error;
  }
}

function readServer(text: string, at: number): SeenServer {
  const [, key, startedAt] = /^([A-Za-z0-9_-]{12})@(\d{1,16})$/.exec(text) ?? [];
  if (key === undefined) throw new BrokenToken('it names a server in a form that is not known');
  return { key, startedAtMs: Number(startedAt), at };
}

function sealed(payload: string, [secret]: TokenSecrets): string {
  const body = Buffer.from(payload, 'latin1').toString('base64url');
  return secret === undefined
    ? `v1.${body}`
    : `v1.${body}.${signatureOf(body, secret).toString('base64url')}`;
}

function signatureOf(body: string, secret: string): Buffer {
  return createHmac('sha256', secret).update(`vipsql token v1.${body}`).digest();
}

function checkSignature(body: string, signature: string | undefined, secrets: TokenSecrets): void {
  if (secrets.length === 0) {
    if (signature !== undefined) throw new BrokenToken('it is signed, and tokens.secret is not set');
    return;
  }
  if (signature === undefined) throw new BrokenToken('it is not signed');
  const given = Buffer.from(signature, 'base64url');
  if (!secrets.some((secret) => timingSafeEqual(signatureOf(body, secret), given))) {
    throw new BrokenToken('its signature is wrong');
  }
}
