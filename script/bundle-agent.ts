import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Plugin, rolldown } from 'rolldown';

/**
 * The agent as one file, for machines without containers: `script/agent bundle [file]`. It needs Node 24.7 and nothing else.
 * Not minified, so that whoever is to allow it in a network can read it, and a stack trace says where.
 */
export async function bundleAgent(file: string): Promise<void> {
  const input = fileURLToPath(new URL('../packages/agent/src/main.ts', import.meta.url));
  const build = await rolldown({ input, platform: 'node', logLevel: 'warn', plugins: [kafkaClients, embedFiles] });
  const { output } = await build.generate({ format: 'esm', codeSplitting: false, comments: { legal: true } });
  await build.close();
  const [chunk, ...more] = output;
  if (more.length > 0) throw new Error(`The agent no longer fits into one file: ${more.map((one) => one.fileName)}`);
  const [beside] = /new URL\("[^"]*", import\.meta\.url\)/.exec(chunk.code) ?? [];
  if (beside !== undefined) throw new Error(`The bundle would look for a file beside it: ${beside}`);
  // ASCII only: one character beyond it doubles what the source takes in memory.
  const code = chunk.code.replace(
    /[^\0-\x7f]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/usr/bin/env node\n${code}`);
  chmodSync(file, 0o755);
}

/**
 * Of the client of Kafka only what the agent uses: its index would bring a schema registry with three languages of schemas, a
 * quarter of the file, and what is in the file is in memory.
 */
const kafkaClients: Plugin = {
  name: 'kafka-clients',
  load(id) {
    if (!id.endsWith('/@platformatic/kafka/dist/index.js')) return undefined;
    return "export { Consumer } from './clients/consumer/index.js'; export { Admin } from './clients/admin/index.js';";
  },
};

/** The client of Kafka reads a file that lies beside its code (checksums and compression); here it becomes a part of the code. */
const embedFiles: Plugin = {
  name: 'embed-files',
  transform(code, id) {
    return code.replace(/readFileSync\(new URL\('([^']+)', import\.meta\.url\)\)/g, (_, path: string) => {
      const bytes = readFileSync(new URL(path, pathToFileURL(id)));
      return `Buffer.from('${bytes.toString('base64')}', 'base64')`;
    });
  },
};

if (import.meta.main) {
  const file = resolve(process.argv[2] ?? 'dist/quayside-agent.mjs');
  await bundleAgent(file);
  process.stdout.write(`${file}\n`);
}
