import { setTimeout as sleep } from 'node:timers/promises';
import { Consumer, stringDeserializers } from '@platformatic/kafka';
import { changeLogTopic, recordHeaders } from '@quayside/contracts/kafka-rules';
import type { TestKafka } from '../kafka.ts';
import type { AutomationRecord } from './automations.ts';
import type { Violation } from './check.ts';
import type { PortalClient } from './portal-client.ts';
import { inSnapshot, type Observed, type PortalRecord } from './record.ts';
import { changesPath } from './target.ts';

/**
 * What goes on in the catalog during a storm, and what must be left of it. A few things are counted up, 1, 2, 3 …, each
 * step written until it is known to be there; others have a timer. The change log of each blueprint has another destination,
 * and two automations listen. What must hold:
 *
 *   - the events of a thing are its steps, in order, and what was there before each is what the one before left; a call that
 *     got no answer may be carried out later, by a server that was stopped meanwhile; a timer expires once
 *   - each event for a URL became one message, delivered; each event for Kafka is in the topic, in order per thing (perhaps
 *     more than once: a publisher that was killed repeats)
 *   - messages may arrive in any order, and the `sequence` in each puts those of a thing in the order of its changes
 */
const blueprints = {
  'thing-portal': { type: 'WEBHOOK', agent: false },
  'thing-agent': { type: 'WEBHOOK', agent: true },
  'thing-kafka': { type: 'KAFKA' },
} as const;
type BlueprintName = keyof typeof blueprints;
const names = Object.keys(blueprints) as BlueprintName[];
const thingsPerBlueprint = 2;
const stepEveryMs = 600;
const timerEveryMs = 4_000;
/** The automation of changes fires for one step in so many. */
const oneIn = 5;

export async function setUpThings(portal: PortalClient, targetUrl: string): Promise<void> {
  const url = `${targetUrl}${changesPath}`;
  for (const identifier of names) {
    const destination = blueprints[identifier];
    await portal.must('POST', '/v1/blueprints', {
      identifier,
      title: identifier,
      schema: { properties: { n: { type: 'number' }, due: { type: 'string', format: 'timer' } }, required: [] },
      relations: {},
      changelogDestination: destination.type === 'KAFKA' ? destination : { ...destination, url },
    });
  }
  const automation = (identifier: string, event: object, expressions: string[], agent: boolean) =>
    portal.must('POST', '/v1/actions', {
      identifier,
      trigger: { type: 'automation', event, condition: { type: 'JQ', expressions } },
      invocationMethod: {
        type: 'WEBHOOK',
        url: `${targetUrl}/orders`,
        agent,
        synchronized: !agent,
        body: { inputs: { ticket: '{{ .run.id }}' }, isSync: !agent, context: { runId: '{{ .run.id }}' } },
      },
    });
  await automation(
    'on-change',
    { type: 'ENTITY_UPDATED', blueprintIdentifier: 'thing-portal' },
    [`.diff.after.properties.n % ${oneIn} == 0`],
    false,
  );
  await automation(
    'on-timer',
    { type: 'TIMER_PROPERTY_EXPIRED', blueprintIdentifier: 'thing-portal', propertyIdentifier: 'due' },
    [],
    true,
  );
}

/** Goes on until `stop`, which resolves when the last step is known to be there. */
export function startThings(portal: PortalClient, seen: Observed): { stop(): Promise<void> } {
  let isStopping = false;
  const write = async (blueprint: BlueprintName, identifier: string, properties: Record<string, unknown>) => {
    const path = `/v1/blueprints/${blueprint}/entities?upsert=true`;
    const { verdict, tries, body } = await portal.insist('POST', path, { identifier, properties });
    if (verdict !== 'accepted') throw new Error(`${identifier} was not written: ${JSON.stringify(body)}`);
    return tries - 1;
  };
  const count = async (blueprint: BlueprintName, identifier: string) => {
    for (let n = 1; !isStopping; n += 1) {
      const retries = await write(blueprint, identifier, { n });
      const thing = `${blueprint} ${identifier}`;
      seen.things.set(thing, n);
      seen.retried.set(thing, [...(seen.retried.get(thing) ?? []), ...Array<number>(retries).fill(n)]);
      await sleep(stepEveryMs);
    }
  };
  const time = async () => {
    for (let index = 0; !isStopping; index += 1) {
      const identifier = `timer-${index}`;
      await write('thing-portal', identifier, { due: new Date(Date.now() + 1_000 * (index % 20)).toISOString() });
      seen.timers.add(identifier);
      await sleep(timerEveryMs);
    }
  };
  const all = names.flatMap((name) =>
    Array.from({ length: thingsPerBlueprint }, (_, index) => count(name, `thing-${index}`)),
  );
  all.push(time());
  return {
    async stop() {
      isStopping = true;
      await Promise.all(all);
    },
  };
}

