import {
  ConnectionError,
  type CreationOptional,
  DataTypes,
  type ForeignKey,
  ForeignKeyConstraintError,
  type InferAttributes,
  type InferCreationAttributes,
  Model,
  type NonAttribute,
  type Options,
  QueryTypes,
  type Sequelize,
  UniqueConstraintError,
} from 'sequelize';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Cluster } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openCluster, openServing, rejection } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { vipsqlErrorIn } from '../../support/wrapped-errors.ts';
import { openSequelize } from './open-sequelize.ts';

class Author extends Model<InferAttributes<Author>, InferCreationAttributes<Author>> {
  declare id: CreationOptional<number>;
  declare email: string;
  declare name: string;
  declare born: Date | null;
  declare books?: NonAttribute<Book[]>;
}

class Book extends Model<InferAttributes<Book>, InferCreationAttributes<Book>> {
  declare id: CreationOptional<number>;
  declare title: string;
  declare authorId: ForeignKey<number>;
  declare author?: NonAttribute<Author>;
}

function define(sequelize: Sequelize): void {
  const id = { type: DataTypes.INTEGER, autoIncrement: true, primaryKey: true };
  Author.init(
    {
      id,
      email: { type: DataTypes.STRING(80), allowNull: false, unique: true },
      name: { type: DataTypes.STRING, allowNull: false },
      born: DataTypes.DATE(3),
    },
    { sequelize, modelName: 'author' },
  );
  Book.init({ id, title: { type: DataTypes.STRING, allowNull: false } }, { sequelize, modelName: 'book' });
  Author.hasMany(Book, { as: 'books', foreignKey: { name: 'authorId', allowNull: false } });
  Book.belongsTo(Author, { as: 'author', foreignKey: { name: 'authorId', allowNull: false } });
}

const ada = { email: 'ada@example.org', name: 'Ada', born: new Date('1815-12-10T11:12:13.456Z') };

