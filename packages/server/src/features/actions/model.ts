import type { ActionBody, ActionInput, ErrorDetail, SelfServiceTrigger, UserInputs } from '@quayside/contracts';
import { compileExpression, compileTemplate, mistakeInPattern } from '@quayside/expressions';

/** Rules of an action document that its schema can not say (spec/actions.md §1.1–1.5, §1.9). */

export function selfServiceTrigger(action: ActionBody): SelfServiceTrigger | undefined {
  return action.trigger.type === 'self-service' ? (action.trigger as SelfServiceTrigger) : undefined;
}

/** Everything wrong with the document, each with its path. Blueprints it names are checked by the service. */
export function findMistakes(action: ActionBody): ErrorDetail[] {
  const mistakes: ErrorDetail[] = [];
  const trigger = selfServiceTrigger(action);
  if (trigger) {
    if (trigger.condition && trigger.operation === 'CREATE')
      mistakes.push({
        path: 'body.trigger.condition',
        message: 'is only possible for the operations DAY-2 and DELETE.',
      });
    if (trigger.condition && !trigger.blueprintIdentifier)
      mistakes.push({ path: 'body.trigger.condition', message: 'needs trigger.blueprintIdentifier.' });
    mistakes.push(...findInputMistakes(trigger.userInputs));
  }
  if (action.trigger.type === 'automation')
    for (const [index, expression] of (action.trigger.condition?.expressions ?? []).entries()) {
      const compiled = compileExpression(expression);
      if (!compiled.ok)
        mistakes.push({
          path: `body.trigger.condition.expressions.${index}`,
          message: `does not compile: ${compiled.error.message}`,
        });
    }
  mistakes.push(...findTemplateMistakes(action.invocationMethod));
  return mistakes;
}

function findInputMistakes(inputs: UserInputs): ErrorDetail[] {
  const root = 'body.trigger.userInputs';
  const mistakes: ErrorDetail[] = [];
  const names = new Set(Object.keys(inputs.properties));
  const placed = new Set([...names, ...Object.keys(inputs.titles ?? {})]);
  const mustName = (list: readonly string[], known: ReadonlySet<string>, path: string, what: string) => {
    for (const name of list)
      if (!known.has(name)) mistakes.push({ path, message: `names "${name}", which is not ${what}.` });
  };
  if (inputs.order && inputs.steps)
    mistakes.push({ path: `${root}.order`, message: 'can not stand beside steps; each step has its own order.' });
  mustName(inputs.order ?? [], placed, `${root}.order`, 'an input or a title');
  for (const [index, step] of (inputs.steps ?? []).entries()) {
    mustName(step.order, placed, `${root}.steps.${index}.order`, 'an input or a title');
    checkJq(step.visible, `${root}.steps.${index}.visible`, mistakes);
  }
  if (Array.isArray(inputs.required)) mustName(inputs.required, names, `${root}.required`, 'an input');
  else checkJq(inputs.required, `${root}.required`, mistakes);
  for (const [key, title] of Object.entries(inputs.titles ?? {}))
    checkJq(title.visible, `${root}.titles.${key}.visible`, mistakes);
  for (const [name, input] of Object.entries(inputs.properties)) {
    const path = `${root}.properties.${name}`;
    mustName(input.dependsOn ?? [], names, `${path}.dependsOn`, 'an input');
    if (input.format === 'entity' && !input.blueprint)
      mistakes.push({ path: `${path}.blueprint`, message: 'is required for the format entity.' });
    const items = input.items as ActionInput | undefined;
    if (items?.format === 'entity' && !items.blueprint)
      mistakes.push({ path: `${path}.items.blueprint`, message: 'is required for the format entity.' });
    if (input.encryption && input.type !== 'string' && input.type !== 'object')
      mistakes.push({ path: `${path}.encryption`, message: 'is only possible for text and objects.' });
    if (typeof input.pattern === 'string') checkPattern(input.pattern, `${path}.pattern`, mistakes);
    for (const key of ['visible', 'disabled', 'default', 'enum', 'pattern', 'minItems', 'maxItems'] as const)
      checkJq(input[key], `${path}.${key}`, mistakes);
    checkJqBelow(input.items, `${path}.items`, mistakes);
  }
  return mistakes;
}

function checkPattern(pattern: string, path: string, mistakes: ErrorDetail[]): void {
  const message = mistakeInPattern(pattern);
  if (message !== undefined) mistakes.push({ path, message: `${message}.` });
}

