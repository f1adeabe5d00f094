import {
  type ActionBody,
  type ActionPermissionsPatch,
  actionRoutes,
  auditRoutes,
  blueprintRoutes,
  entityRoutes,
  identityRoutes,
  peopleRoutes,
  permissionRoutes,
  runRoutes,
} from '@quayside/contracts';
import { testOrganization } from '@quayside/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serviceBlueprint, webhookAction } from '../../../test/documents.ts';
import { type Caller, startTestApp, type TestApp } from '../../../test/harness.ts';

let test: TestApp;
let ada: Caller;
let grace: Caller;
let linus: Caller;

beforeAll(async () => {
  test = await startTestApp();
  for (const name of ['platform', 'shop']) await test.admin.call(peopleRoutes.createTeam, { body: { name } });
  ada = await test.join('ada@example.com', ['platform']);
  grace = await test.join('grace@example.com', ['shop']);
  linus = await test.join('linus@example.com', []);
  await test.machine.call(blueprintRoutes.create, {
    body: { ...serviceBlueprint, ownership: { type: 'Direct' } } as typeof serviceBlueprint,
  });
  for (const [identifier, tier, team] of [
    ['cart', 1, 'shop'],
    ['search', 2, 'platform'],
  ] as const)
    await test.machine.call(entityRoutes.create, {
      params: { blueprint_identifier: 'service' },
      body: { identifier, team: [team], properties: { tier } },
    });
}, 60_000);
afterAll(() => test.stop());

let count = 0;
/** An action of its own for each test. */
async function action(change: Partial<ActionBody> = {}, permissions?: ActionPermissionsPatch): Promise<string> {
  const identifier = `action-${++count}`;
  await test.machine.call(actionRoutes.create, { body: webhookAction({ ...change, identifier }) });
  if (permissions)
    await test.admin.call(permissionRoutes.patch, { params: { action_identifier: identifier }, body: permissions });
  return identifier;
}
const dayTwo = (condition?: object): Partial<ActionBody> => ({
  trigger: {
    type: 'self-service',
    operation: 'DAY-2',
    blueprintIdentifier: 'service',
    userInputs: { properties: {} },
    ...(condition ? { condition } : {}),
  } as ActionBody['trigger'],
});
const request = (identifier: string, body: { properties?: Record<string, unknown>; entity?: string } = {}) => ({
  params: { action_identifier: identifier },
  body: { properties: { name: 'shop' }, ...body },
});
const execute = async (who: Caller, ...input: Parameters<typeof request>) =>
  (await who.call(runRoutes.execute, request(...input))).body.run;
const refused = async (who: Caller, ...input: Parameters<typeof request>) => {
  const { status, body } = await who.refused(runRoutes.execute, request(...input));
  return `${status} ${body.error}: ${body.message}`;
};
const decide = (who: Caller, runId: string, status: 'APPROVE' | 'DECLINE', description?: string) =>
  who.call(runRoutes.approve, {
    params: { run_id: runId },
    body: { status, ...(description === undefined ? {} : { description }) },
  });
const decideRefused = async (who: Caller, runId: string, status: 'APPROVE' | 'DECLINE' = 'APPROVE') => {
  const answer = await who.refused(runRoutes.approve, { params: { run_id: runId }, body: { status } });
  return `${answer.status} ${answer.body.error}: ${answer.body.message}`;
};

