import { afterClosing, type Scan } from './scan.ts';

/** Where the statement's own verb stands, behind leading brackets and WITH clauses, from an index on. */
export function mainVerbAt(scanned: Scan, from = 0): number {
  const { keys } = scanned;
  const start = afterBrackets(keys, from);
  if (keys[start] !== 'WITH') return start;
  let at = keys[start + 1] === 'RECURSIVE' ? start + 2 : start + 1;
  for (;;) {
    at++; // the name
    if (keys[at] === '(') at = afterClosing(scanned, at);
    if (keys[at] !== 'AS' || keys[at + 1] !== '(') return start;
    at = afterClosing(scanned, at + 1);
    if (keys[at] === 'CYCLE') {
      at = keys.indexOf('RESTRICT', at) + 1;
      if (at === 0) return start;
    }
    if (keys[at] !== ',') return afterBrackets(keys, at);
    at++;
  }
}

function afterBrackets(keys: readonly string[], from: number): number {
  let at = from;
  while (keys[at] === '(' || keys[at] === ';') at++;
  return at;
}
