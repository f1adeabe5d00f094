import type { Action, ActionBody, ErrorDetail, SelfServiceTrigger } from '@quayside/contracts';

/** The action that is being written: the document itself, so that form and JSON can not drift apart. */
export type Draft = ActionBody & { trigger: SelfServiceTrigger };

export const emptyDraft: Draft = {
  identifier: '',
  title: '',
  trigger: { type: 'self-service', operation: 'CREATE', userInputs: { properties: {}, required: [], order: [] } },
  invocationMethod: { type: 'WEBHOOK', url: '', agent: false, synchronized: false, method: 'POST' },
  requiredApproval: false,
};

/** What the server added when it stored the document is not part of what one writes. */
export function draftOf(action: Action): Draft {
  const { id: _id, createdAt: _at, createdBy: _by, updatedAt: _then, updatedBy: _who, ...body } = action;
  return body as Draft;
}

/** A copy under a name of its own; the author sees that it is one. */
export function duplicateOf(action: Action): Draft {
  return {
    ...draftOf(action),
    identifier: `${action.identifier}_copy`,
    title: `${action.title ?? action.identifier} (copy)`,
  };
}

/** `Scaffold a service` → `scaffold_a_service`. */
export function slugOf(title: string): string {
  return title
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}0-9]+/gu, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, 200);
}

export type ReadDraft = { kind: 'read'; draft: Draft } | { kind: 'unreadable'; message: string };

/** Enough of the shape that the form can show it; the server judges the rest, with the path of each mistake. */
export function readDraft(text: string): ReadDraft {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'unreadable', message: 'This is not valid JSON; the form shows the document as it was before.' };
  }
  const unreadable = (message: string): ReadDraft => ({ kind: 'unreadable', message });
  if (!isObject(value)) return unreadable('An action is a JSON object.');
  const { trigger, invocationMethod } = value;
  if (!isObject(trigger) || trigger.type !== 'self-service')
    return unreadable('"trigger" must be an object of the type "self-service".');
  if (!['CREATE', 'DAY-2', 'DELETE'].includes(String(trigger.operation)))
    return unreadable('"trigger.operation" must be "CREATE", "DAY-2" or "DELETE".');
  if (!isObject(trigger.userInputs) || !isObject(trigger.userInputs.properties))
    return unreadable('"trigger.userInputs.properties" must be an object with an entry for each input.');
  if (!Object.values(trigger.userInputs.properties).every(isObject))
    return unreadable('Every input must be an object.');
  if (!isObject(invocationMethod) || typeof invocationMethod.type !== 'string')
    return unreadable('"invocationMethod" must be an object with a "type".');
  return { kind: 'read', draft: value as unknown as Draft };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The same object with one key set, or without it. Keys keep their order. */
export function withKey<T extends object>(object: T, key: string, value: unknown): T {
  if (value !== undefined) return { ...object, [key]: value };
  return Object.fromEntries(Object.entries(object).filter(([each]) => each !== key)) as T;
}

export const tabs = ['basic', 'form', 'backend', 'permissions'] as const;
export type Tab = (typeof tabs)[number];

/** Where a mistake of the server can be mended. */
export function tabOf(path: string): Tab {
  if (/^body\.trigger\.userInputs/.test(path)) return 'form';
  if (/^body\.invocationMethod/.test(path)) return 'backend';
  if (/^body\.(?:requiredApproval|approvalNotification|allowAnyoneToViewRuns|execute|approve|concurrency)/.test(path))
    return 'permissions';
  return 'basic';
}

/** What can be told before the server is asked. */
export function findObvious(draft: Draft): ErrorDetail[] {
  const mistakes: ErrorDetail[] = [];
  if (!draft.title?.trim()) mistakes.push({ path: 'body.title', message: 'is required.' });
  if (!draft.identifier.trim()) mistakes.push({ path: 'body.identifier', message: 'is required.' });
  for (const key of ['actionCardButtonText', 'executeActionButtonText'] as const) {
    const text = draft.trigger[key];
    if (text !== undefined && (text.length > 15 || text.trim() !== text))
      mistakes.push({ path: `body.trigger.${key}`, message: 'has at most 15 characters, and no blank at its ends.' });
  }
  return mistakes;
}