describe('who may execute', () => {
  it('is everyone, unless the action says otherwise', async () => {
    const identifier = await action();
    const { permissions } = (await test.admin.call(permissionRoutes.get, { params: { action_identifier: identifier } }))
      .body;
    expect(permissions).toEqual({
      execute: { users: [], roles: ['Member'], teams: [], ownedByTeam: false, policy: null },
      approve: { users: [], roles: ['Admin'], teams: [], policy: null },
    });
    expect((await execute(linus, identifier)).status).toBe('IN_PROGRESS');
  });

  it('follows users, teams and roles; administrators pass; the refusal says whom it is for', async () => {
    const identifier = await action({}, { execute: { users: ['grace@example.com'], roles: [], teams: ['platform'] } });
    await execute(ada, identifier);
    await execute(grace, identifier);
    await execute(test.admin, identifier);
    await execute(test.machine, identifier);
    expect(await refused(linus, identifier)).toMatch(
      /403 forbidden: .*it is for the team platform, 1 named person; linus@example.com has the role Member and is in no team\. An administrator can name linus@example.com in the permissions of the action, or add them to one of its teams\./,
    );
  });

  it('follows the ownership of the entity', async () => {
    const identifier = await action(dayTwo(), { execute: { roles: [], ownedByTeam: true } });
    await execute(grace, identifier, { properties: {}, entity: 'cart' });
    expect(await refused(ada, identifier, { properties: {}, entity: 'cart' })).toContain(
      'the team that owns the entity',
    );
  });

  it('is changed key by key; null removes a policy', async () => {
    const identifier = await action();
    const patch = async (body: ActionPermissionsPatch) =>
      (await test.admin.call(permissionRoutes.patch, { params: { action_identifier: identifier }, body })).body
        .permissions;
    const policy = {
      queries: {
        all: { combinator: 'and' as const, rules: [{ property: '$blueprint', operator: '=', value: 'service' }] },
      },
      conditions: ['true'],
    };
    expect((await patch({ execute: { teams: ['shop'], policy } })).execute).toMatchObject({
      roles: ['Member'],
      policy,
    });
    expect((await patch({ execute: { roles: [] } })).execute).toMatchObject({ roles: [], teams: ['shop'], policy });
    expect((await patch({ execute: { policy: null } })).execute).toMatchObject({ teams: ['shop'], policy: null });
  });

  it('can be asked, with the reason', async () => {
    const identifier = await action({}, { execute: { roles: [], teams: ['platform'] } });
    const why = async (who: Caller, user?: string) =>
      (
        await who.call(permissionRoutes.why, {
          params: { action_identifier: identifier },
          query: user === undefined ? {} : { user },
        })
      ).body.verdict;
    expect(await why(ada)).toEqual({ isAllowed: true, because: 'the team platform may' });
    expect(await why(test.admin, 'linus@example.com')).toMatchObject({ isAllowed: false });
    const answer = await linus.refused(permissionRoutes.why, {
      params: { action_identifier: identifier },
      query: { user: 'ada@example.com' },
    });
    expect(answer.status).toBe(403);
  });

  it('is told for every action at once, as far as no form can change it', async () => {
    const owned = await action(dayTwo(), { execute: { roles: [], ownedByTeam: true } });
    const nobody = {
      queries: { any: { combinator: 'and' as const, rules: [{ property: '$title', operator: '=', value: 'x' }] } },
    };
    const closed = await action(
      {},
      { execute: { policy: { ...nobody, conditions: ['.user.email == "ada@example.com"'] } } },
    );
    const byInput = await action({}, { execute: { policy: { ...nobody, conditions: ['.inputs.name == "x"'] } } });
    const refusedTo = async (who: Caller) => (await who.call(permissionRoutes.refused)).body.refused;
    const linuses = await refusedTo(linus);
    expect(linuses[owned]).toMatchObject({
      because: expect.stringContaining('the team that owns the entity'),
      remedy: expect.stringContaining('An entity that one of their teams owns'),
    });
    expect(linuses[closed]).toMatchObject({ because: 'no condition of the policy is true' });
    expect(linuses).not.toHaveProperty(byInput);
    expect((await refusedTo(test.admin))[closed]).toMatchObject({ isAllowed: false });
    const adas = await refusedTo(ada);
    expect(Object.keys(adas)).not.toEqual(expect.arrayContaining([closed]));
    expect(adas).not.toHaveProperty(owned);
    expect(await refusedTo(test.machine)).toEqual({});
    // With the entity it is known.
    const why = (who: Caller) =>
      who.call(permissionRoutes.why, { params: { action_identifier: owned }, query: { entity: 'cart' } });
    expect((await why(grace)).body.verdict).toMatchObject({ isAllowed: true });
    expect((await why(ada)).body.verdict).not.toHaveProperty('dependsOnForm');
  });

  it('decides which actions a person sees, and what auth/permissions lists', async () => {
    const hidden = await action({}, { execute: { roles: [], teams: ['platform'] } });
    const owned = await action(dayTwo(), { execute: { roles: [], ownedByTeam: true } });
    const seen = async (who: Caller) => (await who.call(actionRoutes.list)).body.actions.map((one) => one.identifier);
    const listed = async (who: Caller) => (await who.call(permissionRoutes.mine)).body.permissions;
    expect(await seen(ada)).toContain(hidden);
    expect(await seen(linus)).not.toContain(hidden);
    expect(await seen(test.admin)).toContain(hidden);
    expect(await listed(ada)).toEqual(
      expect.arrayContaining([`execute:actions:${hidden}`, `execute:team_entities:actions:${owned}`]),
    );
    expect(await listed(linus)).not.toContain(`execute:actions:${hidden}`);
  });

  it('is told by the person a credential acts as', async () => {
    const identifier = await action({}, { execute: { roles: [], teams: ['platform'] } });
    const as = (email: string) => ({ ...request(identifier), query: { run_as: email } });
    const { run } = (await test.machine.call(runRoutes.execute, as('ada@example.com'))).body;
    expect(run.impersonatedBy).toBe(testOrganization.clientId);
    expect((await test.machine.refused(runRoutes.execute, as('linus@example.com'))).status).toBe(403);
    expect((await ada.refused(runRoutes.execute, as('linus@example.com'))).status).toBe(403);
  });
});

