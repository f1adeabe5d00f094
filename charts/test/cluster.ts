import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { file, inHome } from './helm.ts';

/**
 * What `helm install --dry-run=client` asks of a cluster: its version, the kinds of objects that it has, and whether there is
 * such a release already. Nothing is installed, and nothing is judged here: kubernetes.ts does that, by the schemas. Also
 * serves the chart repository of `helm repo add`.
 */
export async function startCluster(): Promise<{ url: string; stop(): Promise<void> }> {
  const apps = { groupVersion: 'apps/v1', version: 'v1' };
  const answers: Record<string, unknown> = {
    '/version': { major: '1', minor: '36', gitVersion: 'v1.36.3' },
    '/api': { kind: 'APIVersions', versions: ['v1'] },
    '/apis': {
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: [{ name: 'apps', versions: [apps], preferredVersion: apps }],
    },
    '/api/v1': resources('v1', { Secret: 'secrets', ConfigMap: 'configmaps', Service: 'services' }),
    '/apis/apps/v1': resources('apps/v1', { Deployment: 'deployments', StatefulSet: 'statefulsets' }),
  };
  const server: Server = createServer(async (request, response) => {
    const path = new URL(request.url ?? '', 'http://cluster').pathname;
    if (path.startsWith('/charts/')) {
      response.end(await readFile(inHome(path.slice(1))));
      return;
    }
    const answer =
      answers[path] ?? (/\/secrets$/.test(path) ? { kind: 'SecretList', apiVersion: 'v1', items: [] } : undefined);
    const missing = { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 };
    response
      .writeHead(answer ? 200 : 404, { 'content-type': 'application/json' })
      .end(JSON.stringify(answer ?? missing));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  file(
    'kubeconfig',
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'test',
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      clusters: [{ name: 'test', cluster: { server: url } }],
      users: [{ name: 'test', user: {} }],
    }),
  );
  return { url, stop: () => new Promise((resolve) => server.close(() => resolve())) };
}

const resources = (groupVersion: string, kinds: Record<string, string>) => ({
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion,
  resources: Object.entries(kinds).map(([kind, name]) => ({
    name,
    singularName: '',
    namespaced: true,
    kind,
    verbs: ['create', 'get', 'list', 'patch', 'update'],
  })),
});
