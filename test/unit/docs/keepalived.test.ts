import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fillIn } from '../../containers/fill-in.ts';

const docs = new URL('../../../docs/', import.meta.url);
const page = readFileSync(new URL('keepalived.md', docs), 'utf8');
const files = readdirSync(new URL('keepalived/', docs));
const addresses = { serverId: 2, own: '10.1.2.4', peer: '10.1.2.3' };

describe('docs/keepalived.md', () => {
  it.each(files)('links and shows %s as it is', (file) => {
    const link = page.indexOf(`](keepalived/${file})`);
    expect(link).toBeGreaterThan(0);
    const [, shown] = /^```\w+\n(.*?)^```$/ms.exec(page.slice(link)) ?? [];
    expect(shown).toBe(readFileSync(new URL(`keepalived/${file}`, docs), 'utf8'));
  });

  it('shows no address in a file that the container lab would not replace', () => {
    const network = { vip: '10.1.2.99' };
    const configuration = files.filter((file) => !file.endsWith('.sql'));
    const filled = configuration.map((file) => fillIn(file, network, addresses)).join('\n');
    expect(filled).not.toContain('192.168.');
    expect(filled).toContain('unicast_src_ip 10.1.2.4');
    expect(filled).toContain('10.1.2.99/32');
    expect(filled).toContain('router_id db-2');
    expect(filled).toContain('host = 10.1.2.4');
    for (const name of ['server_id', 'auto_increment_offset', 'gtid_domain_id']) {
      expect(filled).toContain(`${name} = 2`);
      expect(filled).not.toContain(`${name} = 1`);
    }
  });
});
