import {
  type DataSource,
  type EntityManager,
  EntitySchema,
  type MigrationInterface,
  QueryFailedError,
  type QueryRunner,
  Table,
  TableColumn,
} from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Cluster } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openCluster, openServing, rejection } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { vipsqlErrorIn } from '../../support/wrapped-errors.ts';
import { openTypeorm, type TypeormOptions } from './open-typeorm.ts';

interface Author {
  id: number;
  email: string;
  name: string;
  born: Date | null;
  books: Book[];
}

interface Book {
  id: number;
  title: string;
  pages: number;
  author: Author;
}

const authors = new EntitySchema<Author>({
  name: 'author',
  columns: {
    id: { type: 'int', primary: true, generated: true },
    email: { type: 'varchar', length: 80, unique: true },
    name: { type: 'varchar' },
    born: { type: 'datetime', precision: 3, nullable: true },
  },
  relations: {
    books: { type: 'one-to-many', target: 'book', inverseSide: 'author', cascade: true },
  },
});

const books = new EntitySchema<Book>({
  name: 'book',
  columns: {
    id: { type: 'int', primary: true, generated: true },
    title: { type: 'varchar' },
    pages: { type: 'int', default: 0 },
  },
  relations: {
    author: { type: 'many-to-one', target: 'author', inverseSide: 'books', nullable: false },
  },
});

class AddShelf1700000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.addColumn('book', new TableColumn({ name: 'shelf', type: 'int', isNullable: true }));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumn('book', 'shelf');
  }
}

const ada = { email: 'ada@example.org', name: 'Ada', born: new Date('1815-12-10T11:12:13.456Z') };

