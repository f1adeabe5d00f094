import type { DeliveryOutcome, RunPatch } from '@quayside/contracts';
import type { Invocation, Unpreparable } from '@quayside/delivery';

/**
 * From the message to the request ("control the payload", spec/actions.md §3.4). A mapping is a list of entries; the first
 * that wants the message makes the request. Without a mapping file these two are the list; they are written in TypeScript,
 * so that an agent without a file never loads the jq engine.
 */
export type Incoming = Readonly<Record<string, unknown>>;

export interface MappingEntry {
  wants(message: Incoming, note: Note): boolean;
  /** Where in the message secret inputs lie that the target gets in the clear. */
  readonly secretPaths: readonly string[];
  request(message: Incoming, note: Note): Invocation | Unpreparable;
  /** What the run is told beyond the outcome; its keys win over the defaults. */
  report?(context: ReportContext, note: Note): RunPatch;
}

/** Takes a sentence about a part of the mapping that did not work; never holds what was in the message. */
export type Note = (sentence: string) => void;

export interface ReportContext {
  message: Incoming;
  request: Invocation;
  answer: Extract<DeliveryOutcome, { kind: 'answered' }>;
}

export type Mapping =
  | { kind: 'entries'; entries: readonly MappingEntry[] }
  /** The file can not be used; every run fails with this sentence until it is mended. */
  | { kind: 'unusable'; message: string };

type Environment = Readonly<Record<string, string | undefined>>;

export function defaultEntries(env: Environment): readonly MappingEntry[] {
  return [gitlabEntry(env), webhookEntry];
}

/**
 * Custom headers are forwarded: Port's agent drops them unless its mapping file says otherwise, but an action that names
 * headers means them.
 */
const webhookEntry: MappingEntry = {
  wants: () => true,
  secretPaths: [],
  request(message) {
    const { url, method } = destinationOf(message);
    return {
      url: url ?? asObject(message.changelogDestination).url,
      method,
      headers: message.headers,
      body: message,
    };
  },
};

/** Starts a pipeline by its trigger token, which is in a variable of the agent named after group and project. */
function gitlabEntry(env: Environment): MappingEntry {
  return {
    wants: (message) => destinationOf(message).type === 'GITLAB',
    secretPaths: [],
    request(message) {
      const { groupName, projectName, defaultRef, omitUserInputs, omitPayload } = destinationOf(message);
      if (typeof groupName !== 'string' || typeof projectName !== 'string') {
        return { kind: 'unpreparable', message: 'the invocation names no GitLab group and project' };
      }
      const variable = `${groupName.replaceAll('/', '_')}_${projectName}`;
      const token = env[variable];
      if (token === undefined || token === '') {
        const remedy = `create a pipeline trigger token in ${groupName}/${projectName} and give it to the agent under this name`;
        return { kind: 'unpreparable', message: `the agent has no environment variable ${variable}; ${remedy}` };
      }
      const base = (env.GITLAB_URL?.trim() || 'https://gitlab.com').replace(/\/+$/, '');
      const properties = asObject(asObject(message.payload).properties);
      const texts = Object.entries(properties).map(([name, value]) => [name, asText(value)] as const);
      return {
        url: `${base}/api/v4/projects/${encodeURIComponent(`${groupName}/${projectName}`)}/trigger/pipeline`,
        method: 'POST',
        body: {
          ref: properties.ref || defaultRef || 'main',
          token,
          variables: omitUserInputs === true ? {} : Object.fromEntries(texts),
          port_payload: omitPayload === true ? {} : message,
        },
      };
    },
    report({ answer }) {
      const { web_url: link, id } = asObject(jsonOf(answer));
      return {
        ...(typeof link === 'string' && { link }),
        ...((typeof id === 'number' || typeof id === 'string') && { externalRunId: String(id) }),
      };
    },
  };
}

/** What a message says about where it is to go: the invocation of a run, or the destination of a change. */
export function destinationOf(message: Incoming): Record<string, unknown> {
  const { invocationMethod } = asObject(asObject(message.payload).action);
  return asObject(invocationMethod ?? message.changelogDestination);
}

/** The answer as a document; undefined when it is none. */
export function jsonOf(answer: { body: string; isBodyTruncated: boolean }): unknown {
  if (answer.isBodyTruncated) return undefined;
  try {
    return JSON.parse(answer.body) as unknown;
  } catch {
    return undefined;
  }
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

export function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
