import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type App, firstLoginFile, startApp } from './app.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { type DemoProcesses, startDemoProcesses } from './demo/processes.ts';
import { prepareDemo } from './demo/seed.ts';
import { isDatabaseAway } from './platform/db.ts';
import { createLog, type Logger } from './platform/log.ts';
import { openStandIn, type StandIn } from './platform/stand-in.ts';

/** The process: environment in, signals in, exit code out. Nothing else in the server knows `process`. */

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const log = createLog({ level: config.logLevel, name: 'quayside' });
  let demo: DemoProcesses | undefined;
  let isStopping = false;
  const waiting = new AbortController();
  const starting = startWhenDatabaseIsThere(config, log, waiting.signal);
  const stop = (signal: string) => {
    if (isStopping) process.exit(1);
    isStopping = true;
    waiting.abort();
    log.info({ signal }, 'stopping: finishing what is under way (a second signal ends at once)');
    Promise.resolve(demo?.stop())
      .then(() => starting)
      .then((app) => app?.stop())
      .then(
        () => process.exit(0),
        (error: Error) => {
          log.fatal({ error: error.message }, 'stopping failed');
          process.exit(1);
        },
      );
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));

  const app = await starting;
  if (!app || isStopping) return;
  try {
    if (config.demo) demo = await startDemo(app, config, log);
  } catch (error) {
    await app.stop();
    throw error;
  }
  if (!isStopping) announce(app, config);
}

const longestPauseMs = 5_000;

/**
 * A database that is away, also in the middle of the start, is waited for, until a signal ends that; meanwhile /readyz says why.
 * Whatever else is wrong ends the process. Undefined = a signal came first.
 */
async function startWhenDatabaseIsThere(config: Config, log: Logger, signal: AbortSignal): Promise<App | undefined> {
  const address = { port: config.port, host: config.host };
  let standIn: StandIn | undefined;
  let problem = '';
  const withdraw = async () => {
    await standIn?.close();
    standIn = undefined;
  };
  const webDirectory = fileURLToPath(new URL('../../web/dist', import.meta.url));
  try {
    for (let pauseMs = 250; !signal.aborted; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      try {
        return await startApp(config, log, { webDirectory, pid: process.pid, beforeListening: withdraw });
      } catch (error) {
        if (!isDatabaseAway(error) && !isDatabaseAway((error as Error).cause)) throw error;
        problem = (error as Error).message || String((error as { code?: string }).code);
      }
      log.warn({ problem, retryInMs: pauseMs }, 'the database is away; the start waits for it and tries again');
      standIn ??= await openStandIn(address, () => `The server waits for its database: ${problem}`);
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
    return undefined;
  } finally {
    await withdraw();
  }
}

async function startDemo(app: App, config: Config, log: Logger): Promise<DemoProcesses | undefined> {
  const credential = await app.primaryCredential();
  const targetPort = await prepareDemo(app, credential.orgId, freeLoopbackPort);
  if (targetPort === undefined) return undefined;
  const { PATH = '', HOME = '', LANG = '', TZ = '' } = process.env;
  return startDemoProcesses({
    nodePath: process.execPath,
    ...credential,
    portalUrl: `http://127.0.0.1:${app.port}`,
    targetPort,
    environment: { PATH, HOME, LANG, TZ, LOG_LEVEL: config.logLevel === 'debug' ? 'DEBUG' : 'INFO' },
    log,
  });
}

function freeLoopbackPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('No free port.')),
      );
    });
  });
}

/** What a person needs next, on standard output, apart from the log. */
function announce(app: App, config: Config): void {
  const loginFile = firstLoginFile(config);
  const lines = ['', `  Quayside is ready at ${app.url}`, ''];
  if (app.firstStart && config.setup.adminPassword === undefined) {
    const { adminEmail, adminPassword } = app.firstStart;
    lines.push(
      `  E-mail    ${adminEmail}`,
      `  Password  ${adminPassword}`,
      '',
      `  (also kept in ${loginFile}; delete it when you have changed the password)`,
      '',
    );
  } else
    lines.push(
      `  Log in as ${config.setup.adminEmail}${config.setup.adminPassword ? '' : `; the password of the first start is in ${loginFile}`}`,
      '',
    );
  process.stdout.write(`${lines.join('\n')}\n`);
}

main().catch((error: unknown) => {
  const text = error instanceof ConfigError ? error.message : `Quayside did not start: ${(error as Error).message}`;
  process.stderr.write(`${text}\n`);
  process.exit(1);
});
