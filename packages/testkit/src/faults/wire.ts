import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * A TCP proxy that cuts connections in the middle of a message: after so many bytes in one direction both ends get a reset,
 * as from a firewall that forgot the connection. Until the next cut it passes everything on.
 */
export interface Wire {
  readonly port: number;
  /** Connections cut so far. */
  readonly cuts: number;
  /**
   * Lets `bytes` more through in this direction, on whatever connection they come, and cuts that one. False = the last cut of
   * this direction has not come yet.
   */
  cutAfter(bytes: number, direction: Direction): boolean;
  /** Takes back what has not been cut yet. */
  calm(): void;
  close(): Promise<void>;
}

export const directions = ['there', 'back'] as const;
export type Direction = (typeof directions)[number];

/** `portOf` is asked for each connection. */
export async function startWire(portOf: () => number): Promise<Wire> {
  const sockets = new Set<Socket>();
  const left: Record<Direction, number | undefined> = { there: undefined, back: undefined };
  let cuts = 0;

  const pass = (from: Socket, to: Socket, direction: Direction) => {
    from.on('data', (chunk: Buffer) => {
      const allowed = left[direction];
      if (allowed === undefined || chunk.length < allowed) {
        if (allowed !== undefined) left[direction] = allowed - chunk.length;
        if (!to.write(chunk)) from.pause();
        return;
      }
      left[direction] = undefined;
      cuts += 1;
      from.pause();
      // The part arrives before the reset does.
      to.write(chunk.subarray(0, allowed), () => setTimeout(() => from.resetAndDestroy(), 5));
    });
    to.on('drain', () => from.resume());
    from.on('end', () => to.end());
    from.on('error', () => {});
    from.on('close', () => {
      sockets.delete(from);
      to.resetAndDestroy();
    });
    sockets.add(from);
  };
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port: portOf(), host: '127.0.0.1', allowHalfOpen: true });
    for (const socket of [near, far]) socket.setNoDelay(true);
    pass(near, far, 'there');
    pass(far, near, 'back');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get cuts() {
      return cuts;
    },
    cutAfter(bytes, direction) {
      if (left[direction] !== undefined) return false;
      left[direction] = bytes;
      return true;
    },
    calm() {
      left.there = undefined;
      left.back = undefined;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
