import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import type { Log } from './log.ts';
import { defaultEntries, type Mapping } from './mapping.ts';

/**
 * The mapping file, read again when it changes, so that a mended file needs no restart.
 *
 *   absent, and not named in the environment   the default entries
 *   usable                                     its entries
 *   unusable at the start                      every run fails and says why: better than a request that nobody wrote
 *   unusable after a change                    the entries before stay in force, and the log says why
 */
export interface MappingFileOptions {
  /** As in CONTROL_THE_PAYLOAD_CONFIG_PATH; undefined = it is not set. */
  path: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
  log: Log;
}

const defaultPath = './control_the_payload_config.json';
/** A change is noticed within this time. */
const checkEveryMs = 1_000;

export class MappingFile {
  private readonly options: MappingFileOptions;
  private readonly path: string;
  private version: string | undefined;
  private checkAtMs = 0;
  private mapping: Mapping | undefined;
  private reading: Promise<Mapping> | undefined;

  constructor(options: MappingFileOptions) {
    this.options = options;
    this.path = resolve((options.path ?? defaultPath).replace(/^~(?=\/)/, homedir()));
  }

  /** The entries in force. Never throws. */
  async current(): Promise<Mapping> {
    if (this.mapping !== undefined && performance.now() < this.checkAtMs) return this.mapping;
    this.reading ??= this.refresh().finally(() => {
      this.reading = undefined;
      this.checkAtMs = performance.now() + checkEveryMs;
    });
    return this.reading;
  }

  /** What was read last; undefined = there is none, and the default entries are in force. */
  get file(): string | undefined {
    return this.version === 'absent' ? undefined : this.path;
  }

  private async refresh(): Promise<Mapping> {
    const version = await stat(this.path).then(
      (file) => `${file.ino} ${file.mtimeMs} ${file.size}`,
      () => 'absent',
    );
    if (this.mapping !== undefined && version === this.version) return this.mapping;
    this.version = version;
    const read = await this.read(version === 'absent');
    const { log } = this.options;
    if (read.kind === 'unusable') {
      log.error({ file: this.path }, read.message);
      if (this.mapping?.kind === 'entries') {
        log.error({ file: this.path }, 'the mapping from before the change stays in force');
        return this.mapping;
      }
    } else if (version !== 'absent' || this.mapping !== undefined) {
      log.info({ file: this.path, entries: read.entries.length }, 'the mapping is in force');
    }
    this.mapping = read;
    return read;
  }

  private async read(isAbsent: boolean): Promise<Mapping> {
    const { path: named, env, log } = this.options;
    if (isAbsent && named === undefined) return { kind: 'entries', entries: defaultEntries(env) };
    const unusable = (problem: string): Mapping => ({
      kind: 'unusable',
      message: `the agent's mapping file ${this.path} can not be used: ${problem}. Mend the file, or unset CONTROL_THE_PAYLOAD_CONFIG_PATH for the default request`,
    });
    let text: string;
    try {
      text = await readFile(this.path, 'utf8');
    } catch (error) {
      return unusable(isAbsent ? 'it does not exist' : `it can not be read (${(error as NodeJS.ErrnoException).code})`);
    }
    let document: unknown;
    try {
      document = JSON.parse(text.replace(/^\ufeff/, ''));
    } catch (error) {
      return unusable(`it is not JSON (${(error as Error).message})`);
    }
    // Only now: without a file the engine is never loaded.
    const { compileEntries } = await import('./mapping-entry.ts');
    const compiled = compileEntries(document, definedOnly(env), (sentence) =>
      log.warn({ file: this.path }, `mapping: ${sentence}`),
    );
    return compiled.ok ? { kind: 'entries', entries: compiled.entries } : unusable(compiled.mistake);
  }
}

function definedOnly(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