describe('a policy', () => {
  const byName = {
    combinator: 'and' as const,
    rules: [
      { property: '$blueprint', operator: '=', value: 'service' },
      { property: '$identifier', operator: '=', value: '{{ .inputs.name }}' },
    ],
  };

  it('alone decides, for administrators too; the lists only say who sees the action', async () => {
    const identifier = await action(
      {},
      {
        execute: {
          roles: ['Member'],
          policy: { queries: { same: byName }, conditions: ['.results.same.entities | length == 0'] },
        },
      },
    );
    expect((await execute(linus, identifier, { properties: { name: 'new-one' } })).status).toBe('IN_PROGRESS');
    for (const who of [linus, test.admin, test.machine])
      expect(await refused(who, identifier, { properties: { name: 'cart' } })).toContain(
        'no condition of the policy is true',
      );
    expect((await linus.call(actionRoutes.list)).body.actions.map((one) => one.identifier)).toContain(identifier);
  });

  it('allows when any condition is true; failing queries and conditions count as nothing', async () => {
    const conditions = [
      '.results.broken.entities | length > 0',
      'error("no")',
      '"true"',
      '.user.email == "ada@example.com"',
    ];
    const broken = { combinator: 'and' as const, rules: [{ property: 'x', operator: 'unheard-of', value: 1 }] };
    const identifier = await action({}, { execute: { policy: { queries: { broken }, conditions } } });
    await execute(ada, identifier);
    expect(await refused(grace, identifier)).toContain(
      'no condition of the policy is true; 2 of 4 failed; its query "broken" can not be run: The operator "unheard-of" is not known here.',
    );
    const { verdict } = (await grace.call(permissionRoutes.why, { params: { action_identifier: identifier } })).body;
    expect(verdict.conditions?.map((one) => one.value ?? one.error)).toEqual([
      expect.stringContaining('Cannot index string'),
      expect.stringContaining('no'),
      'true',
      false,
    ]);
  });

  it('that does not compile is refused when it is written, with its place', async () => {
    const identifier = await action();
    const answer = await test.admin.refused(permissionRoutes.patch, {
      params: { action_identifier: identifier },
      body: { execute: { policy: { queries: { same: byName }, conditions: ['true', '.x |'] } } },
    });
    expect(answer.body.error).toBe('invalid_expression');
    expect(answer.body.details?.[0]?.path).toBe('body.execute.policy.conditions.1');
  });

  it('lets nothing pass because a query of it is broken, and starts no run', async () => {
    const none = ['.results.same.entities | length == 0'];
    for (const [value, reason] of [
      [{ jqQuery: 1 }, 'needs a list of values'],
      ['{{ {(1): 2} }}', 'needs a list of values'],
    ]) {
      const same = { combinator: 'and' as const, rules: [{ property: '$identifier', operator: 'in', value }] };
      const identifier = await action({}, { execute: { policy: { queries: { same }, conditions: none } } });
      expect(await refused(test.machine, identifier)).toMatch(
        new RegExp(`^403 forbidden: .*1 of 1 failed; its query "same" can not be run: .*${reason}`),
      );
      expect((await test.machine.call(runRoutes.list, { query: { action: identifier } })).body.runs).toEqual([]);
    }
  });

  it('that never ends does not allow, and does not hold the server', async () => {
    const identifier = await action(
      {},
      { execute: { policy: { queries: { same: byName }, conditions: ['until(false; .)'] } } },
    );
    expect(await refused(linus, identifier)).toContain('1 of 1 failed');
  });
});

