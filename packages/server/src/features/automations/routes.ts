import { automationRoutes } from '@quayside/contracts';
import type { Http } from '../../platform/http.ts';
import { readEvaluations } from './service.ts';

const defaultLimit = 50;

export function serveAutomations(http: Http): void {
  http.serve(automationRoutes.evaluations, ({ world, params, query }) =>
    readEvaluations(world, params.action_identifier, {
      outcome: query.outcome,
      limit: query.limit ?? defaultLimit,
    }),
  );
}
