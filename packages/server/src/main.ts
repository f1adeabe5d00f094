import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type App, firstLoginFile, startApp } from './app.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { type DemoProcesses, startDemoProcesses } from './demo/processes.ts';
import { prepareDemo } from './demo/seed.ts';
import { createLog, type Logger } from './platform/log.ts';

/** The process: environment in, signals in, exit code out. Nothing else in the server knows `process`. */

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const log = createLog({ level: config.logLevel, name: 'quayside' });
  const app = await startApp(config, log, {
    webDirectory: fileURLToPath(new URL('../../web/dist', import.meta.url)),
    pid: process.pid,
  });
  let demo: DemoProcesses | undefined;
  let isStopping = false;
  const stop = (signal: string) => {
    if (isStopping) process.exit(1);
    isStopping = true;
    log.info({ signal }, 'stopping: finishing what is under way (a second signal ends at once)');
    Promise.resolve(demo?.stop())
      .then(() => app.stop())
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

  try {
    if (config.demo) demo = await startDemo(app, config, log);
  } catch (error) {
    await app.stop();
    throw error;
  }
  if (!isStopping) announce(app, config);
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
