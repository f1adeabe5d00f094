import { type Static, Type } from 'typebox';
import { ok, route } from './route.ts';
import { Document, Instant } from './values.ts';

/** Why an automation did or did not fire: its evaluations, one for each event that it listens to. */

export const evaluationOutcomes = ['fired', 'not_fired', 'failed', 'blocked'] as const;
export type EvaluationOutcome = (typeof evaluationOutcomes)[number];

export const ConditionResult = Type.Object({
  expression: Type.String(),
  /** What it yielded, shortened; only exactly `true` counts as true. */
  value: Type.Optional(Type.Unknown()),
  error: Type.Optional(Type.String()),
});
export type ConditionResult = Static<typeof ConditionResult>;

export const Evaluation = Type.Object({
  id: Type.String(),
  at: Instant,
  /** `failed`: it should have fired, and no run could be made. `blocked`: the chain of automations was too long. */
  outcome: Type.Enum(evaluationOutcomes),
  because: Type.String(),
  conditions: Type.Array(ConditionResult),
  /** `{id, name, at, origin, blueprint?, entity?, property?, runId?}` */
  event: Document,
  runId: Type.Optional(Type.String()),
});
export type Evaluation = Static<typeof Evaluation>;

export const EvaluationCounts = Type.Object({
  fired: Type.Integer(),
  notFired: Type.Integer(),
  failed: Type.Integer(),
  blocked: Type.Integer(),
});
export type EvaluationCounts = Static<typeof EvaluationCounts>;

export const automationRoutes = {
  evaluations: route({
    id: 'automation.evaluations',
    method: 'GET',
    path: '/v1/actions/:action_identifier/evaluations',
    summary:
      'Why an automation did or did not fire: exact counts, and its newest evaluations with the value of each condition',
    can: 'action:update',
    params: Type.Object({ action_identifier: Type.String() }),
    query: Type.Object({
      outcome: Type.Optional(Type.Enum(evaluationOutcomes)),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
    }),
    reply: ok({ counts: EvaluationCounts, evaluations: Type.Array(Evaluation) }),
    refusals: ['not_found'],
  }),
};