describe('the condition of an action', () => {
  it('keeps it from entities that do not match', async () => {
    const condition = { type: 'SEARCH', combinator: 'and', rules: [{ property: 'tier', operator: '=', value: 1 }] };
    const identifier = await action(dayTwo(condition));
    await execute(linus, identifier, { properties: {}, entity: 'cart' });
    expect(await refused(linus, identifier, { properties: {}, entity: 'search' })).toBe(
      `422 invalid_request: body.entity: "search" does not satisfy the condition of "${identifier}".`,
    );
  });
});

describe('approval', () => {
  const waiting = async (type: 'ANY' | 'ALL', approve: ActionPermissionsPatch['approve'], who = linus) =>
    execute(who, await action({ requiredApproval: { type } }, { approve: approve as never }));
  const states = async (runId: string, query: object = { include_pending_approvers: true }) =>
    (await test.admin.call(runRoutes.approvers, { params: { run_id: runId }, query })).body.approvers.map(
      (one) => `${one.email} ${one.state}`,
    );
  const decided = (runId: string) => states(runId, {});

  it('by one of them releases the run, which is dispatched then and not before', async () => {
    const run = await waiting('ANY', { roles: [], teams: ['platform', 'shop'] });
    expect(run).toMatchObject({ status: 'WAITING_FOR_APPROVAL', payload: null, pendingExecution: false });
    expect(await states(run.id)).toEqual(['ada@example.com PENDING', 'grace@example.com PENDING']);
    const inbox = (await grace.call(runRoutes.list, { query: { awaiting_me: true } })).body.runs;
    expect(inbox.map((one) => one.id)).toContain(run.id);
    expect(await decideRefused(linus, run.id)).toBe(
      '403 forbidden: You are not an approver of this run. Asked: ada@example.com, grace@example.com.',
    );
    const untouched = (await test.admin.call(runRoutes.get, { params: { run_id: run.id } })).body.run;
    expect(untouched).toEqual(run);
    expect(await decided(run.id)).toEqual([]);
    const approved = (await decide(grace, run.id, 'APPROVE', 'fine')).body.run;
    expect(approved).toMatchObject({
      status: 'IN_PROGRESS',
      pendingExecution: true,
      approval: { state: 'APPROVED', description: 'fine' },
    });
    expect(await states(run.id)).toEqual(['grace@example.com APPROVED', 'ada@example.com PENDING']);
    expect(await decided(run.id)).toEqual(['grace@example.com APPROVED']);
    expect(await decideRefused(ada, run.id)).toBe(
      `422 invalid_transition: The run ${run.id} is IN_PROGRESS; "approve" is not possible there.`,
    );
    expect((await grace.call(runRoutes.list, { query: { awaiting_me: true } })).body.runs).toEqual([]);
  });

  it('by all of them takes all of them, each once', async () => {
    const run = await waiting('ALL', { roles: [], users: ['ada@example.com', 'grace@example.com'] });
    expect((await decide(ada, run.id, 'APPROVE')).body.run.status).toBe('WAITING_FOR_APPROVAL');
    expect(await decideRefused(ada, run.id)).toBe('422 invalid_transition: You have approved this run already.');
    expect(await states(run.id)).toEqual(['ada@example.com APPROVED', 'grace@example.com PENDING']);
    expect((await decide(grace, run.id, 'APPROVE')).body.run.status).toBe('IN_PROGRESS');
  });

  it('by all of them does not wait for somebody who has left', async () => {
    const gone = await test.join('gone@example.com', []);
    expect((await gone.call(identityRoutes.me)).status).toBe(200);
    const run = await waiting('ALL', { roles: [], users: ['ada@example.com', 'gone@example.com'] });
    await test.admin.call(peopleRoutes.removeUser, { params: { user_email: 'gone@example.com' } });
    expect((await decide(ada, run.id, 'APPROVE')).body.run.status).toBe('IN_PROGRESS');
  });

  it('refused by one ends the run, which is never dispatched', async () => {
    const run = await waiting('ALL', { roles: [], users: ['ada@example.com', 'grace@example.com'] });
    await decide(ada, run.id, 'APPROVE');
    const declined = (await decide(grace, run.id, 'DECLINE', 'not on a Friday')).body.run;
    expect(declined).toMatchObject({
      status: 'DECLINED',
      payload: null,
      approval: { state: 'DECLINED', description: 'not on a Friday' },
    });
    for (const who of [ada, grace, test.machine])
      expect(await decideRefused(who, run.id)).toBe(
        `422 run_finished: The run ${run.id} has ended with DECLINED; it can not change any more.`,
      );
    expect((await test.admin.call(runRoutes.get, { params: { run_id: run.id } })).body.run).toEqual(declined);
  });

  it('comes from those whom a policy names, and from nobody when it names nobody', async () => {
    const queries = {
      all: { combinator: 'and' as const, rules: [{ property: '$blueprint', operator: '=', value: 'service' }] },
    };
    const named = await waiting('ANY', {
      policy: {
        queries,
        conditions: [
          '["grace@example.com"]',
          'if .user.email == "linus@example.com" then ["ADA@example.com"] else [] end',
        ],
      },
    });
    expect(await states(named.id)).toEqual(['ada@example.com PENDING', 'grace@example.com PENDING']);
    const nobody = await waiting('ANY', { policy: { queries, conditions: ['"not a list"'] } });
    expect(await decideRefused(test.admin, nobody.id)).toContain('Nobody is; an administrator can change');
  });

  // The recipe that people know instead of four eyes.
  it('comes from nobody who asked, where the policy takes them out', async () => {
    const people = { combinator: 'and' as const, rules: [{ property: '$blueprint', operator: '=', value: '_user' }] };
    const conditions = [
      '.trigger.user.email as $who | [.results.people.entities[].identifier | select(. != $who and test("ada|grace"))]',
    ];
    const run = await waiting('ANY', { policy: { queries: { people }, conditions } }, ada);
    expect(await states(run.id)).toEqual(['grace@example.com PENDING']);
    expect(await decideRefused(ada, run.id)).toMatch(/^403 forbidden: You are not an approver of this run/);
    expect((await decide(grace, run.id, 'APPROVE')).body.run.status).toBe('IN_PROGRESS');
  });

  it('of a run whose entity is gone ends it, and of one whose action is gone is refused', async () => {
    const params = { blueprint_identifier: 'service' };
    await test.machine.call(entityRoutes.create, { params, body: { identifier: 'brief', properties: { tier: 1 } } });
    const identifier = await action({ ...dayTwo(), requiredApproval: true });
    const run = await execute(linus, identifier, { properties: {}, entity: 'brief' });
    const other = await execute(linus, identifier, { properties: {}, entity: 'cart' });
    await test.machine.call(entityRoutes.remove, { params: { ...params, entity_identifier: 'brief' } });
    expect((await decide(test.admin, run.id, 'APPROVE')).body.run).toMatchObject({
      status: 'FAILURE',
      payload: null,
      pendingExecution: false,
      summary: 'The entity "brief" was deleted before the run was approved, so there is nothing to act on.',
    });
    await test.machine.call(actionRoutes.remove, { params: { action_identifier: identifier } });
    expect(await decideRefused(test.admin, other.id)).toBe(
      `422 invalid_transition: The action "${identifier}" was deleted; decline the run.`,
    );
    expect((await decide(test.admin, other.id, 'DECLINE')).body.run.status).toBe('DECLINED');
  });

  it('may come from somebody who joined a team of approvers later', async () => {
    const run = await waiting('ANY', { roles: [], teams: ['platform'] });
    const late = await test.join('late@example.com', ['platform']);
    expect((await decide(late, run.id, 'APPROVE')).body.run.status).toBe('IN_PROGRESS');
  });

  it('may come from automation with a credential', async () => {
    const run = await waiting('ALL', { roles: [], users: ['ada@example.com'] });
    expect((await decide(test.machine, run.id, 'APPROVE')).body.run.status).toBe('IN_PROGRESS');
  });

  it('is no longer possible after the requester has withdrawn', async () => {
    const run = await waiting('ANY', { roles: [], users: ['ada@example.com'] });
    const body = { status: 'FAILURE' as const };
    const withdrawn = (await linus.call(runRoutes.patch, { params: { run_id: run.id }, body })).body.run;
    expect(withdrawn).toMatchObject({ status: 'FAILURE', payload: null, pendingExecution: false });
    expect(await decideRefused(ada, run.id)).toContain('422 run_finished');
  });

  it("of one's own run is possible, unless the organization wants four eyes", async () => {
    const approvers = { roles: [], users: ['ada@example.com', 'grace@example.com'] };
    const own = await waiting('ANY', approvers, ada);
    expect((await decide(ada, own.id, 'APPROVE')).body.run.status).toBe('IN_PROGRESS');
    const set = (fourEyes: boolean) =>
      test.admin.call(identityRoutes.patchOrganization, { body: { settings: { fourEyes } } });
    await set(true);
    const run = await waiting('ANY', approvers, ada);
    expect(await states(run.id)).toEqual(['grace@example.com PENDING']);
    expect(await decideRefused(ada, run.id)).toContain('four eyes');
    expect((await decide(grace, run.id, 'APPROVE')).body.run.status).toBe('IN_PROGRESS');
    await set(false);
  });
});

