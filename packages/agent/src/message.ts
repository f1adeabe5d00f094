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

function asObject(value: unknown, key: string): Record<string, unknown> {
  if (isRecord(value)) return value;
  return value === undefined || value === null ? {} : { [key]: value };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
