/** The highest sequence number of each `domain-server`, from a GTID list such as `1-1-20,2-2-7`. */
function sequences(position: string): Map<string, bigint> {
  const result = new Map<string, bigint>();
  for (const gtid of position.split(',')) {
    const [domain, server, sequence] = gtid.trim().split('-');
    if (domain === undefined || server === undefined || sequence === undefined) continue;
    const source = `${domain}-${server}`;
    const known = result.get(source) ?? 0n;
    result.set(source, BigInt(sequence) > known ? BigInt(sequence) : known);
  }
  return result;
}

/** Whether a server with that `@@gtid_binlog_state` has everything up to the position, server by server. */
export function stateHolds(binlogState: string, position: string): boolean {
  const held = sequences(binlogState);
  return [...sequences(position)].every(([source, sequence]) => (held.get(source) ?? 0n) >= sequence);
}
