import { describe, expect, it } from 'vitest';
import { refusal, template } from './charts.ts';

const chart = 'quayside';
const key = Buffer.alloc(32, 7).toString('base64');
const external = `
env:
  normal: { QUAYSIDE_BASE_URL: "https://portal.example.com" }
  secret: { DATABASE_URL: "postgres://quayside:secret@db:5432/quayside", QUAYSIDE_ENCRYPTION_KEY: "${key}" }
`;
const embedded = 'embeddedDatabase: { enabled: true }';

describe('a portal with a PostgreSQL of one’s own', () => {
  it('is several servers that are replaced without a gap, and not all drained at once', async () => {
    const portal = await template(chart, external);
    expect(portal.kinds).toEqual(['Deployment', 'Pod', 'PodDisruptionBudget', 'Secret', 'Service']);
    const { spec } = portal.get('Deployment');
    expect(spec).toMatchObject({
      replicas: 2,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    });
    expect(portal.get('PodDisruptionBudget').spec).toEqual({ maxUnavailable: 1, selector: spec.selector });
    expect(portal.get('Service').spec.selector).toEqual(spec.selector.matchLabels);
    // The pod of `helm test` must get no visitors, and not count as a server.
    expect(portal.get('Pod').metadata.labels).not.toMatchObject(spec.selector.matchLabels);
  });

  it('asks for its health where the server answers, and lets load balancers notice before it stops', async () => {
    const container = (await template(chart, external)).container();
    expect(container.ports).toEqual([{ name: 'http', containerPort: 3000 }]);
    expect(container.startupProbe.httpGet).toEqual({ path: '/healthz', port: 'http' });
    expect(container.livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'http' });
    expect(container.readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'http' });
    expect(container.lifecycle.preStop.exec.command).toEqual(['sleep', '5']);
  });

  it('keeps what is secret in a Secret', async () => {
    const portal = await template(chart, external);
    expect(portal.variables()).toEqual({
      QUAYSIDE_BASE_URL: 'https://portal.example.com',
      QUAYSIDE_DATA_DIR: '/data',
      QUAYSIDE_DEMO: 'false',
      QUAYSIDE_PORT: '3000',
      DATABASE_URL: 'secret my-quayside/DATABASE_URL',
      QUAYSIDE_ENCRYPTION_KEY: 'secret my-quayside/QUAYSIDE_ENCRYPTION_KEY',
    });
    const { data } = portal.get('Secret');
    expect(Buffer.from(data.QUAYSIDE_ENCRYPTION_KEY, 'base64').toString()).toBe(key);
    expect(portal.yaml).not.toContain('quayside:secret@');
  });

  it('takes a Secret that is there', async () => {
    const portal = await template(chart, 'secret: { useExistingSecret: true, name: portal-secrets }');
    expect(portal.find('Secret')).toBeUndefined();
    expect(portal.container().envFrom).toEqual([{ secretRef: { name: 'portal-secrets' } }]);
  });

  it('is confined: no root, no writable root, no privileges, no token, no variables of services', async () => {
    const portal = await template(chart, external);
    expect(portal.pod().spec).toMatchObject({
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(portal.container().securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(portal.mounts()).toEqual({ '/data': 'data', '/tmp': 'tmp' });
  });

  it('scales with its load', async () => {
    const portal = await template(
      chart,
      `${external}\nautoscaling: { enabled: true, minReplicas: 3, targetMemoryUtilizationPercentage: 80, behavior: { scaleDown: { stabilizationWindowSeconds: 60 } } }`,
    );
    expect(portal.get('Deployment').spec).not.toHaveProperty('replicas');
    expect(portal.get('HorizontalPodAutoscaler').spec).toEqual({
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'my-quayside' },
      minReplicas: 3,
      maxReplicas: 10,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } },
        { type: 'Resource', resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: 80 } } },
      ],
      behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
    });
    expect(portal.kinds).toContain('PodDisruptionBudget');
  });

  it.each([
    ['one server', 'replicaCount: 1'],
    ['at least one server', 'autoscaling: { enabled: true, minReplicas: 1 }'],
    ['none wanted', 'podDisruptionBudget: { enabled: false }'],
  ])('has no disruption budget: %s', async (_name, values) => {
    // A budget over a single server would hold up every node that is to be drained.
    expect((await template(chart, `${external}\n${values}`)).kinds).not.toContain('PodDisruptionBudget');
  });

  it('is reached through an ingress, and calls itself by its name', async () => {
    const portal = await template(
      chart,
      `
env: { secret: { DATABASE_URL: "postgresql://db/quayside", QUAYSIDE_ENCRYPTION_KEY: "${key}" } }
ingress:
  enabled: true
  className: nginx
  annotations: { nginx.ingress.kubernetes.io/proxy-read-timeout: "75" }
  hosts: [{ host: portal.example.com }, { host: other.example.com, paths: [{ path: /v1, pathType: Exact }] }]
  tls: [{ secretName: portal-tls, hosts: [portal.example.com] }]
`,
    );
    expect(portal.variables()).toMatchObject({
      QUAYSIDE_BASE_URL: 'https://portal.example.com',
      QUAYSIDE_TRUST_PROXY: 'true',
    });
    const backend = { service: { name: 'my-quayside', port: { name: 'http' } } };
    expect(portal.get('Ingress').spec).toEqual({
      ingressClassName: 'nginx',
      tls: [{ secretName: 'portal-tls', hosts: ['portal.example.com'] }],
      rules: [
        { host: 'portal.example.com', http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } },
        { host: 'other.example.com', http: { paths: [{ path: '/v1', pathType: 'Exact', backend }] } },
      ],
    });
  });
});

