import { auditRoutes } from '@quayside/contracts';
import type { Http } from '../../platform/http.ts';
import * as service from './service.ts';

const defaultLimit = 100;

export function serveAudit(http: Http): void {
  http.serve(auditRoutes.list, async ({ world, query }) => {
    const { run_id: runId, origin: origins, resources, includes, from, to, limit, ...same } = query;
    const filter = {
      ...same,
      limit: limit ?? defaultLimit,
      ...(runId === undefined ? {} : { runId }),
      ...(origins === undefined ? {} : { origins }),
      ...(resources === undefined ? {} : { resources }),
      ...(from === undefined ? {} : { from: new Date(from) }),
      ...(to === undefined ? {} : { to: new Date(to) }),
    };
    return { audits: await service.readAuditLog(world, filter, includes) };
  });
}