/** `{jqQuery}` objects must compile: a form that silently ignores one can not be debugged. */
function checkJq(value: unknown, path: string, mistakes: ErrorDetail[]): void {
  const jqQuery = (value as { jqQuery?: unknown } | null | undefined)?.jqQuery;
  if (typeof jqQuery !== 'string') return;
  const compiled = compileExpression(jqQuery);
  if (!compiled.ok) mistakes.push({ path: `${path}.jqQuery`, message: `does not compile: ${compiled.error.message}` });
}

/** Datasets are left out: Port's Terraform provider writes programs there that do not compile, and they match nothing. */
function checkJqBelow(value: unknown, path: string, mistakes: ErrorDetail[]): void {
  checkJq(value, path, mistakes);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value))
    if (key !== 'dataset') checkJqBelow(inner, `${path}.${key}`, mistakes);
}

/** Unbalanced braces would fail every run, so they are refused here. A jq error inside a block yields null by contract. */
function findTemplateMistakes(invocation: unknown): ErrorDetail[] {
  return compileTemplate(invocation as Parameters<typeof compileTemplate>[0]).mistakes.map((mistake) => ({
    path: `body.invocationMethod${mistake.path.length > 0 ? `.${mistake.path.join('.')}` : ''}`,
    message: `does not compile: ${mistake.reason}`,
  }));
}

export interface ActionFilter {
  action_identifier?: string[];
  blueprint_identifier?: string[];
  operation?: string[];
  published?: boolean;
  trigger_type?: string;
  trigger_event?: string[];
  trigger_event_action_identifier?: string[];
}

/** Filters combine with AND; a filter about a kind of trigger leaves the other kind out. */
export function matchesFilter(action: ActionBody, filter: ActionFilter): boolean {
  const trigger = action.trigger as {
    type: string;
    operation?: string;
    blueprintIdentifier?: string;
    event?: { type: string; blueprintIdentifier?: string; actionIdentifier?: string };
  };
  const has = (list: string[] | undefined, value: string | undefined) =>
    list === undefined || (value !== undefined && list.includes(value));
  return (
    has(filter.action_identifier, action.identifier) &&
    has(filter.blueprint_identifier, trigger.blueprintIdentifier ?? trigger.event?.blueprintIdentifier) &&
    has(filter.operation, trigger.operation) &&
    has(filter.trigger_event, trigger.event?.type) &&
    has(filter.trigger_event_action_identifier, trigger.event?.actionIdentifier) &&
    (filter.trigger_type === undefined || filter.trigger_type === trigger.type) &&
    (filter.published === undefined || filter.published === (action.publish ?? true))
  );
}

/** Written by people for people, or data: nothing in there names a blueprint. */
const opaque = new Set(['default', 'enum']);

/** The value with a blueprint's new identifier wherever it names the old one: as a key's value, or in a rule about `$blueprint`. */
export function withRenamedBlueprint<T>(value: T, from: string, to: string): T {
  if (Array.isArray(value)) return value.map((item) => withRenamedBlueprint(item, from, to)) as T;
  if (value === null || typeof value !== 'object') return value;
  const rule = value as { property?: unknown };
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const isName =
        key === 'blueprint' || key === 'blueprintIdentifier' || (key === 'value' && rule.property === '$blueprint');
      if (isName && inner === from) return [key, to];
      return [key, opaque.has(key) ? inner : withRenamedBlueprint(inner, from, to)];
    }),
  ) as T;
}

/** In its payload a name is data; only what the method itself writes to is a reference. */
export function renameBlueprintIn(action: ActionBody, from: string, to: string): ActionBody {
  const method = action.invocationMethod as { blueprintIdentifier?: string };
  return {
    ...action,
    trigger: withRenamedBlueprint(action.trigger, from, to),
    invocationMethod: (method.blueprintIdentifier === from
      ? { ...method, blueprintIdentifier: to }
      : method) as ActionBody['invocationMethod'],
  };
}

/** An automation that listens to an action goes on listening to it. */
export function renameActionIn(action: ActionBody, from: string, to: string): ActionBody {
  const trigger = action.trigger as { event?: { actionIdentifier?: string } };
  if (trigger.event?.actionIdentifier !== from) return action;
  return {
    ...action,
    trigger: { ...trigger, event: { ...trigger.event, actionIdentifier: to } } as ActionBody['trigger'],
  };
}
