import { dispatchRoutes, identityRoutes, kafkaRoutes, type Route, runRoutes } from '@quayside/contracts';
import { describe, expect, it } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };
import type { ApiCall } from './api.ts';
import { portalCalls } from './portal-calls.ts';
import { version } from './version.ts';

const agent = { id: 'a', version, labels: {}, inFlight: 0, capacity: 1 };
const settlement = { token: 't', outcome: { kind: 'forbidden' as const, message: 'm' } };

describe('calls to the portal', () => {
  it.each<[ApiCall, Route]>([
    [portalCalls.claimLeases(1, 0, agent), dispatchRoutes.claim as unknown as Route],
    [portalCalls.claimPlain(1), dispatchRoutes.claim as unknown as Route],
    [portalCalls.claimRuns(['r_1'], agent), dispatchRoutes.claim as unknown as Route],
    [portalCalls.kafkaCredentials(), kafkaRoutes.credentials as unknown as Route],
    [portalCalls.acknowledge('r_1'), dispatchRoutes.acknowledge as unknown as Route],
    [portalCalls.acknowledgeNothing(), dispatchRoutes.acknowledge as unknown as Route],
    [portalCalls.readOrganization(), identityRoutes.getOrganization as unknown as Route],
    [portalCalls.extend('r_1', 't'), dispatchRoutes.extend as unknown as Route],
    [portalCalls.release('r_1', 't', 0), dispatchRoutes.release as unknown as Route],
    [portalCalls.settle('r_1', settlement), dispatchRoutes.settle as unknown as Route],
    [portalCalls.settleMany([{ runId: 'r_1', ...settlement }]), dispatchRoutes.settleMany as unknown as Route],
    [portalCalls.addLog('r_1', 'x'), runRoutes.addLog as unknown as Route],
    [portalCalls.setResponse('r_1', 1), runRoutes.setResponse as unknown as Route],
    [portalCalls.patchRun('r_1', {}), runRoutes.patch as unknown as Route],
    [portalCalls.chooseStreamer('POLLING'), identityRoutes.patchOrganization as unknown as Route],
  ])('$method $path is in the route table', (call, row) => {
    expect(call).toMatchObject({ method: row.method, path: row.path.replace(':run_id', 'r_1') });
  });

  it('names the version of the package', () => {
    expect(version).toBe(packageJson.version);
  });
});
