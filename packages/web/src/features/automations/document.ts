import { type Action, ActionBody, type AutomationTrigger, type EvaluationOutcome } from '@quayside/contracts';

export type Automation = Action & { trigger: AutomationTrigger };

export const isAutomation = (action: Action): action is Automation => action.trigger.type === 'automation';

/** What may be written back: without what the server sets. */
export function bodyOf(automation: Action): ActionBody {
  const written = Object.keys(ActionBody.properties);
  return Object.fromEntries(Object.entries(automation).filter(([key]) => written.includes(key))) as ActionBody;
}

const entityWords: Readonly<Record<string, string>> = {
  ENTITY_CREATED: 'is created',
  ENTITY_UPDATED: 'is updated',
  ENTITY_DELETED: 'is deleted',
  ANY_ENTITY_CHANGE: 'changes in any way',
};
const runWords: Readonly<Record<string, string>> = {
  RUN_CREATED: 'is created',
  RUN_UPDATED: 'is updated',
  ANY_RUN_CHANGE: 'changes in any way',
};

/** What an automation listens to, as the end of a sentence that begins with "When". */
export function eventInWords(event: AutomationTrigger['event']): string {
  if ('propertyIdentifier' in event)
    return `the timer ${event.propertyIdentifier} of an entity of ${event.blueprintIdentifier} expires`;
  if ('actionIdentifier' in event) return `a run of ${event.actionIdentifier} ${runWords[event.type] ?? 'changes'}`;
  return `an entity of ${event.blueprintIdentifier} ${entityWords[event.type] ?? 'changes'}`;
}

/** The event that a document names, also while it is no JSON because somebody types in it. */
export function eventWritten(text: string): AutomationTrigger['event'] | undefined {
  const written = (key: string): string | undefined => new RegExp(`"${key}"\\s*:\\s*"([^"\\\\]+)"`).exec(text)?.[1];
  const type = /"type"\s*:\s*"((?:(?:ENTITY|RUN)_\w+|ANY_(?:ENTITY|RUN)_CHANGE|TIMER_PROPERTY_EXPIRED))"/.exec(
    text,
  )?.[1];
  if (type === undefined) return undefined;
  const blueprintIdentifier = written('blueprintIdentifier') ?? '';
  const actionIdentifier = written('actionIdentifier') ?? '';
  const propertyIdentifier = written('propertyIdentifier') ?? '';
  if (type === 'TIMER_PROPERTY_EXPIRED') return { type, blueprintIdentifier, propertyIdentifier };
  return (type in runWords ? { type, actionIdentifier } : { type, blueprintIdentifier }) as AutomationTrigger['event'];
}

export const outcomeWords: Readonly<Record<EvaluationOutcome, string>> = {
  fired: 'Fired',
  not_fired: 'Did not fire',
  failed: 'Failed',
  blocked: 'Blocked',
};
export const outcomeTones = { fired: 'go', not_fired: 'calm', failed: 'stop', blocked: 'wait' } as const;

/** By title and name, and by what it listens to. */
export function matches(automation: Automation, text: string): boolean {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const all =
    `${automation.title ?? ''} ${automation.identifier} ${automation.description ?? ''} ${eventInWords(automation.trigger.event)}`.toLowerCase();
  return words.every((word) => all.includes(word));
}

export const newEvent: AutomationTrigger['event'] = { type: 'ENTITY_UPDATED', blueprintIdentifier: 'service' };

/** Where a new one starts from: it is switched off, so that nothing happens before it is finished. */
export const newAutomation: ActionBody = {
  identifier: 'my_automation',
  title: 'My automation',
  publish: false,
  trigger: {
    type: 'automation',
    event: newEvent,
    condition: {
      type: 'JQ',
      expressions: ['.diff.before.properties.status != .diff.after.properties.status'],
      combinator: 'and',
    },
  },
  invocationMethod: {
    type: 'WEBHOOK',
    url: 'https://example.com/hook',
    synchronized: true,
    body: { entity: '{{ .event.context.entityIdentifier }}', run: '{{ .run.id }}' },
  },
};
