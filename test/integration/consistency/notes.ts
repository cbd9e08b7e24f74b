import type { Cluster, ClusterConfig, ReplicaOptions } from '../../../src/index.ts';
import type { Lab, LabServer } from '../../../src/testing/index.ts';
import { openServing } from '../../support/cluster.ts';

export interface NoteRead {
  readonly found: boolean;
  readonly server: string;
}

/** A table of notes on a lab: written on the primary, looked for on replicas. */
export class Notes {
  readonly lab: Lab;
  #last = 0;

  private constructor(lab: Lab) {
    this.lab = lab;
  }

  static async create(lab: Lab): Promise<Notes> {
    await lab.owner().query('CREATE TABLE lab.notes (id INT PRIMARY KEY, text VARCHAR(50))');
    await lab.heal();
    return new Notes(lab);
  }

  /** A cluster whose primary is open and whose replicas serve. */
  async open(config: Partial<ClusterConfig> = {}): Promise<Cluster> {
    return await openServing(this.lab, config);
  }

  nextId(): number {
    this.#last += 1;
    return this.#last;
  }

  async write(db: Cluster): Promise<number> {
    const id = this.nextId();
    await db.primary().execute('INSERT INTO notes (id) VALUES (?)', [id]);
    return id;
  }

  async read(db: Cluster, id: number, options: ReplicaOptions = {}): Promise<NoteRead> {
    const { rows, server } = await db
      .replica()
      .queryWithInfo('SELECT id FROM notes WHERE id = ?', [id], options);
    return { found: rows.length === 1, server };
  }

  get replicas(): string[] {
    return this.lab.replicas.map(({ address }) => address);
  }

  get primary(): string {
    return `${this.lab.vip.host}:${this.lab.vip.port}`;
  }

  async stopAppliers(...servers: readonly LabServer[]): Promise<void> {
    for (const { name } of servers) await this.lab.fault({ kind: 'stop-applier', server: name });
  }

  async startAppliers(...servers: readonly LabServer[]): Promise<void> {
    for (const { name } of servers) await this.lab.fault({ kind: 'start-applier', server: name });
  }
}
