import { type IncomingHttpHeaders, request } from 'node:http';
import { sleep } from '../../support/eventually.ts';

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: Record<string, unknown>;
  /** `name=value` of the cookies that were set. */
  readonly cookies: readonly string[];
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent in two parts, a moment apart. */
  readonly body?: object;
}

/** Sends one request on a connection of its own. */
export async function ask(url: string, { method = 'GET', headers = {}, body }: Ask = {}): Promise<Reply> {
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  const sent = request(url, { method, headers: { ...type, ...headers }, agent: false });
  const reply = new Promise<Reply>((resolve, reject) => {
    sent.on('error', reject);
    sent.on('response', async (response) => {
      const text = Buffer.concat(await response.toArray()).toString();
      const cookies = (response.headers['set-cookie'] ?? []).map((line) => line.split(';')[0] ?? '');
      const { headers: received, statusCode: status = 0 } = response;
      resolve({ status, headers: received, text, cookies, json: parsed(text) });
    });
  });
  if (body !== undefined) {
    const text = JSON.stringify(body);
    sent.write(text.slice(0, 3));
    await sleep(30);
    sent.write(text.slice(3));
  }
  sent.end();
  return await reply;
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
