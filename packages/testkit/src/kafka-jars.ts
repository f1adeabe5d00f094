import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const pom = fileURLToPath(new URL('../kafka/pom.xml', import.meta.url));
const tools = fileURLToPath(new URL('../../../.tools/', import.meta.url));

const remedy =
  'The tests of the Kafka streamer run a real broker. Install Java 17 or newer and Maven (Debian and Ubuntu, as root: apt-get install default-jre-headless maven), then start again.';

/** The class path of the broker. The first call on a machine has Maven bring the jars (45 MB, about 15 s) into `.tools/`. */
export async function findKafkaJars(): Promise<string> {
  await assertJava();
  const hash = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12);
  const directory = `${tools}kafka-${hash}`;
  if (!existsSync(directory)) await download(directory);
  return readdirSync(directory)
    .filter((name) => name.endsWith('.jar'))
    .map((name) => `${directory}/${name}`)
    .join(':');
}

async function assertJava(): Promise<void> {
  const { stderr, stdout } = await run('java', ['-version']).catch(() => {
    throw new Error(`There is no Java. ${remedy}`);
  });
  const major = Number(/version "(\d+)/.exec(stderr + stdout)?.[1] ?? 0);
  if (major < 17) throw new Error(`Java is of version ${major || 'unknown'}. ${remedy}`);
}

/** Renamed into place when complete, so that a broken or parallel download leaves no half directory behind. */
async function download(directory: string): Promise<void> {
  const partial = `${directory}.${process.pid}`;
  try {
    await run('mvn', ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${partial}`]);
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: unknown; stdout?: string; stderr?: string };
    if (code === 'ENOENT') throw new Error(`There is no Maven (mvn). ${remedy}`);
    const said = `${stdout}${stderr}`.trim().split('\n').slice(0, 5).join('\n');
    throw new Error(`Maven could not bring the jars of Kafka; check that it reaches its repository.\n${said}`);
  }
  try {
    renameSync(partial, directory);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(directory)) throw error;
  }
}
