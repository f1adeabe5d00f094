import { setTimeout as sleep } from 'node:timers/promises';
import { agentLeaseMs } from '@quayside/contracts';
import { testOrganization } from '../server-process.ts';
import { checkAudit, keepCheckpoints, verifyAudit } from './audit.ts';
import { checkAutomations, readAutomations } from './automations.ts';
import { checkMessages, checkRecord, summarize } from './check.ts';
import { seededRandom } from './random.ts';
import { listUnfinished, readMessages, readRecord } from './record.ts';
import { cutConnection, databaseClockSlackMs, drawFault, faultsOf } from './storm-faults.ts';
import { type Field, type FieldOptions, layOutField, serverLeaseMs } from './storm-field.ts';
import { setUpTarget } from './target.ts';
import { checkThings, readThings, setUpThings, startThings, summarizeThings } from './things.ts';
import { until } from './until.ts';

/**
 * A storm: runs, changes of the catalog, automations and timers go on all the time, and at random moments something breaks.
 * What is killed is started again at once, as a supervisor does. When the last run is over, everything is stopped and the
 * record is checked.
 *
 * The seed fixes what is executed and what breaks after how long; how the processes interleave is the machine's.
 */
export interface StormOptions extends FieldOptions {
  seed: number;
  runs: number;
  faults: number;
  /** Mean time between two faults. */
  faultEveryMs: number;
  report(line: string): void;
}

export interface StormViolation {
  rule: string;
  about: string;
  message: string;
}

export interface StormResult {
  /** What could not go wrong here, and why. */
  missing: readonly string[];
  violations: StormViolation[];
  summary: Record<string, number>;
  /** Did every run end in time? If not, the violations name those that did not. */
  isOver: boolean;
}

/** Leases of the last killed holders run out, and what they held is delivered again; on a slow machine a few times. */
const calmMs = 400_000;

export async function runStorm(options: StormOptions): Promise<StormResult> {
  const { report } = options;
  const field = await layOutField(options);
  try {
    const { portal, target, targetUrl, postgres } = field;
    await setUpTarget(portal, targetUrl);
    await setUpThings(portal, targetUrl);
    const things = startThings(portal, target.seen);
    report(`${field.description}; seed ${options.seed}`);
    for (const line of field.missing) report(`NOT PART OF THIS STORM: ${line}`);

    const counts = await rage(options, field);
    report(`${counts.faults} faults; waiting for the last runs to end`);
    await things.stop();
    const isOver = await untilCalm(field, report);
    const audit = await verifyAudit(portal, counts.kept);
    await field.stop();

    const { orgId } = testOrganization;
    const leaseMsOf = (holder: string) => (holder.startsWith('server ') ? serverLeaseMs : agentLeaseMs);
    const clockSlackMs = field.clocks.database ? databaseClockSlackMs : 0;
    const check = { isFinished: true, leaseMsOf, clockSlackMs };
    const record = await readRecord(postgres.url, orgId);
    const messages = await readMessages(postgres.url, orgId);
    const catalog = await readThings(postgres.url, orgId, field.kafka?.broker);
    const automations = await readAutomations(postgres.url, orgId);
    const violations: StormViolation[] = [
      ...checkRecord(record, target.seen, check),
      ...checkMessages(messages, target.seen, check),
      ...checkThings(catalog, target.seen),
      ...checkAudit(audit, record.events.length),
      ...checkAutomations(automations, catalog.fires).map((message) => ({
        rule: 'no automation skipped or doubled',
        about: 'automations',
        message,
      })),
    ];
    return {
      missing: field.missing,
      violations,
      isOver,
      summary: {
        ...counts.struck,
        ...summarize(record, target.seen),
        ...summarizeThings(catalog, automations, messages),
        'records of the audit log verified': audit.records,
        'checkpoints of it verified': audit.checkpoints,
      },
    };
  } finally {
    await field.close();
  }
}

async function rage(options: StormOptions, field: Field) {
  const random = seededRandom(options.seed);
  const kinds = faultsOf(field);
  const struck = Object.fromEntries(kinds.map(({ kind }) => [kind, 0]));
  const executions: Promise<void>[] = [];
  let executed = 0;
  let kept = await keepCheckpoints(field.portal);
  const countFaults = () => sum(Object.values(struck)) + sum(field.wires.map(({ cuts }) => cuts));
  for (let faults = 0, told = 0; faults < options.faults; faults = countFaults()) {
    const pauseMs = options.faultEveryMs * (0.25 + 1.5 * random());
    const due = Math.ceil(((faults + 1) / options.faults) * options.runs);
    for (; executed < due; executed += 1) {
      const order = drawOrder(random);
      executions.push(execute(field, `t-${executed}`, order, random() * pauseMs));
    }
    await sleep(pauseMs);
    while (!(await field.isAlive())) await sleep(50);
    const { kind, strike } = drawFault(kinds, random());
    // Nobody to hit at this moment (it is being started again): the next moment will do.
    const isHit = await strike(random);
    // A wire counts its cuts itself, when they come.
    if (isHit && kind !== cutConnection) struck[kind] = (struck[kind] ?? 0) + 1;
    if (faults - told >= Math.max(20, options.faults / 50)) {
      options.report(`${faults} faults, ${executed} runs begun`);
      told = faults;
      if (faults < options.faults / 2) kept = await keepCheckpoints(field.portal);
    }
  }
  struck[cutConnection] = sum(field.wires.map(({ cuts }) => cuts));
  await field.calm();
  await Promise.all(executions);
  return { faults: sum(Object.values(struck)), struck, kept };
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

/** Once more with another ticket when there is no answer, so that the number of accepted runs is as wanted. */
async function execute(
  { portal, target }: Field,
  name: string,
  order: { action: string; inputs: Record<string, unknown> },
  delayMs: number,
): Promise<void> {
  await sleep(delayMs);
  for (let tries = 1; ; tries += 1) {
    const execution = await portal.execute(order.action, `${name}-${tries}`, order.inputs);
    target.seen.executions.push(execution);
    if (execution.verdict === 'accepted') return;
    if (execution.verdict === 'refused') throw new Error(`The run ${name} was refused.`);
    await sleep(Math.min(100 * 2 ** tries, 2_000));
  }
}

function drawOrder(random: () => number): { action: string; inputs: Record<string, unknown> } {
  const chance = random();
  const action = chance < 0.5 ? 'start' : chance < 0.75 ? 'ask' : 'direct';
  const delayMs = random() < 0.1 ? 1_000 + Math.round(random() * 1_500) : Math.round(random() * 150);
  const failures = action !== 'ask' && random() < 0.1 ? 1 : 0;
  const outcome = random() < 0.1 ? 'FAILURE' : 'SUCCESS';
  return { action, inputs: { delayMs, failures, outcome } };
}

async function untilCalm({ postgres, target }: Field, report: (line: string) => void): Promise<boolean> {
  let left: string[] = [];
  try {
    await until(
      'every run, message and timer has ended, every event is read, and the target has told everything',
      async () => {
        left = await listUnfinished(postgres.url);
        return target.busy === 0 && left.length === 0;
      },
      calmMs,
    );
    return true;
  } catch (error) {
    report((error as Error).message);
    for (const what of left.slice(0, 20)) report(`left: ${what}`);
    return false;
  }
}
