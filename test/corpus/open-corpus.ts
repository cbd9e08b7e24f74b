import type { LabVendor } from '../../src/testing/index.ts';
import { type Lab, startLab } from '../../src/testing/index.ts';
import { Labeller } from './label.ts';
import { schemaOf } from './schema.ts';

const database = 'corpus';
const reader = { user: 'reader', password: 'reader-secret' };

/** A lab with the corpus' schema, and a labeller on its read-only replica. */
export interface OpenCorpus extends AsyncDisposable {
  readonly lab: Lab;
  readonly labeller: Labeller;
}

/** Starts the lab of one vendor and connects an account that may do everything in the corpus' schema, and nothing else. */
export async function openCorpus(vendor: LabVendor): Promise<OpenCorpus> {
  const lab = await startLab({
    vendor,
    replicas: 1,
    redis: false,
    serverOptions: ['--log-bin-trust-function-creators=1'],
    onProgress: () => {},
  });
  const stop = (): Promise<void> => lab.stop();
  try {
    for (const statement of schemaOf(vendor, database)) await lab.owner().query(statement);
    await lab.owner().query(`CREATE USER ${reader.user} IDENTIFIED BY '${reader.password}'`);
    await lab.owner().query(`GRANT ALL ON ${database}.* TO ${reader.user}`);
    await lab.heal();
    const { host, port } = lab.server('r1');
    const labeller = await Labeller.connect({ vendor, host, port, database, reader, observer: lab.admin });
    return {
      lab,
      labeller,
      async [Symbol.asyncDispose]() {
        labeller.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
