import type { ActionInput, Blueprint } from '@quayside/contracts';
import { choicesOf, entityBlueprint, personKind, SECRET_MASK } from '@quayside/expressions';
import { sampleEntity } from '../../blueprints/index.ts';
import type { Draft } from './document.ts';

/** A run as it could be: what Test JQ starts from (spec/actions.md §1.13). People change it to what they want to see. */
export function sampleContext(
  draft: Draft,
  me: { id: string; email: string; firstName: string; lastName: string },
  now: Date,
  about: { blueprints?: readonly Blueprint[]; secrets?: Readonly<Record<string, string>> } = {},
) {
  const entityOf = (identifier: string) =>
    sampleEntity(
      identifier,
      about.blueprints?.find((each) => each.identifier === identifier),
    );
  const { operation, blueprintIdentifier, userInputs } = draft.trigger;
  const inputs = Object.entries(userInputs.properties).map(([name, input]) => [
    name,
    sampleValue(input, me.email, now, entityOf),
  ]);
  return {
    inputs: Object.fromEntries(inputs),
    trigger: {
      by: { orgId: 'org_sample', userId: me.id, user: me },
      origin: 'UI',
      at: now.toISOString(),
      operation,
    },
    event: null,
    entity: operation === 'CREATE' || !blueprintIdentifier ? {} : entityOf(blueprintIdentifier),
    action: { identifier: draft.identifier, blueprint: blueprintIdentifier ?? null },
    run: { id: 'r_sample' },
    secrets: about.secrets ?? {},
  };
}

function sampleValue(input: ActionInput, email: string, now: Date, entityOf: (blueprint: string) => unknown): unknown {
  if (input.encryption !== undefined) return SECRET_MASK;
  const given = input.default;
  if (given !== undefined && !(given as { jqQuery?: unknown } | null)?.jqQuery) return given;
  if (input.type === 'array' && input.items && input.enum === undefined)
    return [sampleValue(input.items as ActionInput, email, now, entityOf)];
  const choices = choicesOf(input);
  if (Array.isArray(choices)) return choices[0] ?? null;
  const blueprint = entityBlueprint(input);
  if (blueprint !== undefined) return entityOf(blueprint);
  if (personKind(input) === 'user') return email;
  if (input.format === 'date-time' || input.format === 'timer') return now.toISOString();
  if (input.format === 'labeled-url') return { url: 'https://example.com', displayText: 'Example' };
  return { string: 'text', number: input.minimum ?? 1, boolean: true, object: {}, array: [] }[input.type];
}

/** What the expressions of a run saw, as far as its record tells; secrets are masked there already. */
export function contextOfRun(
  draft: Draft,
  run: {
    id: string;
    properties?: unknown;
    rawProperties: unknown;
    createdAt: string;
    source?: string;
    entity?: unknown;
  },
  me: { id: string; email: string; firstName: string; lastName: string },
) {
  const made = sampleContext(draft, me, new Date(run.createdAt));
  return { ...made, inputs: run.properties ?? run.rawProperties, run: { id: run.id } };
}
