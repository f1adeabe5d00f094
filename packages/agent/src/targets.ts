import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Log } from './log.ts';

/**
 * Which requests this agent makes at all, written by whoever runs it, in a file that nothing from the portal can change:
 *
 *   [{ "hosts": ["shop.internal", "*.corp.example:8443"], "paths": ["/hooks/*"], "methods": ["POST"] }]
 *
 * A request passes when one entry matches it in every part; `paths` and `methods` may be left out. `*` stands for any
 * text, in a host for one or more labels at the front. A host without a port stands for every port.
 * The path is judged as it is sent: `..` is resolved, letters that were needlessly escaped are plain. Names are compared,
 * not addresses: metadata addresses are the address guard's business and can not be allowed here.
 *
 *   no file is named                    every request passes
 *   the file is absent or broken        none does, and each says why: an open door is the worse failure
 *
 * Read again when it changes, within a second.
 */
export interface TargetListOptions {
  /** As in QUAYSIDE_AGENT_TARGETS_FILE; undefined = it is not set. */
  path: string | undefined;
  log: Log;
}

type Rule = (method: string, url: URL) => boolean;
export type TargetState = { kind: 'rules'; rules: readonly Rule[] } | { kind: 'broken'; problem: string };

const checkEveryMs = 1_000;

export class TargetList {
  private readonly path: string | undefined;
  private readonly log: Log;
  private version: string | undefined;
  private checkAtMs = 0;
  private state: TargetState = { kind: 'rules', rules: [] };

  constructor({ path, log }: TargetListOptions) {
    this.path = path === undefined ? undefined : resolve(path);
    this.log = log;
  }

  /** Why the request may not be made; undefined when it may. */
  async refusal(method: string, url: URL): Promise<string | undefined> {
    if (this.path === undefined) return undefined;
    if (performance.now() >= this.checkAtMs) await this.refresh(this.path);
    const { state } = this;
    if (state.kind === 'broken') return `${state.problem}, so nothing is allowed; mend it where the agent runs`;
    if (state.rules.some((rule) => rule(method, url))) return undefined;
    return `${method} ${url.host}${url.pathname} is not in the agent's list of targets; whoever runs the agent can add it to ${this.path}`;
  }

  /** Reads the file if it changed; called at the start, so that a mistake is known then. Undefined = no file is named. */
  async load(): Promise<TargetState | undefined> {
    if (this.path === undefined) return undefined;
    await this.refresh(this.path);
    return this.state;
  }

  private async refresh(path: string): Promise<void> {
    const version = await stat(path).then(
      (file) => `${file.ino} ${file.mtimeMs} ${file.size}`,
      () => 'absent',
    );
    this.checkAtMs = performance.now() + checkEveryMs;
    if (version === this.version) return;
    this.version = version;
    try {
      const rules = readRules(await readFile(path, 'utf8'));
      this.state = { kind: 'rules', rules };
      this.log.info({ file: path, entries: rules.length }, 'only listed targets are called');
    } catch (error) {
      const problem = `the agent's list of targets ${path} can not be used: ${(error as Error).message}`;
      this.state = { kind: 'broken', problem };
      this.log.error({ file: path }, problem);
    }
  }
}

/** Throws an Error whose message says what is wrong. */
export function readRules(text: string): Rule[] {
  const document = JSON.parse(text.replace(/^\ufeff/, '')) as unknown;
  if (!Array.isArray(document)) throw new Error('it must be a list of entries: [{ "hosts": [ … ] }]');
  return document.map((entry: unknown, index) => {
    const name = `entry ${index + 1}`;
    if (typeof entry !== 'object' || entry === null) throw new Error(`${name} must be an object`);
    const { hosts, paths, methods, ...rest } = entry as Record<string, unknown>;
    // A misspelt restriction would be no restriction.
    const [unknown] = Object.keys(rest);
    if (unknown !== undefined) throw new Error(`${name}: ${unknown} is none of hosts, paths and methods`);
    if (hosts === undefined) throw new Error(`${name} needs hosts`);
    const hostRules = texts(hosts, `${name}: hosts`).map(hostRule);
    const pathRules = paths === undefined ? undefined : texts(paths, `${name}: paths`).map(pathRule);
    const known = methods === undefined ? undefined : texts(methods, `${name}: methods`).map((m) => m.toUpperCase());
    return (method, url) =>
      hostRules.some((rule) => rule(url)) &&
      (pathRules?.some((rule) => rule.test(url.pathname)) ?? true) &&
      (known?.includes(method) ?? true);
  });
}

function texts(value: unknown, name: string): string[] {
  if (Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string')) return value;
  throw new Error(`${name} must be a list of texts`);
}

function hostRule(pattern: string): (url: URL) => boolean {
  const match = /^(\[[0-9a-f:.]+\]|[^:/[\]\s]+)(?::(\d{1,5}))?$/.exec(pattern.toLowerCase());
  if (match === null) throw new Error(`"${pattern}" is no host; write name, *.name or name:port, without a scheme`);
  const [, name = '', port] = match;
  const suffix = name.startsWith('*.') ? name.slice(1) : undefined;
  if ((suffix ?? name).includes('*') && name !== '*') {
    throw new Error(`"${pattern}" has its * in the middle; it may only stand for the front of a name: *.corp.example`);
  }
  return (url) => {
    const host = url.hostname.replace(/\.$/, '');
    const isHost = name === '*' || (suffix === undefined ? host === name : host.endsWith(suffix));
    return isHost && (port === undefined || port === (url.port || (url.protocol === 'https:' ? '443' : '80')));
  };
}

function pathRule(pattern: string): RegExp {
  if (!pattern.startsWith('/')) throw new Error(`the path "${pattern}" must begin with /`);
  const parts = pattern.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's');
}