describe.each(labVendors)("Sequelize's models on %s", (vendor) => {
  let lab: Lab;
  let db: Cluster;
  const opened: Sequelize[] = [];

  function open(options?: Options): Sequelize {
    const sequelize = openSequelize(db, options);
    opened.push(sequelize);
    define(sequelize);
    return sequelize;
  }

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 1, redis: false });
  });

  beforeEach(async () => {
    db = await openServing(lab);
    await open().sync({ force: true });
  });

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((sequelize) => sequelize.close()));
    await lab.heal();
  });

  afterAll(() => lab?.stop());

  test('are made, and are as they were when they are made again', async () => {
    const sequelize = open();
    await sequelize.authenticate();
    await sequelize.sync();
    await sequelize.sync({ alter: true });
    const tables = await sequelize.getQueryInterface().showAllTables();
    expect(tables.sort()).toEqual(['authors', 'books']);
    const { email } = await sequelize.getQueryInterface().describeTable('authors');
    expect(email).toMatchObject({ type: 'VARCHAR(80)', allowNull: false });
    await sequelize.drop();
    expect(await sequelize.getQueryInterface().showAllTables()).toEqual([]);
  });

  test('are written, found, changed, counted and deleted', async () => {
    const author = await Author.create(ada);
    expect(author.id).toBe(1);
    expect((await Author.findByPk(1))?.get()).toMatchObject(ada);
    expect((await Author.findOne({ where: { born: ada.born } }))?.name).toBe('Ada');
    await author.update({ name: 'Ada Lovelace' });
    await author.reload();
    expect(author.name).toBe('Ada Lovelace');
    expect(await Author.update({ name: 'Ada Lovelace' }, { where: { id: 1 }, silent: true })).toEqual([0]);
    expect(await Author.increment('id', { by: 9, where: { id: 1 } })).toBeDefined();
    expect(await Author.count()).toBe(1);
    expect(await Author.destroy({ where: { id: 10 } })).toBe(1);
    expect(await Author.findAndCountAll()).toEqual({ count: 0, rows: [] });
  });

  test('are written many at once, and asked for with values that the server binds', async () => {
    const sequelize = open();
    const { id: authorId } = await Author.create(ada);
    const titles = ["O'Reilly's \\ ☂", 'Notes', 'Sketch'];
    await Book.bulkCreate(titles.map((title) => ({ title, authorId })));
    const books = await Book.findAll({ order: ['id'] });
    expect(books.map(({ title }) => title)).toEqual(titles);
    const [byName] = await sequelize.query('SELECT title FROM books WHERE title = $title', {
      bind: { title: 'Notes' },
      type: QueryTypes.SELECT,
    });
    expect(byName).toEqual({ title: 'Notes' });
  });

  test('are written or changed by one statement', async () => {
    const [, isNew] = await Author.upsert({ ...ada, id: 1 });
    expect(isNew).toBe(true);
    const [, isNewAgain] = await Author.upsert({ ...ada, id: 1, name: 'Countess' });
    expect(isNewAgain).toBe(false);
    expect((await Author.findOne())?.name).toBe('Countess');
    const [found, isCreated] = await Author.findOrCreate({ where: { email: ada.email }, defaults: ada });
    expect([found.id, isCreated]).toEqual([1, false]);
    const bob = { email: 'bob@example.org', name: 'Bob', born: null };
    const [made, isMade] = await Author.findOrCreate({ where: { email: bob.email }, defaults: bob });
    expect([made.name, isMade]).toEqual(['Bob', true]);
  });

  test('bring with them what belongs to them', async () => {
    await Author.create({ ...ada, books: [{ title: 'Notes' }, { title: 'Sketch' }] } as never, {
      include: 'books',
    });
    const [author] = await Author.findAll({ include: 'books', order: [['books', 'id', 'ASC']] });
    expect(author?.books?.map(({ title }) => title)).toEqual(['Notes', 'Sketch']);
    const apart = await Author.findAll({ include: [{ association: 'books', separate: true, limit: 1 }] });
    expect(apart[0]?.books).toHaveLength(1);
    const book = await Book.findOne({ where: { title: 'Sketch' }, include: 'author' });
    expect(book?.author?.email).toBe(ada.email);
  });

  test('are changed in transactions, each as a whole', async () => {
    const sequelize = open();
    const why = new Error('undo it all');
    const undone = sequelize.transaction(async (transaction) => {
      const { id: authorId } = await Author.create(ada, { transaction });
      await Book.create({ title: 'Notes', authorId }, { transaction });
      expect(await Author.count({ transaction })).toBe(1);
      expect(await Author.count()).toBe(0);
      throw why;
    });
    expect(await rejection(undone)).toBe(why);
    expect(await Author.count()).toBe(0);

    const isolationLevel = 'READ COMMITTED' as never;
    const transaction = await sequelize.transaction({ isolationLevel });
    await Author.create(ada, { transaction });
    await Author.findOne({ where: { email: ada.email }, lock: true, transaction });
    await transaction.commit();
    expect(await Author.count()).toBe(1);

    const left = await sequelize.transaction();
    await Author.destroy({ where: {}, transaction: left });
    await left.rollback();
    expect(await Author.count()).toBe(1);
    expect(db.status()).toMatchObject({ running: 0 });
  });

  test("fail with Sequelize's errors, and vipsql's below them", async () => {
    await Author.create(ada);
    const unique = await rejection(Author.create(ada));
    expect(unique).toBeInstanceOf(UniqueConstraintError);
    const { errors, parent } = unique as UniqueConstraintError;
    expect(errors[0]).toMatchObject({ path: 'email', value: ada.email, type: 'unique violation' });
    expect(parent).toMatchObject({ code: 'ER_DUP_ENTRY', errno: 1062, sqlState: '23000' });
    expect(vipsqlErrorIn(parent)).toMatchObject({
      code: 'VIPSQL_DUPLICATE_KEY',
      outcome: 'statement-rolled-back',
    });
    const reference = await rejection(Book.create({ title: 'Nobody', authorId: 7 }));
    expect(reference).toBeInstanceOf(ForeignKeyConstraintError);
    expect(reference).toMatchObject({ table: 'authors', fields: ['authorId'] });
  });

  test('are read from replicas, and written on the primary, where `replication` says so', async () => {
    const [{ id: primary } = { id: 0 }] = await lab.owner().query('SELECT @@server_id AS id');
    const sequelize = open({
      replication: { write: { host: 'primary' }, read: [{ host: 'replica' }] },
    });
    const idSeen = async (useMaster: boolean): Promise<unknown> => {
      const [row] = await sequelize.query<{ id: number }>('SELECT @@server_id AS id', {
        type: QueryTypes.SELECT,
        useMaster,
      });
      return row?.id;
    };
    expect(await idSeen(true)).toBe(primary);
    expect(await idSeen(false)).not.toBe(primary);
    await Author.create(ada);
    await eventually('the replica has it', async () => (await Author.findOne()) !== null);
    const seen = await db.session(async () => {
      await lab.fault({ kind: 'stop-applier', server: 'r1' });
      await Author.create({ ...ada, email: 'second@example.org' });
      return await Author.count();
    });
    expect(seen).toBe(2);
    await sequelize.transaction(async (transaction) => {
      await Author.update({ name: 'A.' }, { where: {}, transaction });
      expect((await Author.findOne({ transaction }))?.name).toBe('A.');
    });
  });

  test('are read and written in the time zone that Sequelize was given, on new connections too', async () => {
    const sequelize = open({ timezone: '+02:00', pool: { max: 2 } });
    const zone = async (): Promise<unknown> => {
      const [row] = await sequelize.query('SELECT @@time_zone AS zone', { type: QueryTypes.SELECT });
      return row;
    };
    await Author.create(ada);
    expect(await lab.owner().query("SELECT DATE_FORMAT(born, '%T.%f') AS born FROM lab.authors")).toEqual([
      { born: '13:12:13.456000' },
    ]);
    expect((await Author.findOne())?.born).toEqual(ada.born);
    expect(await zone()).toEqual({ zone: '+02:00' });
    await lab.fault({ kind: 'kill', server: lab.owner().name });
    await lab.fault({ kind: 'failover', gapMs: 200, readOnlyMs: 100 });
    await eventually('it reads again', () =>
      Author.count().then(
        () => true,
        () => false,
      ),
    );
    expect(await zone()).toEqual({ zone: '+02:00' });
    expect(await db.primary().value('SELECT @@time_zone')).toBe('+00:00');
  });

  test('are there as soon as a primary is, and say so before', async () => {
    await lab.fault({ kind: 'refuse' });
    db = openCluster(lab, { timeoutMs: 600 });
    open();
    const error = await rejection(Author.count());
    expect(error).toBeInstanceOf(ConnectionError);
    expect(vipsqlErrorIn(error)).toMatchObject({
      code: 'VIPSQL_PRIMARY_UNAVAILABLE',
      outcome: 'not-executed',
    });
    await lab.fault({ kind: 'answer' });
    expect(await Author.count()).toBe(0);
  });

  test('leave the cluster open when Sequelize is closed, and nothing of theirs in it', async () => {
    const sequelize = open();
    await Promise.all([1, 2, 3].map((n) => Author.create({ ...ada, email: `${n}@example.org` })));
    await sequelize.close();
    expect(await db.primary().value('SELECT COUNT(*) FROM authors')).toBe(3);
    await Promise.all(opened.splice(0).map((each) => each === sequelize || each.close()));
    expect(db.status()).toMatchObject({ running: 0, primary: { inUse: 0 } });
    const threads = 'SELECT COUNT(*) AS n FROM information_schema.processlist WHERE user = ?';
    const { user } = lab;
    const held = async (): Promise<number> => Number((await lab.owner().query(threads, [user]))[0]?.n);
    await db.close();
    await eventually('no connection is left', async () => (await held()) === 0);
  });
});
