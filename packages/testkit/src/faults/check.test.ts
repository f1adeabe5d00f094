import { expect, it } from 'vitest';
import { checkRecord, rules } from './check.ts';
import type { Observed, PortalRecord } from './record.ts';

/** A story in which all is well; each case below breaks one thing in it. */
const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
const answered = (statusCode: number) =>
  ({ kind: 'answered', statusCode, headers: {}, body: '', isBodyTruncated: false, durationMs: 3 }) as const;

function story(): { record: PortalRecord; seen: Observed } {
  const run = { blueprint: null, entity: null };
  return {
    record: {
      runs: [
        { id: 'r_1', status: 'SUCCESS', endedAt: at(40), inputs: { ticket: 't1' } },
        { id: 'r_2', status: 'IN_PROGRESS', endedAt: null, inputs: { ticket: 't2' } },
        { id: 'r_3', status: 'IN_PROGRESS', endedAt: null, inputs: { ticket: 't3' } },
      ],
      deliveries: [
        {
          runId: 'r_1',
          attempt: 1,
          holder: 'a',
          state: 'lost',
          outcome: null,
          startedAt: at(1),
          endedAt: at(31),
          isReplay: false,
        },
        {
          runId: 'r_1',
          attempt: 2,
          holder: 'b',
          state: 'settled',
          outcome: answered(200),
          startedAt: at(31),
          endedAt: at(32),
          isReplay: false,
        },
        {
          runId: 'r_2',
          attempt: 1,
          holder: 'b',
          state: 'open',
          outcome: null,
          startedAt: at(33),
          endedAt: null,
          isReplay: false,
        },
      ],
      work: [
        { runId: 'r_2', fence: 1, holder: 'b' },
        { runId: 'r_3', fence: 0, holder: null },
      ],
      events: [
        { ...run, name: 'run.created', runId: 'r_1', statusBefore: null, statusAfter: 'IN_PROGRESS' },
        { ...run, name: 'run.created', runId: 'r_2', statusBefore: null, statusAfter: 'WAITING_FOR_APPROVAL' },
        { ...run, name: 'run.created', runId: 'r_3', statusBefore: null, statusAfter: 'IN_PROGRESS' },
        { ...run, name: 'run.published', runId: 'r_3', statusBefore: null, statusAfter: null },
        {
          name: 'entity.created',
          runId: 'r_1',
          blueprint: 'service',
          entity: 'shop',
          statusBefore: null,
          statusAfter: null,
        },
        { ...run, name: 'run.updated', runId: 'r_1', statusBefore: 'IN_PROGRESS', statusAfter: 'SUCCESS' },
        { ...run, name: 'run.updated', runId: 'r_2', statusBefore: 'WAITING_FOR_APPROVAL', statusAfter: 'IN_PROGRESS' },
      ],
      logs: [{ runId: 'r_1', message: 'built' }],
      entities: [{ blueprint: 'service', identifier: 'shop', properties: { tier: 1 } }],
    },
    seen: {
      executions: [
        { ticket: 't1', verdict: 'accepted', runId: 'r_1' },
        { ticket: 't2', verdict: 'accepted', runId: 'r_2' },
        { ticket: 't3', verdict: 'unknown' },
        { ticket: 't4', verdict: 'unknown' },
        { ticket: 't5', verdict: 'refused' },
      ],
      requests: [
        { runId: 'r_1', idempotencyKey: 'r_1', webhookId: 'r_1', attempt: 1, answered: 200 },
        { runId: 'r_1', idempotencyKey: 'r_1', webhookId: 'r_1', attempt: 2, answered: 200 },
        { runId: 'r_2', idempotencyKey: 'r_2', webhookId: 'r_2', attempt: 1 },
      ],
      changes: [],
      things: new Map(),
      retried: new Map(),
      timers: new Set(),
      reports: [
        { kind: 'log', runId: 'r_1', message: 'built', tries: 2, verdict: 'accepted' },
        {
          kind: 'entity',
          runId: 'r_1',
          blueprint: 'service',
          identifier: 'shop',
          properties: { tier: 1 },
          tries: 1,
          verdict: 'accepted',
        },
        { kind: 'status', runId: 'r_1', status: 'SUCCESS', tries: 1, verdict: 'accepted' },
      ],
    },
  };
}

const check = ({ record, seen }: ReturnType<typeof story>, isFinished = false) =>
  checkRecord(record, seen, { isFinished, leaseMsOf: () => 30_000 });

it('finds nothing where all is well', () => {
  expect(check(story())).toEqual([]);
});

it('finds nothing in a replay of a run that has ended', () => {
  const { record, seen } = story();
  const replay = { runId: 'r_1', attempt: 3, holder: 'b', isReplay: true, startedAt: at(50), endedAt: at(51) };
  record.deliveries.splice(2, 0, { ...replay, state: 'settled', outcome: answered(500) });
  const event = { blueprint: null, entity: null, runId: 'r_1', statusBefore: null, statusAfter: null };
  record.events.push({ ...event, name: 'run.replayed' }, { ...event, name: 'run.published' });
  seen.requests.push({ ...get(seen.requests, 1), attempt: 3, answered: 500 });
  expect(check({ record, seen })).toEqual([]);
});

