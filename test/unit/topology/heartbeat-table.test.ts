import { expect, test } from 'vitest';
import { heartbeatQuery, heartbeatRemedy, heartbeatWrite } from '../../../src/topology/heartbeat-table.ts';

const table = { schema: 'percona', name: 'heartbeat' };

test('statements name the table with its schema, and the server by its id', () => {
  expect(heartbeatQuery(table, 7)).toBe(
    'SELECT CAST(ts AS CHAR) AS ts FROM `percona`.`heartbeat` WHERE server_id = 7',
  );
  expect(heartbeatWrite(table, 7)).toMatch(/^INSERT INTO `percona`\.`heartbeat` .*, 7\) ON DUPLICATE KEY/);
});

test.each<readonly [number | undefined, boolean, RegExp | undefined]>([
  [1146, false, /CREATE TABLE IF NOT EXISTS `percona`\.`heartbeat` \(ts VARCHAR\(26\)/],
  [1049, true, /CREATE TABLE/],
  [1142, false, /GRANT SELECT ON `percona`\.`heartbeat`/],
  [1142, true, /GRANT SELECT, INSERT, UPDATE ON/],
  [1044, true, /GRANT/],
  [1227, false, /GRANT/],
  [1205, true, undefined],
  [undefined, true, undefined],
])('the remedy for %s, writing: %s', (errno, isWritten, remedy) => {
  const found = heartbeatRemedy(table, errno, isWritten);
  if (remedy === undefined) expect(found).toBeUndefined();
  else expect(found).toMatch(remedy);
});
