import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * For the drain: closes each connection as soon as it has no answer to give. Node's closeIdleConnections leaves one open on
 * which no request was sent yet; browsers hold such connections ready, and each would hold the drain until it is forced.
 */
export function trackConnections(server: Server): { closeWhenIdle(): void } {
  const open = new Map<Socket, number>();
  let isClosing = false;
  const release = (socket: Socket, answering: number) => {
    if (isClosing && answering === 0) socket.destroySoon();
  };
  server.on('connection', (socket: Socket) => {
    open.set(socket, 0);
    socket.on('close', () => open.delete(socket));
    release(socket, 0);
  });
  server.on('request', ({ socket }, response) => {
    open.set(socket, (open.get(socket) ?? 0) + 1);
    response.on('close', () => {
      const answering = (open.get(socket) ?? 1) - 1;
      if (open.has(socket)) open.set(socket, answering);
      release(socket, answering);
    });
  });
  return {
    closeWhenIdle() {
      isClosing = true;
      for (const [socket, answering] of open) release(socket, answering);
    },
  };
}
