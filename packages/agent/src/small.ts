import { spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync } from 'node:fs';
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
 * For some 50 ms. The first start on a machine fills the cache before, in a process that loads everything and ends for want of
 * settings; that takes as long as a start. Whoever sets MALLOC_ARENA_MAX keeps the process as it is.
 */
export function beginSmall(self: Self): void {
  const { env, argv, execArgv, execPath, platform } = self;
  if (env.MALLOC_ARENA_MAX !== undefined || platform !== 'linux' || !self.execve) return;
  const userId = self.getuid?.();
  const own = env.NODE_COMPILE_CACHE ? undefined : ownDirectory(join(tmpdir(), `quayside-agent-${userId}`), userId);
  const small = { MALLOC_ARENA_MAX: '1', NODE_COMPILE_CACHE: env.NODE_COMPILE_CACHE || own };
  const flags = [...execArgv, '--max-semi-space-size=1', '--liftoff-only'];
  // Node keeps a folder for each of its versions there. A directory of its own also means: without a `.env`.
  if (own !== undefined && !readdirSync(own).some((name) => name.startsWith(self.version)))
    spawnSync(execPath, [...flags, ...argv.slice(1)], { cwd: own, env: small, stdio: 'ignore', timeout: fillMs });
  self.execve(execPath, [execPath, ...flags, ...argv.slice(1)], definedOnly({ ...env, ...small }));
}

/** A machine on which it takes longer starts without. */
const fillMs = 20_000;

type Self = Pick<
  NodeJS.Process,
  'env' | 'argv' | 'execArgv' | 'execPath' | 'platform' | 'version' | 'getuid' | 'execve'
>;

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
