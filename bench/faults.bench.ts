import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runStorm } from '@quayside/testkit/faults';

/**
 * `script/bench faults --seed 7 --runs 2000 --faults 200`: a storm of faults while runs, changes, automations and timers go on,
 * and then a check of the whole record (packages/testkit/src/faults says of what). Exit code 1 = something was violated.
 * `--kafka`: with a broker, which half of the agents read. `--agent 'cd /opt/agent && exec python main.py'`: with another
 * agent than ours, told of its portal by Port's variables.
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    runs: { type: 'string', default: '2000' },
    faults: { type: 'string', default: '200' },
    'every-ms': { type: 'string', default: '1000' },
    kafka: { type: 'boolean', default: false },
    agent: { type: 'string' },
  },
});
const [seed, runs, faults, faultEveryMs] = [values.seed, values.runs, values.faults, values['every-ms']].map((text) => {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Error(`"${text}" is not a whole number from 1.`);
  return number;
}) as [number, number, number, number];

const dir = mkdtempSync(join(tmpdir(), 'quayside-faults-'));
// PostgreSQL does not run as root, and keeps its files here.
chmodSync(dir, 0o755);
const startedAt = performance.now();
const seconds = () => `${((performance.now() - startedAt) / 1000).toFixed(0)} s`;
const say = (line: string) => process.stdout.write(`${line}\n`);
say(
  `script/bench faults --seed ${seed} --runs ${runs} --faults ${faults} --every-ms ${faultEveryMs}${values.kafka ? ' --kafka' : ''}${values.agent === undefined ? '' : ` --agent '${values.agent}'`}`,
);
const { violations, summary, isOver } = await runStorm({
  seed,
  runs,
  faults,
  faultEveryMs,
  dir,
  hasKafka: values.kafka,
  ...(values.agent === undefined ? {} : { agentCommand: values.agent }),
  report: (line) => say(`${seconds().padStart(6)}  ${line}`),
});
for (const [name, value] of Object.entries(summary)) say(`${String(value).padStart(8)}  ${name}`);
for (const { rule, about, message } of violations.slice(0, 50)) say(`VIOLATED  ${rule}: ${about}: ${message}`);
say(`${violations.length} violations, ${seconds()}${isOver ? '' : ', not every run ended in time'}`);
rmSync(dir, { recursive: true, force: true });
// Whatever a failed storm left open must not hold the process.
process.exit(violations.length === 0 && isOver ? 0 : 1);