/** The element must be there, or the violation would not be planted. */
function get<T>(list: readonly T[], index: number): T {
  const item = list.at(index);
  if (item === undefined) throw new Error(`There is no element ${index}.`);
  return item;
}

const planted: [keyof typeof rules, string, (broken: ReturnType<typeof story>) => void][] = [
  [
    'no execution lost, doubled or made up',
    'an accepted run is gone',
    ({ record }) => {
      Object.assign(get(record.runs, 0), { inputs: { ticket: 't4' } });
    },
  ],
  [
    'no execution lost, doubled or made up',
    'a refused call left a run',
    ({ seen }) => {
      get(seen.executions, 2).verdict = 'refused';
    },
  ],
  [
    'no execution lost, doubled or made up',
    'one call made two runs',
    ({ record }) => {
      get(record.runs, 2).inputs = { ticket: 't2' };
    },
  ],
  [
    'no execution lost, doubled or made up',
    'a run that nobody executed',
    ({ seen }) => {
      seen.executions.splice(2, 1);
    },
  ],
  [
    'no run lost',
    'nobody can claim it',
    ({ record }) => {
      record.work.pop();
    },
  ],
  [
    'no run lost',
    'it failed to be delivered and is left',
    ({ record, seen }) => {
      get(seen.requests, 2).answered = 500;
      Object.assign(get(record.deliveries, 2), { state: 'settled', outcome: answered(500), endedAt: at(34) });
      record.work.shift();
    },
  ],
  [
    'no run lost',
    'work without a run',
    ({ record }) => {
      record.work.push({ runId: 'r_9', fence: 0, holder: null });
    },
  ],
  [
    'no run lost',
    'an end that is not noted',
    ({ record }) => {
      get(record.runs, 0).endedAt = null;
    },
  ],
  [
    'never two live leases',
    'the second begins before the first ends',
    ({ record }) => {
      get(record.deliveries, 1).startedAt = at(30);
    },
  ],
  [
    'never two live leases',
    'two open ones',
    ({ record }) => {
      Object.assign(get(record.deliveries, 0), { state: 'open', endedAt: null });
    },
  ],
  [
    'never two live leases',
    'taken over before its time',
    ({ record }) => {
      get(record.deliveries, 0).startedAt = at(20);
    },
  ],
  [
    'never two live leases',
    'a token was skipped',
    ({ record, seen }) => {
      get(record.deliveries, 2).attempt = 2;
      get(record.work, 0).fence = 2;
      get(seen.requests, 2).attempt = 2;
    },
  ],
  [
    'never two live leases',
    'a lease without a record',
    ({ record }) => {
      Object.assign(get(record.work, 1), { fence: 1, holder: 'c' });
    },
  ],
  [
    'never two live leases',
    'a record without a lease',
    ({ record }) => {
      get(record.work, 0).holder = null;
    },
  ],
  [
    'never two live leases',
    'a token that went back',
    ({ record }) => {
      get(record.work, 0).fence = 0;
    },
  ],
  [
    'messages only of runs that are under way',
    'after its end',
    ({ record }) => {
      record.events.push({ ...get(record.events, 3), runId: 'r_1' });
    },
  ],
  [
    'messages only of runs that are under way',
    'before its approval',
    ({ record }) => {
      record.events.splice(2, 0, { ...get(record.events, 3), runId: 'r_2' });
    },
  ],
  [
    'statuses only forward',
    'out of a final status',
    ({ record }) => {
      record.events.push({ ...get(record.events, 5), statusBefore: 'SUCCESS', statusAfter: 'FAILURE' });
      get(record.runs, 0).status = 'FAILURE';
    },
  ],
  [
    'statuses only forward',
    'back to the approval',
    ({ record }) => {
      record.events.push({
        ...get(record.events, 6),
        statusBefore: 'IN_PROGRESS',
        statusAfter: 'WAITING_FOR_APPROVAL',
      });
      get(record.runs, 1).status = 'WAITING_FOR_APPROVAL';
    },
  ],
  [
    'statuses only forward',
    'a change without an event',
    ({ record }) => {
      record.events.splice(5, 1);
    },
  ],
  [
    'statuses only forward',
    'closed twice',
    ({ record }) => {
      record.events.push(get(record.events, 5));
    },
  ],
  [
    'statuses only forward',
    'created twice',
    ({ record }) => {
      record.events.push({ ...get(record.events, 2), statusBefore: 'IN_PROGRESS' });
    },
  ],
  [
    'statuses only forward',
    'an event of a run that was rolled back',
    ({ record }) => {
      record.events.push({ ...get(record.events, 2), runId: 'r_9' });
    },
  ],
  [
    'every attempt recorded',
    'an attempt without a record',
    ({ seen }) => {
      seen.requests.push({ ...get(seen.requests, 1), attempt: 3 });
    },
  ],
  [
    'every attempt recorded',
    'one lease sent twice',
    ({ seen }) => {
      seen.requests.push(get(seen.requests, 1));
    },
  ],
  [
    'every attempt recorded',
    'sent, and given back as unused',
    ({ record }) => {
      get(record.deliveries, 0).state = 'returned';
    },
  ],
  [
    'every attempt recorded',
    'sent, and recorded as not sent',
    ({ record }) => {
      get(record.deliveries, 1).outcome = { kind: 'unreachable', code: 'X', message: '', durationMs: 1 };
    },
  ],
  [
    'a recorded answer was given',
    'a success that nobody saw',
    ({ seen }) => {
      seen.requests.splice(1, 1);
    },
  ],
  [
    'a recorded answer was given',
    'another status',
    ({ seen }) => {
      get(seen.requests, 1).answered = 500;
    },
  ],
  [
    'a recorded answer was given',
    'settled without an outcome',
    ({ record }) => {
      get(record.deliveries, 1).outcome = null;
    },
  ],
  [
    'a recorded answer was given',
    'handed out again after its delivery',
    ({ record }) => {
      Object.assign(get(record.deliveries, 0), { state: 'settled', outcome: answered(200) });
    },
  ],
  [
    'duplicates carry the same key',
    'another key',
    ({ seen }) => {
      Object.assign(get(seen.requests, 1), { idempotencyKey: 'r_1-2', webhookId: 'r_1-2' });
    },
  ],
  [
    'duplicates carry the same key',
    'two keys in one request',
    ({ seen }) => {
      get(seen.requests, 1).webhookId = 'msg_2';
    },
  ],
  [
    'duplicates carry the same key',
    'the key of another run',
    ({ seen }) => {
      Object.assign(get(seen.requests, 2), { idempotencyKey: 'r_1', webhookId: 'r_1' });
    },
  ],
  [
    'duplicates carry the same key',
    'no key',
    ({ seen }) => {
      Object.assign(get(seen.requests, 2), { idempotencyKey: '', webhookId: '' });
    },
  ],
  [
    'reports are kept as they were made',
    'a line is missing',
    ({ record }) => {
      record.logs.pop();
    },
  ],
  [
    'reports are kept as they were made',
    'a line is there more often than it was told',
    ({ record }) => {
      record.logs.push(get(record.logs, 0), get(record.logs, 0));
    },
  ],
  [
    'reports are kept as they were made',
    'an entity is missing',
    ({ record }) => {
      record.entities.pop();
      record.events.splice(4, 1);
    },
  ],
  [
    'reports are kept as they were made',
    'an entity differs',
    ({ record }) => {
      get(record.entities, 0).properties = { tier: 2 };
    },
  ],
  [
    'reports are kept as they were made',
    'an entity that nobody reported',
    ({ record }) => {
      record.entities.push({ blueprint: 'service', identifier: 'ghost', properties: {} });
    },
  ],
  [
    'reports are kept as they were made',
    'an entity was created twice',
    ({ record }) => {
      record.events.push(get(record.events, 4));
    },
  ],
  [
    'reports are kept as they were made',
    'an entity is not tied to its run',
    ({ record }) => {
      get(record.events, 4).runId = null;
    },
  ],
  [
    'reports are kept as they were made',
    'a status refused to a run that goes on',
    ({ seen }) => {
      Object.assign(get(seen.reports, 2), { runId: 'r_2', verdict: 'refused' });
    },
  ],
  [
    'reports are kept as they were made',
    'another status than reported',
    ({ seen }) => {
      Object.assign(get(seen.reports, 2), { status: 'FAILURE' });
    },
  ],
];

it.each(planted)('%s: %s', (rule, _, plant) => {
  const broken = story();
  plant(broken);
  expect(check(broken).map((violation) => violation.rule)).toContain(rule);
});

it('a run that is still under way is lost when everything is over', () => {
  expect(check(story(), true).map(({ about }) => about)).toEqual(['r_2', 'r_2', 'r_3', 'r_3']);
});

it('an entity that is written after the end of its run is not tied to it', () => {
  const { record, seen } = story();
  const [made] = record.events.splice(4, 1);
  record.events.push({ ...made, runId: null } as never);
  expect(check({ record, seen })).toEqual([]);
});

it('instants of a clock that was stepped prove nothing', () => {
  const { record, seen } = story();
  get(record.deliveries, 1).startedAt = at(30);
  get(record.deliveries, 0).startedAt = at(20);
  expect(check({ record, seen })).toHaveLength(2);
  expect(checkRecord(record, seen, { isFinished: false, leaseMsOf: () => 30_000, clockSlackMs: 62_000 })).toEqual([]);
});

it('every rule has a violation planted', () => {
  expect(new Set(planted.map(([rule]) => rule))).toEqual(new Set(Object.keys(rules)));
});
