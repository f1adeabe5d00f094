import { createReadStream, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import {
  type AuditFinding,
  type AuditVerdict,
  type Checkpoint,
  verifyAuditExport,
} from '@quayside/contracts/audit-chain';

/** Exit codes: 0 = the log is whole, 1 = it is not, 2 = it could not be checked. */
const usage = `Usage: script/audit-verify <export.ndjson, or - for standard input> [--key <public key>]… [--checkpoint <file>]…
  --key         a PEM file with a public key that may have signed; without one the key in the export is believed
  --checkpoint  a file with checkpoints that were kept elsewhere: the answer of /v1/audit-log/checkpoints, or one of them`;

function fail(problem: string): never {
  process.stderr.write(`${problem}\n`);
  process.exit(2);
}

function options() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { key: { type: 'string', multiple: true }, checkpoint: { type: 'string', multiple: true } },
    });
    const [file] = positionals;
    if (file === undefined || positionals.length > 1) fail(usage);
    return { file, keys: values.key ?? [], checkpoints: values.checkpoint ?? [] };
  } catch (error) {
    fail(`${(error as Error).message}\n${usage}`);
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    fail(`${file} can not be read: ${(error as Error).message}`);
  }
}

/** One checkpoint, a list of them, the API's answer, or a line of the portal's log. */
function checkpointsOf(file: string): Checkpoint[] {
  const text = read(file);
  try {
    const value = JSON.parse(text) as { checkpoints?: Checkpoint[]; checkpoint?: Checkpoint } & Checkpoint;
    const list = Array.isArray(value) ? (value as Checkpoint[]) : (value.checkpoints ?? [value.checkpoint ?? value]);
    if (list.every((one) => Number.isInteger(one.number) && typeof one.hash === 'string')) return list;
  } catch {
    // Said below.
  }
  return fail(
    `${file} holds no checkpoint: expected is the answer of GET /v1/audit-log/checkpoints, or one object of it.`,
  );
}

const about = ({ line, kind, says }: AuditFinding): string => `  line ${line}: ${kind}: ${says}\n`;

function print(verdict: AuditVerdict, seconds: number): void {
  const { first, last, findings, findingCount, backdated } = verdict;
  const say = (text: string) => process.stdout.write(text);
  say(`organization   ${verdict.organization ?? 'not named'}\n`);
  say(
    `records        ${verdict.records} checked${verdict.prunedRecords ? `, ${verdict.prunedRecords} removed by retention` : ''}\n`,
  );
  say(
    `checkpoints    ${verdict.checkpoints}${first && last ? ` (${first.number}, sealed ${first.sealedAt}, to ${last.number}, sealed ${last.sealedAt})` : ''}\n`,
  );
  if (last) say(`last hash      ${last.hash}\n`);
  say(`took           ${seconds.toFixed(2)} s, ${Math.round(verdict.records / seconds)} records/s\n`);
  for (const note of verdict.notes) say(`note           ${note}\n`);
  if (backdated.length > 0) {
    say(
      `suspicious     ${backdated.length} records are older than a checkpoint that did not have them: put in later, or the clock was set.\n`,
    );
    for (const one of backdated) say(about(one));
  }
  if (verdict.isWhole) {
    say('The log is whole: no record was changed, removed, inserted or moved.\n');
    return;
  }
  say(
    `The log is NOT whole: ${findingCount} findings${findingCount > findings.length ? `, the first ${findings.length} of which are` : ''}\n`,
  );
  for (const finding of findings) say(about(finding));
}

const { file, keys, checkpoints } = options();
const input = file === '-' ? process.stdin : createReadStream(file);
input.on('error', (error: Error) => fail(`${file} can not be read: ${error.message}`));
const pems = keys.map(read);
const known = checkpoints.flatMap(checkpointsOf);
const startedAt = performance.now();
const verdict = await verifyAuditExport(createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY }), {
  keys: pems,
  knownCheckpoints: known,
}).catch((error: Error) => fail(`The export could not be checked: ${error.message}`));
print(verdict, (performance.now() - startedAt) / 1000);
process.exitCode = verdict.isWhole ? 0 : 1;
