import { existsSync } from 'node:fs';
import { beginSmall } from './small.ts';

/**
 * The process: environment in, exit code out. Everything else is imported when it is known what is to be done, and by the
 * process that does it.
 *
 * SIGTERM or SIGINT: drain, exit 0. A second one: exit at once. Mistakes in the environment: all listed, exit 1.
 */
const usage = `
  script/agent           starts the agent; packages/agent/README.md lists its settings
  script/agent doctor    checks DNS, proxy, certificates, clock, credentials, streamer and files, and starts nothing
  script/agent bench-target [--port 4001] [--host 127.0.0.1] [--status 200,…] [--delay-ms 0] [--answer text] [--record dir]
                         shows and keeps what is delivered; PORT_CLIENT_SECRET lets it verify signatures
  script/agent bench-target replay <file> --to <url>
                         sends a kept delivery again, signed anew
  script/agent bundle [file]
                         makes one file of the agent, dist/quayside-agent.mjs, which needs only Node
`;
const [command, ...rest] = process.argv.slice(2);
if (command === 'help' || [command, ...rest].some((word) => word === '--help' || word === '-h')) {
  process.stdout.write(usage);
  process.exit(0);
}
if (command === undefined) beginSmall(process);
// As Port's agent does; variables that are set win over the file.
if (existsSync('.env')) process.loadEnvFile('.env');

if (command === 'doctor' && rest.length === 0) {
  const { examine } = await import('./doctor.ts');
  const print = (line: string) => void process.stdout.write(`${line}\n`);
  process.exit(await examine({ env: process.env, processId: process.pid, print }));
}
if (command === 'bench-target') {
  const { readBenchArguments, replay, startBenchTarget } = await import('./bench-target.ts');
  const print = (text: string) => void process.stdout.write(`${text}\n`);
  const asked = readBenchArguments(rest);
  if (asked.kind === 'mistake') {
    process.stderr.write(`${asked.message}\n${usage}`);
    process.exit(2);
  }
  if (asked.kind === 'replay') process.exit(await replay(asked, process.env, print));
  try {
    const target = await startBenchTarget(asked, process.env.PORT_CLIENT_SECRET?.trim() || undefined, print);
    print(
      `Listening on ${target.url}, keeping what comes in ${asked.dir}. Use it as the URL of an action; end with Ctrl+C.\n`,
    );
    await new Promise((resolve) => {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
    });
    await target.close();
    process.exit(0);
  } catch (error) {
    process.stderr.write(`The target can not start: ${(error as Error).message}; check --port, --host and --record\n`);
    process.exit(1);
  }
}
if (command !== undefined) {
  process.stderr.write(`The agent does not know "${[command, ...rest].join(' ')}".\n${usage}`);
  process.exit(2);
}

const [{ readConfig }, { createAgent }, { createLog }] = await Promise.all([
  import('./config.ts'),
  import('./agent.ts'),
  import('./log.ts'),
]);
const read = readConfig(process.env, process.pid);
if (read.kind === 'mistakes') {
  process.stderr.write(`The agent can not start:\n${read.mistakes.map((mistake) => `  - ${mistake}\n`).join('')}`);
  process.exit(1);
}

const { config } = read;
const log = createLog(config.logLevel, config.agentId);
const agent = createAgent(config, log);

let signalCount = 0;
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    signalCount += 1;
    if (signalCount > 1) {
      log.warn({ signal }, 'a second signal: exiting at once');
      process.exit(1);
    }
    log.info({ signal }, 'draining: no new work, started work is finished');
    agent.drain();
  });
}
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    log.fatal({ err: error }, 'a fault of the agent; exiting');
    process.exit(1);
  });
}

process.exit(await agent.run());
