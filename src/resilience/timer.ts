/**
 * A timer that lets what has arrived meanwhile go first. When the process stood still, Node runs timers before it looks
 * at sockets: an answer that is there already would count as late. End it with `clearTimeout`; `act` may still be
 * called once when its time was over by then.
 */
export function startTimer(ms: number, act: () => void): NodeJS.Timeout {
  return setTimeout(() => setImmediate(act), ms);
}