describe.each(labVendors)("TypeORM's entities on %s", (vendor) => {
  let lab: Lab;
  let db: Cluster;
  let source: DataSource;
  const opened: DataSource[] = [];

  async function open(options: TypeormOptions = {}): Promise<DataSource> {
    const each = await openTypeorm(db, { type: vendor, entities: [authors, books], ...options });
    opened.push(each);
    return each;
  }

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 1, redis: false });
  });

  beforeEach(async () => {
    db = await openServing(lab);
    source = await open();
    await source.synchronize(true);
  });

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((each) => each.destroy()));
    await lab.heal();
  });

  afterAll(() => lab?.stop());

  /** Giving back a connection that was changed takes a while. */
  const nothingHeld = (): Promise<void> =>
    expect.poll(() => db.status()).toMatchObject({ running: 0, primary: { inUse: 0 } });

  const count = (manager: EntityManager = source.manager): Promise<number> => manager.count(authors);

  test('are made, and are as they were when they are made again', async () => {
    const again = await source.driver.createSchemaBuilder().log();
    expect(again.upQueries).toEqual([]);
    const runner = source.createQueryRunner();
    const table = await runner.getTable('book');
    expect(table).toBeInstanceOf(Table);
    expect(table?.findColumnByName('title')).toMatchObject({ type: 'varchar', isNullable: false });
    expect(table?.foreignKeys).toHaveLength(1);
    await runner.release();
    await source.dropDatabase();
    expect(await source.query('SHOW TABLES')).toEqual([]);
  });

  test('are written, found, changed, counted and deleted', async () => {
    const repository = source.getRepository(authors);
    const author = await repository.save({ ...ada });
    expect(author).toMatchObject({ id: expect.any(Number) });
    expect(await repository.findOneBy({ born: ada.born })).toEqual({ id: author.id, ...ada });
    await repository.save({ id: author.id, name: 'Ada Lovelace' });
    expect(await repository.findOneByOrFail({ id: author.id })).toMatchObject({ name: 'Ada Lovelace' });
    const { affected } = await repository.update({ id: author.id }, { name: 'Ada Lovelace' });
    expect(affected).toBe(1);
    expect(await count()).toBe(1);
    await repository.remove({ ...author } as Author);
    expect(await repository.findAndCount()).toEqual([[], 0]);
  });

  test('are written many at once, or changed by one statement', async () => {
    const repository = source.getRepository(authors);
    const many = ["O'Reilly", '\\ ☂', 'Bob'].map((name, i) => ({ ...ada, email: `${i}`, name }));
    await repository.insert(many);
    const found = await repository.find({ order: { email: 'ASC' } });
    expect(found.map(({ name }) => name)).toEqual(["O'Reilly", '\\ ☂', 'Bob']);
    await repository.upsert({ ...ada, email: '2', name: 'Robert' }, ['email']);
    expect((await repository.findOneByOrFail({ email: '2' })).name).toBe('Robert');
    expect(await count()).toBe(3);
  });

  test('bring with them what belongs to them', async () => {
    const repository = source.getRepository(authors);
    await repository.save({ ...ada, books: [{ title: 'Notes' }, { title: 'Sketch', pages: 7 }] });
    const [author] = await repository.find({ relations: { books: true }, order: { books: { id: 'ASC' } } });
    expect(author?.books.map(({ title, pages }) => [title, pages])).toEqual([
      ['Notes', 0],
      ['Sketch', 7],
    ]);
    const built = await source
      .createQueryBuilder(books, 'book')
      .innerJoinAndSelect('book.author', 'author')
      .where('book.title IN (:...titles)', { titles: ['Sketch'] })
      .getOneOrFail();
    expect(built.author.email).toBe(ada.email);
    const apart = await repository.find({ relations: { books: true }, relationLoadStrategy: 'query' });
    expect(apart[0]?.books).toHaveLength(2);
  });

  test('are changed in transactions, each as a whole', async () => {
    const why = new Error('undo it all');
    const undone = source.transaction(async (manager) => {
      await manager.save(authors, { ...ada, books: [{ title: 'Notes' }] });
      expect([await count(manager), await count()]).toEqual([1, 0]);
      throw why;
    });
    expect(await rejection(undone)).toBe(why);
    expect(await count()).toBe(0);

    await source.transaction('READ COMMITTED', async (manager) => {
      await manager.insert(authors, { ...ada });
      const lock = { mode: 'pessimistic_write' } as const;
      await manager.findOneOrFail(authors, { where: { email: ada.email }, lock });
    });
    expect(await count()).toBe(1);

    const runner = source.createQueryRunner();
    await runner.startTransaction();
    await runner.manager.delete(authors, { email: ada.email });
    await runner.rollbackTransaction();
    await runner.release();
    expect(await count()).toBe(1);
    await nothingHeld();
  });

  test("fail with TypeORM's errors, and vipsql's below them", async () => {
    const repository = source.getRepository(authors);
    await repository.insert({ ...ada });
    const unique = await rejection(repository.insert({ ...ada }));
    expect(unique).toBeInstanceOf(QueryFailedError);
    expect(unique).toMatchObject({ code: 'ER_DUP_ENTRY', errno: 1062, sqlState: '23000' });
    const { driverError } = unique as QueryFailedError;
    expect(vipsqlErrorIn(driverError)).toMatchObject({
      code: 'VIPSQL_DUPLICATE_KEY',
      outcome: 'statement-rolled-back',
    });
  });

  test('are read from replicas, and written on the primary, where `replication` says so', async () => {
    const replicated = await open({
      replication: { master: { host: 'primary' }, slaves: [{ host: 'replica' }] },
    });
    const idSeen = async (mode: 'master' | 'slave'): Promise<unknown> => {
      const runner = replicated.createQueryRunner(mode);
      const [row] = await runner.query('SELECT @@server_id AS id');
      await runner.release();
      return Number(row.id);
    };
    const [{ id: primary } = { id: 0 }] = await lab.owner().query('SELECT @@server_id AS id');
    expect(await idSeen('master')).toBe(primary);
    expect(await idSeen('slave')).not.toBe(primary);
    const repository = replicated.getRepository(authors);
    await repository.insert({ ...ada });
    await eventually('the replica has it', async () => (await repository.find()).length === 1);
    const seen = await db.session(async () => {
      await lab.fault({ kind: 'stop-applier', server: 'r1' });
      await repository.insert({ ...ada, email: 'second@example.org' });
      return await repository.find();
    });
    expect(seen).toHaveLength(2);
    await replicated.transaction(async (manager) => {
      await manager.update(authors, { email: ada.email }, { name: 'A.' });
      expect((await manager.findOneByOrFail(authors, { email: ada.email })).name).toBe('A.');
    });
  });

  test('get columns by migrations, which can be taken back', async () => {
    const migrating = await open({ migrations: [AddShelf1700000000000] });
    const columns = async (): Promise<string[]> =>
      (await migrating.query('SHOW COLUMNS FROM book')).map(({ Field }: { Field: string }) => Field);
    expect(await migrating.runMigrations({ transaction: 'each' })).toHaveLength(1);
    expect(await columns()).toContain('shelf');
    expect(await migrating.showMigrations()).toBe(false);
    await migrating.undoLastMigration();
    expect(await columns()).not.toContain('shelf');
    await nothingHeld();
  });

  test('are there as soon as a primary is, and say so before', async () => {
    await lab.fault({ kind: 'refuse' });
    db = openCluster(lab, { timeoutMs: 600 });
    const error = await rejection(open());
    expect(vipsqlErrorIn(error)).toMatchObject({
      code: 'VIPSQL_PRIMARY_UNAVAILABLE',
      outcome: 'not-executed',
    });
    await lab.fault({ kind: 'answer' });
    const later = await open();
    expect(await count(later.manager)).toBe(0);
  });

  test('leave the cluster open when TypeORM is ended, and nothing of theirs in it', async () => {
    const repository = source.getRepository(authors);
    await Promise.all([1, 2, 3].map((n) => repository.insert({ ...ada, email: `${n}@example.org` })));
    await Promise.all(opened.splice(0).map((each) => each.destroy()));
    expect(await db.primary().value('SELECT COUNT(*) FROM author')).toBe(3);
    expect(db.status()).toMatchObject({ running: 0, primary: { inUse: 0 } });
  });
});