describe('a private run', () => {
  it('is seen by its requester, its approvers and administrators, and by nobody else', async () => {
    const identifier = await action(
      { allowAnyoneToViewRuns: false, requiredApproval: true },
      { approve: { roles: [], users: ['grace@example.com'] } },
    );
    const { id } = await execute(linus, identifier);
    const params = { run_id: id };
    for (const who of [linus, grace, test.admin, test.machine]) {
      expect((await who.call(runRoutes.get, { params })).body.run.id).toBe(id);
      const { runs } = (await who.call(runRoutes.list, { query: { action: identifier } })).body;
      expect(runs).toHaveLength(1);
    }
    for (const route of [
      runRoutes.get,
      runRoutes.listLogs,
      runRoutes.deliveries,
      runRoutes.affectedEntities,
      runRoutes.approvers,
    ])
      expect((await ada.refused(route, { params })).status).toBe(404);
    expect((await ada.fetch(`/v1/actions/runs/${id}/stream`)).status).toBe(404);
    expect((await ada.call(runRoutes.list, { query: { action: identifier } })).body.runs).toEqual([]);
    const audits = async (who: Caller) => (await who.call(auditRoutes.list, { query: { run_id: id } })).body.audits;
    expect(await audits(ada)).toEqual([]);
    expect((await audits(linus)).length).toBeGreaterThan(0);
  });
});

