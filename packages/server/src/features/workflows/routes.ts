import { workflowRoutes } from '@quayside/contracts';
import type { Http } from '../../platform/http.ts';
import * as service from './service.ts';

export function serveWorkflows(http: Http): void {
  http.serve(workflowRoutes.create, async ({ world, body }) => ({
    workflow: await service.createWorkflow(world, body),
  }));
  http.serve(workflowRoutes.list, async ({ world }) => ({ workflows: await service.listWorkflows(world) }));
  http.serve(workflowRoutes.get, async ({ world, params }) => ({
    workflow: await service.readWorkflow(world, params.workflow_identifier),
  }));
  http.serve(workflowRoutes.replace, async ({ world, params, body }) => ({
    workflow: await service.replaceWorkflow(world, params.workflow_identifier, body),
  }));
  http.serve(workflowRoutes.remove, async ({ world, params }) => {
    await service.removeWorkflow(world, params.workflow_identifier);
    return {};
  });
}