interface ThingEvent {
  seq: number;
  name: string;
  blueprint: BlueprintName;
  entity: string;
  n: number | null;
  nBefore: number | null;
}

/** A message of a change. */
interface ChangeMessage {
  id: string;
  blueprint: BlueprintName;
  entity: string;
  action: string;
  n: number | null;
  sequence: number | null;
}

export interface ThingsRecord {
  events: ThingEvent[];
  messages: ChangeMessage[];
  /** Sequence numbers of events in the order of the topic, by thing; undefined = there is no broker. */
  topic: Map<string, number[]> | undefined;
  /** For checkAutomations. */
  fires(automation: string, eventSeq: number): boolean;
}

export async function readThings(url: string, orgId: string, kafka: TestKafka | undefined): Promise<ThingsRecord> {
  const { events, messages } = await inSnapshot(url, orgId, async (read) => ({
    events: await read<ThingEvent>(`
      select seq::int, name, blueprint, entity, (after #>> '{properties,n}')::int as n, (before #>> '{properties,n}')::int as "nBefore"
      from events where org_id = $1 and blueprint like 'thing-%' and name like 'entity.%' order by seq`),
    messages: await read<ChangeMessage>(`
      select id, blueprint, entity, body ->> 'action' as action, (body #>> '{diff,after,properties,n}')::int as n,
        (body ->> 'sequence')::int as sequence
      from (select *, coalesce(payload -> 'body', payload -> 'message') as body from messages) m
      where org_id = $1 and kind = 'change' and body ->> 'resourceType' = 'entity' and blueprint like 'thing-%' order by seq`),
  }));
  const due = new Set(
    events.filter(({ name, n }) => name === 'entity.updated' && n !== null && n % oneIn === 0).map(({ seq }) => seq),
  );
  return {
    events,
    messages,
    topic: kafka && (await readTopic(kafka, changeLogTopic(orgId), events)),
    fires: (automation, seq) => automation === 'on-timer' || due.has(seq),
  };
}

async function readTopic(
  kafka: TestKafka,
  topic: string,
  events: readonly ThingEvent[],
): Promise<Map<string, number[]>> {
  const consumer = new Consumer({
    clientId: 'checker',
    groupId: 'checker',
    bootstrapBrokers: [kafka.plaintextBroker],
    deserializers: stringDeserializers,
    maxWaitTime: 100,
  });
  const thingOf = new Map(events.map(({ seq, blueprint, entity }) => [seq, `${blueprint} ${entity}`]));
  const order = new Map<string, number[]>();
  try {
    const ends = (await consumer.listOffsets({ topics: [topic] })).get(topic) ?? [];
    const left = new Set([...ends.keys()].filter((partition) => (ends[partition] ?? 0n) > 0n));
    const stream = await consumer.consume({ topics: [topic], mode: 'earliest' });
    if (left.size > 0)
      for await (const { headers, partition, offset } of stream) {
        const seq = Number(headers.get(recordHeaders.event)?.slice('e_'.length));
        const thing = thingOf.get(seq);
        if (thing !== undefined) order.set(thing, [...(order.get(thing) ?? []), seq]);
        if (offset + 1n >= (ends[partition] ?? 0n)) left.delete(partition);
        if (left.size === 0) break;
      }
  } finally {
    await consumer.close(true);
  }
  return order;
}

type ThingViolation = Omit<Violation, 'rule'> & { rule: string };

