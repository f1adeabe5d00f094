import { Readable } from 'node:stream';
import { auditRoutes } from '@quayside/contracts';
import type { Http } from '../../platform/http.ts';
import * as service from './service.ts';
import { type AuditKey, exportAuditLog, readCheckpoints } from './service-chain.ts';

const defaultLimit = 100;
const defaultCheckpoints = 50;

export function serveAudit(http: Http, key: AuditKey): void {
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
  http.serve(auditRoutes.checkpoints, async ({ world, query }) => {
    service.assertReadsAll(world);
    const page = { before: query.before, limit: query.limit ?? defaultCheckpoints };
    return { checkpoints: await readCheckpoints(world, page), publicKey: key.publicKey };
  });
  http.serveStream(auditRoutes.export, async ({ world, query, reply }) => {
    service.assertReadsAll(world);
    const range = { from: dateOf(query.from), to: dateOf(query.to) };
    reply
      .type('application/x-ndjson; charset=utf-8')
      .header('content-disposition', `attachment; filename="audit-${world.orgId}.ndjson"`)
      .send(Readable.from(exportAuditLog(world, key, range)));
  });
}

const dateOf = (instant: string | undefined): Date | undefined =>
  instant === undefined ? undefined : new Date(instant);
