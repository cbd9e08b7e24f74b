import type { ServerResponse } from 'node:http';

export function sendBadRequest(response: ServerResponse, why: string): void {
  response.writeHead(400, { 'content-type': 'text/plain; charset=utf-8' }).end(`${why}\n`);
}
