import { expect, test } from 'vitest';
import { replaceSection } from '../../chaos/doc-section.ts';

const text = 'before\n<!-- table -->\n\nold\n\n<!-- /table -->\nafter\n';

test('a section gets other content and keeps its marks', () => {
  const replaced = replaceSection(text, 'table', 'new');
  expect(replaced).toBe('before\n<!-- table -->\n\nnew\n\n<!-- /table -->\nafter\n');
  expect(replaceSection(replaced, 'table', 'old')).toBe(text);
});

test('a document without the section is left alone', () => {
  expect(() => replaceSection(text, 'other', 'new')).toThrow('no section other');
});
