import { describe, expect, it, test } from 'vitest';
import { parseAddress } from '../../../src/config/address.ts';

const tcp = (host: string, port: number, name: string) => ({ kind: 'tcp', host, port, name });

describe('parseAddress', () => {
  test.each([
    ['db.example.com', tcp('db.example.com', 3306, 'db.example.com:3306')],
    ['DB_1:3307', tcp('db_1', 3307, 'db_1:3307')],
    ['192.168.3.99', tcp('192.168.3.99', 3306, '192.168.3.99:3306')],
    ['192.168.3.99:13306', tcp('192.168.3.99', 13306, '192.168.3.99:13306')],
    ['::1', tcp('::1', 3306, '[::1]:3306')],
    ['[::1]', tcp('::1', 3306, '[::1]:3306')],
    ['[2001:DB8::1]:3307', tcp('2001:db8::1', 3307, '[2001:db8::1]:3307')],
    ['fe80::1%eth0', tcp('fe80::1%eth0', 3306, '[fe80::1%eth0]:3306')],
    [
      '/run/mysqld/mysqld.sock',
      { kind: 'socket', path: '/run/mysqld/mysqld.sock', name: '/run/mysqld/mysqld.sock' },
    ],
    ['mysql://h', tcp('h', 3306, 'h:3306')],
    ['MySQL://[::1]:3307', tcp('::1', 3307, '[::1]:3307')],
  ])('reads %s', (text, endpoint) => {
    expect(parseAddress(text)).toEqual({ endpoint });
  });

  test.each([
    ['mysql://shop:secret@h:3307/shop', { user: 'shop', password: 'secret', database: 'shop' }],
    [
      'mysql://shop:p%40ss%2Fw%3Ard%23@h:3307/my%20shop',
      { user: 'shop', password: 'p@ss/w:rd#', database: 'my shop' },
    ],
    ['mysql://shop:p@ss@h:3307', { user: 'shop', password: 'p@ss' }],
    ['mysql://shop@h:3307/', { user: 'shop' }],
  ])('reads what %s carries', (text, carried) => {
    expect(parseAddress(text)).toEqual({ endpoint: tcp('h', 3307, 'h:3307'), ...carried });
  });

  test.each([
    ['', /must be 'host'/],
    [':3306', /must be 'host'/],
    ['h:', /port from 1 to 65535/],
    ['h:0', /port from 1 to 65535/],
    ['h:65536', /port from 1 to 65535/],
    ['h:3306x', /port from 1 to 65535/],
    ['a b', /host name/],
    ['-h', /host name/],
    ['300.1.1.1', /four numbers/],
    ['192.168.3', /four numbers/],
    ['[h]:3306', /IPv6 address between/],
    ['shop@h', /'mysql:\/\/' URL/],
    ['http://h', /not with 'http:\/\/'/],
    ['mysql://', /must be 'host'/],
    ['mysql://h:99999', /percent-encoded/],
    ['mysql://u:a/b@h', /percent-encoded/],
    ['mysql://u:12/b@h', /percent-encoded/],
    ['mysql://u:p#w@h', /percent-encoded/],
    ['mysql://u:%zz@h', /two hexadecimal digits/],
    ['mysql://h/a/b', /must be a URL like/],
    ['mysql://h/db?connectionLimit=5', /`pool.max`/],
    ['mysql://h/db?foo=5', /must not have query parameters/],
  ])('refuses %s', (text, rule) => {
    expect(parseAddress(text)).toEqual({ rule: expect.stringMatching(rule) });
  });

  it('never repeats a password in a rule', () => {
    const texts = [
      'mysql://u:hunter2@h?x=hunter2',
      'mysql://u:12/hunter2@h',
      'mysql://u:%zzhunter2@h',
      'mysql://u?hunter2@h',
    ];
    for (const text of texts) expect(JSON.stringify(parseAddress(text))).not.toContain('hunter2');
  });
});
