import { lstatSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Small is a feature of an agent. What makes it small can only be chosen before a process begins, so it begins again, under
 * the same process id, with
 *
 *   MALLOC_ARENA_MAX=1            one arena of the allocator: memory goes back after bursts
 *   --max-semi-space-size=1       a small young generation, likewise; throughput does not notice
 *   --liftoff-only                the parser of HTTP is not optimized: that took 10 MB which never went back
 *   NODE_COMPILE_CACHE            compiled code is read and not made, and the sources need no type stripper (14 MB)
 *
 * For some 50 ms. Whoever sets MALLOC_ARENA_MAX keeps the process as it is.
 */
export function beginSmall(self: Self): void {
  const { env, argv, execArgv, execPath, platform } = self;
  if (env.MALLOC_ARENA_MAX !== undefined || platform !== 'linux' || !self.execve) return;
  const userId = self.getuid?.();
  const cache = env.NODE_COMPILE_CACHE ?? ownDirectory(join(tmpdir(), `quayside-agent-${userId}`), userId);
  self.execve(
    execPath,
    [execPath, ...execArgv, '--max-semi-space-size=1', '--liftoff-only', ...argv.slice(1)],
    definedOnly({ ...env, MALLOC_ARENA_MAX: '1', NODE_COMPILE_CACHE: cache }),
  );
}

type Self = Pick<NodeJS.Process, 'env' | 'argv' | 'execArgv' | 'execPath' | 'platform' | 'getuid' | 'execve'>;

/** What is in the cache is run, so nobody else may write there: undefined = no cache. */
function ownDirectory(path: string, userId: number | undefined): string | undefined {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const found = lstatSync(path);
    return found.isDirectory() && found.uid === userId && (found.mode & 0o022) === 0 ? path : undefined;
  } catch {
    return undefined;
  }
}

function definedOnly(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined));
}
