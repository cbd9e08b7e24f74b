import { clients } from './clients/clients.ts';
import type { WorkerReply, WorkerRequest, WorkerSetup } from './worker-messages.ts';
import { Workload } from './workload.ts';

const { worker, client: name, target, seed } = JSON.parse(process.argv[2] ?? '') as WorkerSetup;
const client = await clients[name](target);
const workload = new Workload(client, worker, seed);

// A client may be one that throws where nobody can catch it; its other operations are still of interest.
process.on('uncaughtException', (error) => workload.crashed(error));
// The parent is gone: nobody wants to know any more.
process.on('disconnect', () => process.exit());

process.on('message', (request: WorkerRequest) => {
  switch (request.kind) {
    case 'start':
      return workload.start(request.rates);
    case 'write-event':
      return void workload.writeEvent();
    case 'stop':
      return void workload.stop(request.patienceMs).then((history) => reply({ kind: 'history', history }));
  }
});

client.ready().then(
  () => reply({ kind: 'ready' }),
  (error: unknown) => reply({ kind: 'failed', message: String(error) }),
);

function reply(message: WorkerReply): void {
  process.send?.(message);
}
