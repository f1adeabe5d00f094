import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A disk that can be full: a file system in memory (tmpfs) whose size is taken down to what is in use. Only root may mount
 * one; nothing else that bounds files (RLIMIT_FSIZE, a quota) makes a full disk for several processes at once.
 */
export interface Disk {
  readonly path: string;
  /** Nothing more can be written. False = it is full already. */
  fill(): boolean;
  /** There is room again. */
  clear(): void;
  unmount(): void;
}

/** Why there can be none here; undefined = there can. */
export function whyNoDisk(): string | undefined {
  const path = mkdtempSync(join(tmpdir(), 'quayside-disk-'));
  try {
    mountDisk(path, 1).unmount();
    return undefined;
  } catch (error) {
    return `no file system can be mounted (${(error as Error).message.trim().split('\n').at(-1)}); it takes Linux, and root`;
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

export function mountDisk(path: string, megabytes: number): Disk {
  mkdirSync(path, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=755`, 'quayside-faults', path], {
    stdio: 'pipe',
  });
  chmodSync(path, 0o755);
  const resize = (size: string) => execFileSync('mount', ['-o', `remount,size=${size}`, path], { stdio: 'pipe' });
  let isFull = false;
  return {
    path,
    fill() {
      if (isFull) return false;
      // More may be written until the size is taken: then the kernel refuses, and it is tried with a little more.
      // And 0 would mean no bound.
      for (let extra = 1; extra < 64; extra += 1)
        try {
          const { blocks, bfree, bsize } = statfsSync(path);
          resize(String((blocks - bfree + extra) * bsize));
          isFull = true;
          return true;
        } catch {
          // Grown meanwhile.
        }
      return false;
    },
    clear() {
      if (!isFull) return;
      resize(`${megabytes}m`);
      isFull = false;
    },
    unmount() {
      execFileSync('umount', ['--lazy', path]);
    },
  };
}
