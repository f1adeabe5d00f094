import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { parseAllDocuments } from 'yaml';

/** The real Helm, which script/test builds, with a home of its own. */
const folder = process.env.QUAYSIDE_HELM;
if (folder === undefined)
  throw new Error('QUAYSIDE_HELM is not set: start these tests with script/test charts, which builds Helm.');
export const toolFolder = folder;
export const chartFolder = (chart: string): string => join(import.meta.dirname, '..', chart);

const home = mkdtempSync(join(tmpdir(), 'quayside-charts-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));
export const inHome = (name: string): string => join(home, name);

export interface Run {
  code: number;
  out: string;
  err: string;
}

export async function helm(...args: string[]): Promise<Run> {
  const environment = { HOME: home, PATH: '', KUBECONFIG: inHome('kubeconfig') };
  return new Promise((resolve) => {
    execFile(join(toolFolder, 'helm'), args, { cwd: home, env: environment, maxBuffer: 16e6 }, (error, out, err) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, out, err }),
    );
  });
}

/** Puts a file where Helm is started, so that commands name it as a person would. */
export function file(name: string, text: string): string {
  writeFileSync(inHome(name), text);
  return name;
}

export interface Resource {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels: Record<string, string>; annotations?: Record<string, string> };
  // Kubernetes' own shapes: their schemas judge them (kubernetes.ts), so a test reads what it is about.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  [key: string]: any;
}

/** A key that stands twice is an error of the parser, as in Kubernetes. */
export function parse(yaml: string): Resource[] {
  return parseAllDocuments(yaml, { uniqueKeys: true }).flatMap((document) => {
    if (document.errors.length > 0) throw new Error(`${document.errors.join('\n')}\n${yaml}`);
    const value = document.toJS() as Resource | null;
    return value === null ? [] : [value];
  });
}