describe('a limit', () => {
  const limit = (identifier: string, limits: { concurrency: number | null; concurrencyPerEntity: number | null }) =>
    test.admin.call(permissionRoutes.putLimits, { params: { action_identifier: identifier }, body: limits });

  it('holds for the action, also when many execute at once, and lets go when a run ends', async () => {
    const identifier = await action();
    await limit(identifier, { concurrency: 3, concurrencyPerEntity: null });
    const answers = await Promise.all(
      Array.from({ length: 8 }, () =>
        linus.fetch(`/v1/actions/${identifier}/runs`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', origin: test.url },
          body: JSON.stringify({ properties: { name: 'shop' } }),
        }),
      ),
    );
    const bodies = (await Promise.all(answers.map((answer) => answer.json()))) as { run?: { id: string } }[];
    const started = bodies.flatMap((body) => (body.run ? [body.run.id] : []));
    expect(started).toHaveLength(3);
    const holdOf = async () => (await linus.call(permissionRoutes.refused)).body.refused[identifier];
    expect(await holdOf()).toEqual({
      isAllowed: false,
      hold: 'limit_reached',
      because: `limit reached: 3 of 3 runs of "${identifier}" have not ended yet`,
      remedy: 'Wait until one has.',
    });
    expect(await refused(linus, identifier)).toBe(
      `409 limit_reached: 3 of 3 runs of "${identifier}" have not ended yet; wait until one has.`,
    );
    await test.machine.call(runRoutes.patch, { params: { run_id: started[0] ?? '' }, body: { status: 'SUCCESS' } });
    expect(await holdOf()).toBeUndefined();
    await execute(linus, identifier);
  });

  it('holds for each entity by itself', async () => {
    const identifier = await action(dayTwo());
    await limit(identifier, { concurrency: null, concurrencyPerEntity: 1 });
    await execute(linus, identifier, { properties: {}, entity: 'cart' });
    await execute(linus, identifier, { properties: {}, entity: 'search' });
    expect(await refused(linus, identifier, { properties: {}, entity: 'cart' })).toContain('1 of 1 runs of');
    const params = { action_identifier: identifier };
    const why = async (entity: string) => (await linus.call(permissionRoutes.why, { params, query: { entity } })).body;
    expect((await why('cart')).verdict.because).toBe(
      `limit reached: 1 of 1 runs of "${identifier}" on "cart" have not ended yet`,
    );
    expect((await linus.call(permissionRoutes.why, { params })).body.verdict.isAllowed).toBe(true);
  });
});

