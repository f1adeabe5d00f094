import type { AgentIdentity, NamedSettlement, Settlement } from '@quayside/contracts';
import { agentInstallationId, agentLeaseMs } from '@quayside/contracts/dispatch-rules';
import type { ApiCall } from './api.ts';

/**
 * The calls that the agent makes, as data. Paths are written out, so that the agent need not load the route table and its
 * schema library; a test compares each with the table.
 */
const run = (runId: string) => `/v1/actions/runs/${encodeURIComponent(runId)}`;

export const portalCalls = {
  /** Quayside's dialect: held until there is work, each run with a lease. */
  claimLeases: (limit: number, waitMs: number, agent: AgentIdentity): ApiCall => ({
    method: 'POST',
    path: '/v1/actions/runs/claim-pending',
    body: {
      installationId: agentInstallationId,
      limit,
      invocationMethod: 'WEBHOOK',
      visibilityTimeoutMs: agentLeaseMs,
      waitMs,
      agent,
    },
  }),
  /** The published dialect. */
  claimPlain: (limit: number): ApiCall => ({
    method: 'POST',
    path: '/v1/actions/runs/claim-pending',
    body: { installationId: agentInstallationId, limit, invocationMethod: 'WEBHOOK' },
  }),
  /** Those whose messages came from Kafka; none = only to show that the agent is there. */
  claimRuns: (runIds: string[], agent: AgentIdentity): ApiCall => ({
    method: 'POST',
    path: '/v1/actions/runs/claim-pending',
    body: { installationId: agentInstallationId, limit: Math.max(1, runIds.length), runIds, agent },
  }),
  kafkaCredentials: (): ApiCall => ({ method: 'GET', path: '/v1/kafka-credentials' }),
  acknowledge: (runId: string): ApiCall => ({
    method: 'PATCH',
    path: '/v1/actions/runs/ack',
    body: { runIds: [runId] },
  }),
  /** Changes nothing anywhere, and is allowed exactly to those who may claim. */
  acknowledgeNothing: (): ApiCall => ({ method: 'PATCH', path: '/v1/actions/runs/ack', body: { runIds: [] } }),
  readOrganization: (): ApiCall => ({ method: 'GET', path: '/v1/organization' }),
  extend: (runId: string, token: string): ApiCall => ({
    method: 'POST',
    path: `${run(runId)}/lease/extend`,
    body: { token },
  }),
  release: (runId: string, token: string, delayMs: number): ApiCall => ({
    method: 'POST',
    path: `${run(runId)}/lease/release`,
    body: { token, ...(delayMs > 0 && { delayMs }) },
  }),
  settle: (runId: string, settlement: Settlement): ApiCall => ({
    method: 'POST',
    path: `${run(runId)}/lease/settle`,
    body: settlement,
    settles: runId,
  }),
  settleMany: (settlements: NamedSettlement[]): ApiCall => ({
    method: 'POST',
    path: '/v1/actions/runs/lease/settle',
    body: { settlements },
  }),
  addLog: (runId: string, message: string): ApiCall => ({
    method: 'POST',
    path: `${run(runId)}/logs`,
    body: { message },
  }),
  setResponse: (runId: string, response: unknown): ApiCall => ({
    method: 'PATCH',
    path: `${run(runId)}/response`,
    body: { response },
  }),
  patchRun: (runId: string, patch: Settlement['report']): ApiCall => ({
    method: 'PATCH',
    path: run(runId),
    body: patch,
  }),
  /** A portal queues runs for polling agents, or publishes them, only after this. */
  chooseStreamer: (portAgentStreamerName: 'KAFKA' | 'POLLING'): ApiCall => ({
    method: 'PATCH',
    path: '/v1/organization',
    body: { settings: { portAgentStreamerName } },
  }),
};
