import { type Static, Type } from 'typebox';
import { ok, route } from './route.ts';
import { Document, Instant } from './values.ts';

/** Who may execute an action and who approves its runs (spec/actions.md §1.15), and how much may run at once. */

const names = Type.Array(Type.String({ minLength: 1 }));

/** Queries over the catalog, and jq conditions over what they found. Rule values are templates. */
export const Policy = Type.Object(
  {
    queries: Type.Record(
      Type.String(),
      Type.Object({
        combinator: Type.Union([Type.Literal('and'), Type.Literal('or')]),
        rules: Type.Array(Document, { minItems: 1 }),
      }),
      { minProperties: 1 },
    ),
    conditions: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }),
  },
  { additionalProperties: false },
);
export type Policy = Static<typeof Policy>;

const OptionalPolicy = Type.Union([Policy, Type.Null()]);

export const ActionPermissions = Type.Object({
  execute: Type.Object({
    users: names,
    roles: names,
    teams: names,
    ownedByTeam: Type.Boolean(),
    policy: OptionalPolicy,
  }),
  approve: Type.Object({ users: names, roles: names, teams: names, policy: OptionalPolicy }),
});
export type ActionPermissions = Static<typeof ActionPermissions>;

// Clients send null for a list that they do not manage.
const listPatch = Type.Optional(Type.Union([names, Type.Null()]));

/** What is absent stays; `policy: null` removes the policy. */
export const ActionPermissionsPatch = Type.Object(
  {
    execute: Type.Optional(
      Type.Object(
        {
          users: listPatch,
          roles: listPatch,
          teams: listPatch,
          ownedByTeam: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
          policy: Type.Optional(OptionalPolicy),
        },
        { additionalProperties: false },
      ),
    ),
    approve: Type.Optional(
      Type.Object(
        { users: listPatch, roles: listPatch, teams: listPatch, policy: Type.Optional(OptionalPolicy) },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);
export type ActionPermissionsPatch = Static<typeof ActionPermissionsPatch>;

const Limit = Type.Union([Type.Integer({ minimum: 1, maximum: 10_000 }), Type.Null()]);
/** How many runs of the action may be in progress at once, in all and for one entity; null = any number. */
export const ActionLimits = Type.Object(
  { concurrency: Limit, concurrencyPerEntity: Limit },
  { additionalProperties: false },
);
export type ActionLimits = Static<typeof ActionLimits>;

/** Why somebody may or may not do something: the sentence, and each condition of a policy with what it yielded. */
export const Verdict = Type.Object({
  isAllowed: Type.Boolean(),
  because: Type.String(),
  /** What would have to change for it to be allowed. */
  remedy: Type.Optional(Type.String()),
  /** Other inputs, or another entity, may change it: a policy looks at them, or the owner of the entity decides. */
  dependsOnForm: Type.Optional(Type.Boolean()),
  /** It passes by itself, and holds up everybody: meanwhile executing is refused with this error. */
  hold: Type.Optional(Type.Enum(['frozen', 'limit_reached'])),
  /** When a freeze ends; `because` says it, too. */
  until: Type.Optional(Instant),
  conditions: Type.Optional(
    Type.Array(
      Type.Object({
        expression: Type.String(),
        value: Type.Optional(Type.Unknown()),
        error: Type.Optional(Type.String()),
      }),
    ),
  ),
});
export type Verdict = Static<typeof Verdict>;

/** Organization settings of ours, below `settings`. */
export const GuardrailSettings = Type.Object({
  /** Nobody approves a run that they asked for. */
  fourEyes: Type.Optional(Type.Boolean()),
  /** Between two instants nothing is executed or approved; `actions` narrows it, administrators are not exempt. */
  freezes: Type.Optional(
    Type.Array(
      Type.Object(
        {
          from: Type.String({ format: 'date-time' }),
          to: Type.String({ format: 'date-time' }),
          reason: Type.String({ minLength: 1, maxLength: 500 }),
          actions: Type.Optional(names),
        },
        { additionalProperties: false },
      ),
      { maxItems: 1_000 },
    ),
  ),
});
export type GuardrailSettings = Static<typeof GuardrailSettings>;

const ActionParams = Type.Object({ action_identifier: Type.String() });

export const permissionRoutes = {
  get: route({
    id: 'permission.get',
    method: 'GET',
    path: '/v1/actions/:action_identifier/permissions',
    summary: 'Read who may execute an action and who approves its runs',
    can: 'action:read',
    params: ActionParams,
    reply: ok({ permissions: ActionPermissions }),
    refusals: ['not_found'],
  }),
  patch: route({
    id: 'permission.patch',
    method: 'PATCH',
    path: '/v1/actions/:action_identifier/permissions',
    summary: 'Change who may execute an action and who approves its runs; what is absent stays',
    can: 'action:update',
    params: ActionParams,
    body: ActionPermissionsPatch,
    reply: ok({ permissions: ActionPermissions }),
    refusals: ['not_found', 'invalid_expression'],
  }),
  why: route({
    id: 'permission.why',
    method: 'GET',
    path: '/v1/actions/:action_identifier/permissions/why',
    summary: 'Whether a person may execute an action now, and which rule says so',
    can: 'action:read',
    params: ActionParams,
    query: Type.Object({
      /** E-mail; only administrators ask for others. Absent = the caller. */
      user: Type.Optional(Type.String()),
      entity: Type.Optional(Type.String()),
    }),
    reply: ok({ verdict: Verdict }),
    refusals: ['not_found'],
    dialect: 'quayside',
  }),
  getLimits: route({
    id: 'permission.getLimits',
    method: 'GET',
    path: '/v1/actions/:action_identifier/limits',
    summary: 'Read how many runs of an action may be in progress at once',
    can: 'action:read',
    params: ActionParams,
    reply: ok({ limits: ActionLimits }),
    refusals: ['not_found'],
    dialect: 'quayside',
  }),
  putLimits: route({
    id: 'permission.putLimits',
    method: 'PUT',
    path: '/v1/actions/:action_identifier/limits',
    summary: 'Limit how many runs of an action may be in progress at once',
    can: 'action:update',
    params: ActionParams,
    body: ActionLimits,
    reply: ok({ limits: ActionLimits }),
    refusals: ['not_found'],
    dialect: 'quayside',
  }),
  caller: route({
    id: 'permission.caller',
    method: 'GET',
    path: '/v1/auth/caller',
    summary: 'The caller as the expressions of forms and policies see them, `.user`; null for a credential',
    can: 'signed-in',
    reply: ok({ user: Type.Union([Document, Type.Null()]) }),
    dialect: 'quayside',
  }),
  mine: route({
    id: 'permission.mine',
    method: 'GET',
    path: '/v1/auth/permissions',
    summary: 'What the caller may execute: `execute:actions:<id>` and `execute:team_entities:actions:<id>`',
    can: 'signed-in',
    query: Type.Object({ action_version: Type.Optional(Type.String()) }),
    reply: ok({ permissions: Type.Array(Type.String()) }),
  }),
  refused: route({
    id: 'permission.refused',
    method: 'GET',
    path: '/v1/auth/permissions/refused',
    summary: 'Which visible actions the caller may not execute whatever the form says, and the rule that says so',
    can: 'signed-in',
    reply: ok({ refused: Type.Record(Type.String(), Verdict) }),
    dialect: 'quayside',
  }),
};
