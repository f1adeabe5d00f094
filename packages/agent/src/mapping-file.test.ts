import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLog } from './log.ts';
import { MappingFile } from './mapping-file.ts';

let dir: string;
let lines: string[];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quayside-mapping-'));
  lines = [];
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const path = () => join(dir, 'mapping.json');
const open = (env: Record<string, string> = {}) =>
  new MappingFile({ path: path(), env, log: createLog('info', 'a', (line) => lines.push(line)) });
/** Until a change is noticed. */
const until = async (what: string, condition: () => Promise<boolean>) => {
  const endMs = performance.now() + 10_000;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`not noticed: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

describe('the mapping file', () => {
  it.each<[string, string | undefined, RegExp]>([
    ['is missing although it is named', undefined, /mapping\.json can not be used: it does not exist\. Mend/],
    ['is not JSON', '[{"enabled": true,}]', /can not be used: it is not JSON \(.+\)\. Mend/],
    ['is no mapping', '{"enabled": true}', /it must be a list of entries/],
  ])('that %s says so, in the log and to runs', async (_, text, problem) => {
    if (text !== undefined) await writeFile(path(), text);
    const mapping = await open().current();
    expect(mapping).toEqual({ kind: 'unusable', message: expect.stringMatching(problem) as string });
    expect(lines.join()).toContain('can not be used');
  });

  it('is read again when it is mended, and again when it changes', async () => {
    await writeFile(path(), 'nonsense');
    const file = open();
    expect((await file.current()).kind).toBe('unusable');
    await writeFile(path(), '[{}]');
    await until('mended', async () => (await file.current()).kind === 'entries');
    await writeFile(path(), '[{}, {}]');
    await until('changed', async () => {
      const mapping = await file.current();
      return mapping.kind === 'entries' && mapping.entries.length === 2;
    });
  });

  it('that breaks while the agent runs leaves the one before in force', async () => {
    await writeFile(path(), '[{"enabled": false}]');
    const file = open();
    await file.current();
    await writeFile(path(), '[{"enab');
    await until('broken', async () => {
      await file.current();
      return lines.join().includes('the mapping from before the change stays in force');
    });
    expect((await file.current()).kind).toBe('entries');
  });

  it('that is not named and not there means the default', async () => {
    const file = new MappingFile({ path: undefined, env: {}, log: createLog('info', 'a', (line) => lines.push(line)) });
    const mapping = await file.current();
    expect(mapping.kind === 'entries' && mapping.entries).toHaveLength(2);
    expect(lines).toEqual([]);
  });
});