describe('a freeze', () => {
  const freeze = (freezes: object[]) =>
    test.admin.call(identityRoutes.patchOrganization, { body: { settings: { freezes } } });
  const hour = 3_600_000;
  const at = (ms: number) => new Date(Date.now() + ms).toISOString();

  it('stops executes and approvals of everybody until its end, and says so', async () => {
    const identifier = await action({ requiredApproval: true });
    const run = await execute(linus, identifier);
    const other = await action();
    await freeze([
      { from: at(-hour), to: at(hour), reason: 'inventory week', actions: [identifier] },
      { from: at(hour), to: at(2 * hour), reason: 'not yet' },
    ]);
    const sentence = /^409 frozen: Nothing is started until [^ ]+Z: inventory week$/;
    expect(await refused(test.admin, identifier)).toMatch(sentence);
    expect(await decideRefused(test.admin, run.id)).toMatch(sentence);
    expect((await test.admin.call(runRoutes.list, { query: { action: identifier } })).body.runs).toEqual([run]);
    const holds = (await linus.call(permissionRoutes.refused)).body.refused;
    expect(holds[identifier]).toMatchObject({ hold: 'frozen', because: expect.stringContaining(': inventory week') });
    expect(holds[identifier]?.because).toContain(holds[identifier]?.until);
    expect(holds).not.toHaveProperty(other);
    const { verdict } = (await test.admin.call(permissionRoutes.why, { params: { action_identifier: identifier } }))
      .body;
    expect(verdict).toEqual(holds[identifier]);
    await execute(linus, other);
    await decide(test.admin, run.id, 'DECLINE');
    await freeze([]);
    await execute(linus, identifier);
  });

  it('without a reason or an end is refused', async () => {
    const answer = await test.admin.refused(identityRoutes.patchOrganization, {
      body: { settings: { freezes: [{ from: at(0) }] } },
    });
    expect(answer.status).toBe(422);
    expect(answer.body.message).toContain('body.settings.freezes.0');
  });
});

describe('an Idempotency-Key', () => {
  const send = async (who: Caller, identifier: string, key: string, name = 'shop') => {
    const answer = await who.fetch(`/v1/actions/${identifier}/runs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify({ properties: { name } }),
    });
    return {
      status: answer.status,
      body: (await answer.json()) as { run?: { id: string }; error?: string; message?: string },
    };
  };

  it('makes one run of many requests, at the same moment and later', async () => {
    const identifier = await action();
    const answers = await Promise.all(Array.from({ length: 6 }, () => send(test.machine, identifier, 'k-1')));
    answers.push(await send(test.machine, identifier, 'k-1'));
    expect(new Set(answers.map((answer) => answer.body.run?.id)).size).toBe(1);
    expect(answers.every((answer) => answer.status === 202)).toBe(true);
    expect((await test.machine.call(runRoutes.list, { query: { action: identifier } })).body.runs).toHaveLength(1);
  });

  it('is refused for another request, and when it is none', async () => {
    const identifier = await action();
    await send(test.machine, identifier, 'k-2');
    expect((await send(test.machine, identifier, 'k-2', 'other')).body).toMatchObject({ error: 'key_reused' });
    expect((await send(test.machine, identifier, 'two words')).status).toBe(422);
    expect((await send(test.machine, identifier, 'k-3', 'x')).status).toBe(422);
    // Refused requests use no key up.
    expect((await send(test.machine, identifier, 'k-3')).status).toBe(202);
  });
});
