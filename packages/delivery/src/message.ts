import { messageSignature, portableJson } from '@quayside/contracts/kafka-rules';
import { sign, verify } from './signing.ts';

/**
 * The message that a target receives, as Port's agent builds it (spec/actions.md §2.8.2): the action's body, and in it the
 * invocation, the run id and the custom headers. What the action's author wrote is kept; where a level that must be an
 * object is something else, the value moves one level down (`payload.body`), so that nothing is lost.
 */
export interface Claimed {
  id: string;
  /** The rendered invocation: `{type, url, agent, synchronized, method, headers, body, …}`. */
  payload: Readonly<Record<string, unknown>>;
}

export type Message = Record<string, unknown> & {
  headers: Record<string, unknown>;
  payload: { action: { invocationMethod: Record<string, unknown> } };
  context: { runId: string };
};

export function buildMessage(run: Claimed): Message {
  const { body, ...invocation } = run.payload;
  const headers = asObject(invocation.headers, 'value');
  const message: Record<string, unknown> = isRecord(body) ? { ...body } : { payload: { body } };
  const payload = asObject(message.payload, 'body');
  const action = asObject(payload.action, 'identifier');
  return {
    ...message,
    headers,
    payload: {
      ...payload,
      action: {
        ...action,
        invocationMethod: {
          ...invocation,
          agent: true,
          synchronized: isSynchronized(invocation),
          method: invocation.method ?? 'POST',
          headers,
        },
      },
    },
    context: { ...asObject(message.context, 'value'), runId: run.id },
  };
}

/** A template may have left a text where a flag is meant. */
export function isSynchronized(invocation: Readonly<Record<string, unknown>>): boolean {
  return invocation.synchronized === true || invocation.synchronized === 'true';
}

/**
 * The text of a message in Kafka: the message, and in its `headers` the signature over the message without these two headers
 * (of a GITLAB invocation: without `headers` at all, because Port's agent drops them before it verifies).
 */
export function signMessage(message: Message, secret: string, timestampSeconds: number): string {
  const plain = { ...message, headers: withoutSignature(message.headers) };
  const signature = sign(portableJson(signedPart(plain)), secret, timestampSeconds);
  const headers = {
    ...plain.headers,
    [messageSignature.signature]: signature,
    [messageSignature.timestamp]: String(timestampSeconds),
  };
  return portableJson({ ...plain, headers });
}

export type Verification =
  | { kind: 'valid' /** Without the signature. */; message: Record<string, unknown> }
  | { kind: 'unsigned' }
  | { kind: 'forged' };

/** Accepts both ways of writing numbers: ours, which Python agents verify too, and that of other portals. */
export function verifyMessage(received: Readonly<Record<string, unknown>>, secret: string): Verification {
  const headers = isRecord(received.headers) ? received.headers : {};
  const signature = headers[messageSignature.signature];
  const timestamp = Number(headers[messageSignature.timestamp] ?? Number.NaN);
  if (typeof signature !== 'string' || !Number.isSafeInteger(timestamp)) return { kind: 'unsigned' };
  const message = { ...received, headers: withoutSignature(headers) };
  const part = signedPart(message);
  const isValid = [portableJson, JSON.stringify].some((write) => verify(signature, write(part), secret, timestamp));
  return isValid ? { kind: 'valid', message } : { kind: 'forged' };
}

function withoutSignature(headers: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { [messageSignature.signature]: _, [messageSignature.timestamp]: __, ...rest } = headers;
  return rest;
}

function signedPart(message: Readonly<Record<string, unknown>>): unknown {
  if (invocationOf(message).type !== 'GITLAB') return message;
  const { headers: _, ...rest } = message;
  return rest;
}

/** What a message says about how it is to be carried out; empty where it says nothing. */
export function invocationOf(message: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const payload = isRecord(message.payload) ? message.payload : {};
  const action = isRecord(payload.action) ? payload.action : {};
  return isRecord(action.invocationMethod) ? action.invocationMethod : {};
}

function asObject(value: unknown, key: string): Record<string, unknown> {
  if (isRecord(value)) return value;
  return value === undefined || value === null ? {} : { [key]: value };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
