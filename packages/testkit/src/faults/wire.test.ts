import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from './until.ts';
import { startWire, type Wire } from './wire.ts';

let wire: Wire;
let far: Socket | undefined;
const server = createServer((socket) => {
  far = socket;
  socket.on('error', () => {});
  socket.on('data', (chunk) => socket.write(chunk));
});
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  wire = await startWire(() => (server.address() as { port: number }).port);
});
afterAll(async () => {
  await wire.close();
  server.close();
});

async function talk(text: string): Promise<{ echo: string; error: string | undefined }> {
  const socket = connect(wire.port, '127.0.0.1');
  let echo = '';
  let error: string | undefined;
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    echo += chunk;
    if (echo.length === text.length) socket.end();
  });
  socket.on('error', (failure: NodeJS.ErrnoException) => (error = failure.code));
  socket.write(text);
  await once(socket, 'close').catch(() => undefined);
  return { echo, error };
}

it('passes on what comes', async () => {
  expect(await talk('hello')).toEqual({ echo: 'hello', error: undefined });
  expect(wire.cuts).toBe(0);
});

it('cuts an answer after so many bytes, once, at both ends', async () => {
  expect(wire.cutAfter(3, 'back')).toBe(true);
  expect(wire.cutAfter(3, 'back')).toBe(false);
  expect(await talk('hello')).toEqual({ echo: 'hel', error: 'ECONNRESET' });
  await until('the other end is closed', () => far?.destroyed);
  expect(wire.cuts).toBe(1);
  expect(await talk('hello')).toEqual({ echo: 'hello', error: undefined });
});

it('cuts a request after so many bytes', async () => {
  wire.cutAfter(2, 'there');
  const { echo, error } = await talk('hello');
  expect('he'.startsWith(echo)).toBe(true);
  expect(error).toBe('ECONNRESET');
});