describe('a portal with the embedded database', () => {
  it('is one server with a volume, which an uninstall leaves', async () => {
    const portal = await template(chart, embedded);
    expect(portal.kinds).toEqual(['Deployment', 'PersistentVolumeClaim', 'Pod', 'Secret', 'Service']);
    expect(portal.get('Deployment').spec).toMatchObject({ replicas: 1, strategy: { type: 'Recreate' } });
    const claim = portal.get('PersistentVolumeClaim');
    expect(claim.metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' });
    expect(claim.spec.resources.requests.storage).toBe('10Gi');
    expect(portal.pod().spec.volumes).toContainEqual({
      name: 'data',
      persistentVolumeClaim: { claimName: claim.metadata.name },
    });
  });

  it('takes a volume claim that is there', async () => {
    const portal = await template(chart, 'embeddedDatabase: { enabled: true, existingClaim: old-data }');
    expect(portal.find('PersistentVolumeClaim')).toBeUndefined();
    expect(portal.yaml).toContain('claimName: old-data');
  });
});

describe('mistakes', () => {
  const secrets = (text: string) => `env: { secret: { ${text} } }`;
  it.each([
    ['no database', '{}', 'The portal needs a PostgreSQL'],
    ['no key', secrets('DATABASE_URL: "postgres://db/q"'), 'openssl rand -base64 32'],
    ['a key that is none', secrets('QUAYSIDE_ENCRYPTION_KEY: short'), '/env/secret/QUAYSIDE_ENCRYPTION_KEY'],
    ['a database that is none', secrets('DATABASE_URL: "mysql://db/q"'), '/env/secret/DATABASE_URL'],
    ['a password that is too short', secrets('QUAYSIDE_ADMIN_PASSWORD: short'), '/env/secret/QUAYSIDE_ADMIN_PASSWORD'],
    ['two databases', `${embedded}\n${secrets('DATABASE_URL: "postgres://db/q"')}`, 'leave one out'],
    ['an embedded database of many', `${embedded}\nautoscaling: { enabled: true }`, 'exclude each other'],
    ['a Secret without a name', 'secret: { useExistingSecret: true }', 'secret.name'],
    ['an ingress without a host', `${external}\ningress: { enabled: true }`, 'ingress.hosts'],
    ['a name that is none', `${external}\ningres: { enabled: true }`, "'ingres' not allowed"],
    ['a name that is none, deep', `${external}\ningress: { hosts: [{ hostname: a }] }`, "'hostname' not allowed"],
    ['a probe with a slip', `${external}\nreadinessProbe: { periodSecond: 1 }`, "'periodSecond' not allowed"],
  ])('%s', async (_name, values, words) => {
    expect(await refusal(chart, values)).toContain(words);
  });
});

it('is rendered as reviewed', async () => {
  const { yaml } = await template(
    chart,
    `${external}\nautoscaling: { enabled: true }\ningress: { enabled: true, hosts: [{ host: portal.example.com }] }`,
  );
  await expect(yaml).toMatchFileSnapshot('rendered/quayside.yaml');
});
