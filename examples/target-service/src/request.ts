/**
 * What a request asks for. The body may be what an action's `body` template makes, or the message of an execution agent,
 * which wraps it; both are read the same way.
 */
export interface WorkRequest {
  runId: string;
  action: string;
  inputs: Record<string, unknown>;
  /** The entity that a day-2 action was started on. */
  entity: Entity | undefined;
  requestedBy: string;
}

export interface Entity {
  identifier: string;
  title?: string;
  properties: Record<string, unknown>;
  relations: Record<string, unknown>;
}

/** A text instead of a request says what is missing. `path` is that of the URL: its last part may name the action. */
export function readRequest(body: unknown, path: string): WorkRequest | string {
  if (!isRecord(body)) return 'the body must be a JSON object';
  const payload = record(body.payload);
  const runId = text(record(body.context).runId);
  if (runId === '') return 'context.runId is missing: without it nothing can be reported back';
  const action =
    text(body.action) ||
    text(record(body.action).identifier) ||
    text(record(payload.action).identifier) ||
    lastPart(path);
  return {
    runId,
    action,
    inputs: isRecord(body.inputs) ? body.inputs : record(payload.properties),
    entity: readEntity(body.entity) ?? readEntity(payload.entity),
    requestedBy: text(body.requestedBy) || text(record(record(record(body.trigger).by).user).email) || 'somebody',
  };
}

function readEntity(value: unknown): Entity | undefined {
  if (!isRecord(value) || text(value.identifier) === '') return undefined;
  return {
    identifier: text(value.identifier),
    ...(typeof value.title === 'string' && { title: value.title }),
    properties: record(value.properties),
    relations: record(value.relations),
  };
}

function lastPart(path: string): string {
  return path.split('?')[0]?.split('/').at(-1) ?? '';
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function record(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
