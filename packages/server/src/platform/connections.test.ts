import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { trackConnections } from './connections.ts';

it('closes a connection when it has no answer to give, and not before', async () => {
  const waiting: ServerResponse[] = [];
  const server = createServer((request, response) => {
    if (request.url === '/slow') waiting.push(response);
    else response.end('at once');
  });
  const connections = trackConnections(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const open = async (path?: string): Promise<{ socket: Socket; text: () => string }> => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    await once(socket, 'connect');
    if (path) socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
    return { socket, text: () => text };
  };

  const unused = await open();
  const used = await open('/fast');
  const busy = await open('/slow');
  await expect.poll(used.text).toContain('at once');
  await expect.poll(() => waiting.length).toBe(1);

  connections.closeWhenIdle();
  server.close();
  await Promise.all([unused, used].map((one) => once(one.socket, 'close')));
  expect(busy.socket.closed).toBe(false);
  waiting[0]?.end('late but whole');
  await once(busy.socket, 'close');
  expect(busy.text()).toContain('late but whole');
});
