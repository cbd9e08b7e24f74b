import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tokenize } from '../../../src/sql/lexer.ts';

const read = (sql: string): string[] =>
  tokenize(sql).map(({ kind, start, end }) => `${kind} ${sql.slice(start, end)}`);

describe('tokenize', () => {
  test.each<[string, string[]]>([
    ['SELECT a1, $b FROM _t', ['word SELECT', 'word a1', 'operator ,', 'word $b', 'word FROM', 'word _t']],
    ['größe 表', ['word größe', 'word 表']],
    ['`a``b` `open', ['identifier `a``b`', 'identifier `open']],
    [`'it''s' 'a\\'b' "x""y" "\\""`, [`string 'it''s'`, `string 'a\\'b'`, 'string "x""y"', 'string "\\""']],
    ["'open \\", ["string 'open \\"]],
    [
      '1 2.5 .5 3. 1e5 1e-3 1.5E+7',
      ['1', '2.5', '.5', '3.', '1e5', '1e-3', '1.5E+7'].map((n) => `number ${n}`),
    ],
    ['0x1F 0b01', ['number 0x1F', 'number 0b01']],
    ['2fa 0xZZ 0b12 1e', ['word 2fa', 'word 0xZZ', 'word 0b12', 'word 1e']],
    ['db.2fa', ['word db', 'operator .', 'word 2fa']],
    ['`db`.1e5 t.1', ['identifier `db`', 'operator .', 'word 1e5', 'word t', 'operator .', 'word 1']],
    ['1.e', ['number 1.', 'word e']],
    [
      "@a @@sql_mode @@session.x @`q` @'s' a@b @",
      [
        'variable @a',
        'variable @@sql_mode',
        'variable @@session.x',
        'variable @`q`',
        "variable @'s'",
        'word a',
        'variable @b',
        'operator @',
      ],
    ],
    [
      'a = ? AND b=?',
      ['word a', 'operator =', 'positional ?', 'word AND', 'word b', 'operator =', 'positional ?'],
    ],
    [
      'a = :a AND b=:b_2',
      ['word a', 'operator =', 'named :a', 'word AND', 'word b', 'operator =', 'named :b_2'],
    ],
    [
      '@x := :y ::z l:m : n :1',
      [
        'variable @x',
        'operator :=',
        'named :y',
        'operator :',
        'operator :',
        'word z',
        'word l',
        'operator :',
        'word m',
        'operator :',
        'word n',
        'operator :',
        'number 1',
      ],
    ],
    [
      `'?' "?:a" \`?:a\` -- ? :a\n# ? :a\n/* ? :a */`,
      [
        "string '?'",
        'string "?:a"',
        'identifier `?:a`',
        'comment -- ? :a',
        'comment # ? :a',
        'comment /* ? :a */',
      ],
    ],
    ['5--5 5 --\t6', ['number 5', 'operator -', 'operator -', 'number 5', 'number 5', 'comment --\t6']],
    ['1 --', ['number 1', 'comment --']],
    ['/* open', ['comment /* open']],
    ['/*+ SET_VAR(a=1) */ 1', ['comment /*+ SET_VAR(a=1) */', 'number 1']],
    ['a */ b', ['word a', 'operator *', 'operator /', 'word b']],
    [
      '/*! STRAIGHT_JOIN */ a',
      ['executable-open /*!', 'word STRAIGHT_JOIN', 'executable-close */', 'word a'],
    ],
    ['/*!50100x*/', ['executable-open /*!50100', 'word x', 'executable-close */']],
    [
      '/*!100100 1*/ /*!1 2*/',
      [
        'executable-open /*!100100',
        'number 1',
        'executable-close */',
        'executable-open /*!',
        'number 1',
        'number 2',
        'executable-close */',
      ],
    ],
    [
      '/*M! a */ /*M!100100 b */ /*m! c */',
      [
        'executable-open /*M!',
        'word a',
        'executable-close */',
        'executable-open /*M!100100',
        'word b',
        'executable-close */',
        'comment /*m! c */',
      ],
    ],
    [
      '/*! a /* b */ c */ d',
      ['executable-open /*!', 'word a', 'comment /* b */', 'word c', 'executable-close */', 'word d'],
    ],
    ["/*! '*/' */ x", ['executable-open /*!', "string '*/'", 'executable-close */', 'word x']],
  ])('reads %j', (sql, tokens) => {
    expect(read(sql)).toEqual(tokens);
  });

  test('marks what stands in an executable comment, its brackets included', () => {
    expect(tokenize('a /*! b */ c').map((token) => token.executable)).toEqual([
      false,
      true,
      true,
      true,
      false,
    ]);
  });

  const pieces = fc.constantFrom(
    "'",
    '"',
    '`',
    '\\',
    '/*',
    '*/',
    '/*!',
    '/*M!',
    '/*!50100',
    '--',
    '-- ',
    '#',
    '\n',
    '?',
    ':',
    ':a',
    ':=',
    '@',
    '@@',
    '.',
    '1',
    '1e',
    '0x',
    'e5',
    'x',
    ' ',
    ';',
    '(',
    ')',
    '\0',
    '\ud800',
    'é',
  );
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.array(pieces, { maxLength: 40 }).map((list) => list.join('')),
  );

  test('never throws, and leaves nothing but white space between its tokens', () => {
    const blank = /^[ \t\n\v\f\r]*$/;
    fc.assert(
      fc.property(texts, (sql) => {
        let at = 0;
        for (const { start, end } of tokenize(sql)) {
          if (end <= start || !blank.test(sql.slice(at, start))) return false;
          at = end;
        }
        return at <= sql.length && blank.test(sql.slice(at));
      }),
      { numRuns: 1000 },
    );
  }, 60_000);

  test.each(["'", '`', '/*', '/*!', '-- ', '(', '1', 'x.', "\\'", '@', ':a', '?', ' ', '0x'])(
    'takes time in proportion to the text: many %j',
    (piece) => {
      const sql = piece.repeat(300_000 / piece.length);
      const began = performance.now();
      tokenize(sql);
      // some 30 ms; a reader that looks back or ahead for each token needs a minute
      expect(performance.now() - began).toBeLessThan(5000);
    },
    60_000,
  );
});