export function checkThings(record: ThingsRecord, seen: Observed): ThingViolation[] {
  const violations: ThingViolation[] = [];
  const report = (rule: string, about: string, message: string) => violations.push({ rule, about, message });
  const eventsOf = Map.groupBy(record.events, ({ blueprint, entity }) => `${blueprint} ${entity}`);

  for (const [thing, steps] of seen.things) {
    const mistake = mistakeInSteps(eventsOf.get(thing) ?? [], steps, seen.retried.get(thing) ?? []);
    if (mistake !== undefined) report('no change lost, doubled or made up', thing, mistake);
  }
  for (const timer of seen.timers) {
    const expiries = (eventsOf.get(`thing-portal ${timer}`) ?? []).filter(
      ({ name }) => name === 'entity.timer_expired',
    );
    if (expiries.length !== 1) report('no timer skipped or doubled', timer, `it expired ${expiries.length} times`);
  }

  const actions: Record<string, string> = { created: 'CREATE', updated: 'UPDATE', timer_expired: 'TIMER_EXPIRED' };
  const nameOf = (blueprint: string, entity: string, action: string | undefined, n: number | null) =>
    `${blueprint} ${entity} ${action}${action === 'TIMER_EXPIRED' ? '' : ` ${n}`}`;
  const messagesOf = Map.groupBy(record.messages, ({ sequence }) => sequence);
  for (const { seq, name, blueprint, entity, n } of record.events) {
    const about = nameOf(blueprint, entity, actions[name.split('.')[1] ?? ''], n);
    const count = messagesOf.get(seq)?.length ?? 0;
    // Agents that read the broker have it from there; while they change over, from both.
    const isWrong = blueprint === 'thing-portal' ? count !== 1 : blueprint === 'thing-kafka' ? count > 0 : count > 1;
    if (isWrong) report('each change is one message', about, `it became ${count} messages`);
    if (blueprint === 'thing-agent' && count === 0 && record.topic === undefined)
      report('each change is one message', about, 'it became none');
  }
  const eventOf = new Map(record.events.map((event) => [event.seq, event]));
  for (const { id, blueprint, entity, action, n, sequence } of record.messages) {
    const event = eventOf.get(sequence ?? 0);
    const about = nameOf(blueprint, entity, action, n);
    if (!event || nameOf(event.blueprint, event.entity, actions[event.name.split('.')[1] ?? ''], event.n) !== about)
      report(
        'messages can be put in order',
        about,
        `${id} has the sequence ${sequence}, which is not that of its change`,
      );
  }
  const arrived = new Map(seen.changes.map(({ runId, body }) => [runId, body]));
  for (const { id, blueprint, entity } of record.messages)
    if (!arrived.has(id)) report('every message arrived', `${blueprint} ${entity}`, `${id} never arrived at its URL`);
  for (const { runId, body } of seen.changes)
    if (arrived.get(runId) !== body) report('every message arrived', runId, 'arrived with different bodies');

  if (record.topic)
    for (const [thing, events] of eventsOf) {
      const inTopic = [...new Set(record.topic.get(thing) ?? [])];
      const wanted = thing.startsWith('thing-portal') ? [] : events.map(({ seq }) => seq);
      if (inTopic.join() === wanted.join()) continue;
      const at = wanted.findIndex((seq, index) => seq !== inTopic[index]);
      report(
        'the change log in Kafka is whole and in order',
        thing,
        `${wanted.length} changes, ${inTopic.length} in the topic; the first that differs is ${inTopic[at]} instead of ${wanted[at]}`,
      );
    }
  return violations;
}

/** Undefined = the events of the thing are what its writer did. */
function mistakeInSteps(events: readonly ThingEvent[], steps: number, retried: readonly number[]): string | undefined {
  const mayComeLate = [...retried];
  let reached = 0;
  let value = 0;
  for (const [index, { n, nBefore }] of events.entries()) {
    const late = n === null ? -1 : mayComeLate.indexOf(n);
    const isNext = n === reached + 1;
    if ((nBefore ?? 0) !== value || n === null || !(isNext || late >= 0))
      return `${steps} steps were written; of ${events.length} events the ${index + 1}. goes from ${nBefore} to ${n}, after ${value}, when ${reached} was reached`;
    if (isNext) reached = n;
    else mayComeLate.splice(late, 1);
    value = n;
  }
  return reached === steps ? undefined : `${steps} steps were written, and the events end with ${reached}`;
}

export function summarizeThings(
  record: ThingsRecord,
  automations: readonly AutomationRecord[],
  messages: PortalRecord,
): Record<string, number> {
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
  const { topic } = record;
  return {
    'changes of the catalog': record.events.length,
    'timers that expired': record.events.filter(({ name }) => name === 'entity.timer_expired').length,
    'runs that automations started': sum(automations.map(({ runs }) => runs.length)),
    'messages about changes': messages.runs.length,
    'attempts to deliver them': messages.deliveries.length,
    ...(topic && {
      'records of changes in Kafka': sum([...topic.values()].map((seqs) => seqs.length)),
      'of these repeated': sum([...topic.values()].map((seqs) => seqs.length - new Set(seqs).size)),
    }),
  };
}
