/** Where a run of Knex's gets its connection, and gives it back. */
export interface Connections {
  acquireConnection(): Promise<unknown>;
  releaseConnection(connection: unknown): Promise<void>;
}

/**
 * The client for one run of Knex's, with connections from elsewhere. Each is given back once: Knex does it twice for a
 * stream, the second time perhaps when somebody else has borrowed it, and also for one that its caller has brought along.
 */
export function withConnections<Client extends object>(client: Client, connections: Connections): Client {
  let held: unknown;
  const forOneRun: Connections = {
    acquireConnection: () =>
      connections.acquireConnection().then((connection) => {
        held = connection;
        return connection;
      }),
    releaseConnection(connection) {
      if (connection !== held) return Promise.resolve();
      held = undefined;
      return connections.releaseConnection(connection);
    },
  };
  return Object.assign(Object.create(client) as Client, forOneRun);
}
