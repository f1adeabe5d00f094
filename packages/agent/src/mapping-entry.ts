import type { RunPatch } from '@quayside/contracts';
import type { Invocation } from '@quayside/delivery';
import { compile, ExpressionError, type Json, type Program } from '@quayside/expressions';
import {
  asText,
  destinationOf,
  type Incoming,
  jsonOf,
  type MappingEntry,
  type Note,
  type ReportContext,
} from './mapping.ts';

/**
 * Entries of a mapping file, compiled. The semantics are those of Port's agent: every string is a jq program over the
 * message, the first output counts, none or an error is null; objects and lists are searched for programs, other values
 * stand for themselves. Unlike there, empty objects inside a body are kept, and a program that failed says so in the run.
 *
 * What jq says about a failure may quote the message, in which secrets have been decrypted; such parts are left out.
 */
export type Compiled = { ok: true; entries: MappingEntry[] } | { ok: false; mistake: string };

type Environment = Readonly<Record<string, string>>;
/** One part of the mapping, ready to be applied. */
type Part = (input: Json, note: Note) => Json;
/** `warn` takes a sentence about something that will not work as written, but does not keep the rest from working. */
interface Build {
  env: Environment;
  warn: (sentence: string) => void;
}

const requestKeys = ['method', 'url', 'body', 'headers', 'query'] as const;
const reportKeys = ['status', 'link', 'summary', 'externalRunId'] as const;
const knownKeys = new Set<string>(['enabled', 'report', 'fieldsToDecryptPaths', ...requestKeys]);

export function compileEntries(document: unknown, env: Environment, warn: (sentence: string) => void): Compiled {
  if (!Array.isArray(document)) return { ok: false, mistake: 'it must be a list of entries: [ { … }, { … } ]' };
  try {
    return {
      ok: true,
      entries: document.map((entry, index) => compileEntry(entry, `entry ${index + 1}`, { env, warn })),
    };
  } catch (error) {
    if (error instanceof Misshapen) return { ok: false, mistake: error.message };
    throw error;
  }
}

class Misshapen extends Error {}

function compileEntry(entry: unknown, name: string, build: Build): MappingEntry {
  if (!isObject(entry)) throw new Misshapen(`${name} must be an object`);
  for (const key of Object.keys(entry)) {
    if (!knownKeys.has(key)) build.warn(`${name}: ${key} is not a key of a mapping and is ignored`);
  }
  const { enabled = true, report, fieldsToDecryptPaths: secretPaths } = entry;
  if (typeof enabled !== 'boolean' && typeof enabled !== 'string') {
    throw new Misshapen(`${name}: enabled must be true, false or a jq program`);
  }
  if (secretPaths !== undefined && !(Array.isArray(secretPaths) && secretPaths.every((p) => typeof p === 'string'))) {
    throw new Misshapen(`${name}: fieldsToDecryptPaths must be a list of paths such as "payload.properties.password"`);
  }
  for (const key of ['method', 'url'] as const) {
    if (isSet(entry[key]) && typeof entry[key] !== 'string')
      throw new Misshapen(`${name}: ${key} must be a jq program`);
  }
  for (const key of ['body', 'headers', 'query', 'report'] as const) {
    const isFine = !isSet(entry[key]) || isObject(entry[key]) || (key !== 'report' && typeof entry[key] === 'string');
    if (!isFine) throw new Misshapen(`${name}: ${key} must be an object${key === 'report' ? '' : ' or a jq program'}`);
  }
  const selector = compilePart(enabled, `${name}: enabled`, build);
  const parts = requestKeys
    .filter((key) => isSet(entry[key]))
    .map((key) => [key, compilePart(entry[key], `${name}: ${key}`, build)] as const);
  const reports = reportKeys
    .filter((key) => isObject(report) && isSet(report[key]))
    .map((key) => [key, compilePart((report as Incoming)[key], `${name}: report.${key}`, build)] as const);

  return {
    wants: (message, note) => selector(message as Json, note) === true,
    secretPaths: (secretPaths as string[] | undefined) ?? [],
    request(message, note) {
      const { url, method } = destinationOf(message);
      const request: Invocation = { url, method, headers: {}, query: {}, body: message };
      for (const [key, part] of parts) request[key] = part(message as Json, note);
      // The original sends no body for null.
      if (request.body === null) delete request.body;
      return request;
    },
    ...(reports.length > 0 && { report: (context, note) => applyReport(reports, context, note) }),
  };
}

function applyReport(
  parts: readonly (readonly [(typeof reportKeys)[number], Part])[],
  { message, request, answer }: ReportContext,
  note: Note,
): RunPatch {
  const { url = null, method = null, body = null, headers = {}, query = {} } = request;
  const input = {
    body: message,
    request: { method, url, body, headers, query },
    response: {
      statusCode: answer.statusCode,
      headers: bothSpellings(answer.headers),
      text: answer.body,
      json: jsonOf(answer) ?? null,
    },
  } as unknown as Json;
  const patch: RunPatch = {};
  for (const [key, part] of parts) {
    const value = part(input, note);
    if (value === null) continue;
    if (key === 'status') {
      if (value === 'SUCCESS' || value === 'FAILURE') patch.status = value;
      else note('report.status gave something else than SUCCESS or FAILURE and is not used');
    } else if (key === 'link') patch.link = Array.isArray(value) ? value.map(asText) : asText(value);
    else patch[key] = asText(value);
  }
  return patch;
}

/** Mappings were written against `Content-Type` as servers spell it; ours come in lower case. */
function bothSpellings(headers: Readonly<Record<string, string>>): Record<string, string> {
  const titled = Object.entries(headers).map(([name, value]) => [
    name.replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase()),
    value,
  ]);
  return { ...headers, ...(Object.fromEntries(titled) as Record<string, string>) };
}

function compilePart(value: unknown, name: string, build: Build): Part {
  if (typeof value === 'string') return compileProgram(value, name, build);
  if (Array.isArray(value)) {
    const items = value.map((item, index) => compilePart(item, `${name}[${index}]`, build));
    return (input, note) => items.map((item) => item(input, note));
  }
  if (isObject(value)) {
    const entries = Object.entries(value).map(
      ([key, item]) => [key, compilePart(item, `${name}.${key}`, build)] as const,
    );
    return (input, note) => Object.fromEntries(entries.map(([key, item]) => [key, item(input, note)]));
  }
  return () => value as Json;
}

function compileProgram(source: string, name: string, { env, warn }: Build): Part {
  let program: Program;
  try {
    program = compile(source);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    const sentence = `${name} is not valid jq and gives null: ${error.message}. A fixed text needs inner quotes: "\\"text\\""`;
    warn(sentence);
    return (_, note) => {
      note(sentence);
      return null;
    };
  }
  return (input, note) => {
    const outcome = program.first(input, { env });
    if (outcome.ok) return outcome.value ?? null;
    note(`${name} failed and gives null: ${withoutValues(outcome.error.message)}`);
    return null;
  };
}

/** jq quotes values in parentheses and double quotes. */
function withoutValues(message: string): string {
  return message.replace(/\(.*\)|".*"/gs, '…').slice(0, 300);
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
