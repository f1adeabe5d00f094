import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { type Release, refusal, release, template } from './charts.ts';
import { startCluster } from './cluster.ts';
import { chartFolder, file, helm, inHome } from './helm.ts';

/**
 * Every command and every values file that the published documents of Port's agent show, with our chart's name in the place
 * of theirs, through the real Helm from a real chart repository.
 */
const chart = 'quayside-agent';
const certificate = '-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUTest\n-----END CERTIFICATE-----\n';
const certificatePath = '/usr/local/share/ca-certificates/cert.crt';
const decode = (value: string) => Buffer.from(value, 'base64').toString();

let cluster: Awaited<ReturnType<typeof startCluster>>;
beforeAll(async () => {
  cluster = await startCluster();
  mkdirSync(inHome('charts'), { recursive: true });
  await run('helm', 'package', chartFolder(chart), '--destination', 'charts');
  await run('helm', 'repo', 'index', 'charts');
  await run('helm', 'repo', 'add', 'quayside', `${cluster.url}/charts`);
});
afterAll(() => cluster.stop());

async function run(...command: string[]): Promise<string> {
  const { code, out, err } = await helm(...command.slice(1));
  if (code !== 0) throw new Error(`${command.join(' ')}\n${err}`);
  return out;
}

/** The command as it is printed in a document. Shell quotes are taken off as a shell would; `\` continues a line. */
async function install(command: string): Promise<Release & { notes: string }> {
  const words = command
    .replace(/\\\n/g, ' ')
    .trim()
    .split(/\s+/)
    .map((word) => word.replaceAll('"', ''));
  const out = await run(...words, '--dry-run=client', '--disable-openapi-validation');
  const [, manifest = '', notes = ''] = /MANIFEST:\n([\s\S]*?)\nNOTES:\n([\s\S]*)/.exec(out) ?? [];
  return { ...release(manifest), notes };
}

const credentials = `
env:
  normal:
    PORT_ORG_ID: org_1
    PORT_API_BASE_URL: https://portal.example.com
    STREAMER_NAME: POLLING
  secret:
    PORT_CLIENT_ID: the-client-id
    PORT_CLIENT_SECRET: the-client-secret
`;

describe('the commands of the documents', () => {
  it('install an agent that consumes Kafka', async () => {
    const agent = await install(`helm upgrade --install my-port-agent quayside/quayside-agent \\
      --create-namespace --namespace port-agent \\
      --set env.normal.PORT_ORG_ID="YOUR_ORG_ID" \\
      --set env.normal.STREAMER_NAME=KAFKA \\
      --set env.normal.KAFKA_CONSUMER_GROUP_ID="YOUR_CONSUMER_GROUP_ID" \\
      --set env.secret.PORT_CLIENT_ID="YOUR_CLIENT_ID" \\
      --set env.secret.PORT_CLIENT_SECRET="YOUR_CLIENT_SECRET"`);
    expect(agent.kinds).toEqual(['Deployment', 'Secret']);
    expect(agent.variables()).toMatchObject({
      PORT_ORG_ID: 'YOUR_ORG_ID',
      STREAMER_NAME: 'KAFKA',
      KAFKA_CONSUMER_GROUP_ID: 'YOUR_CONSUMER_GROUP_ID',
      KAFKA_CONSUMER_SECURITY_PROTOCOL: 'SASL_SSL',
      KAFKA_CONSUMER_AUTHENTICATION_MECHANISM: 'SCRAM-SHA-512',
      KAFKA_CONSUMER_AUTO_OFFSET_RESET: 'largest',
      PORT_CLIENT_ID: 'secret my-port-agent-quayside-agent/PORT_CLIENT_ID',
      PORT_CLIENT_SECRET: 'secret my-port-agent-quayside-agent/PORT_CLIENT_SECRET',
    });
    const { data } = agent.get('Secret', 'my-port-agent-quayside-agent');
    expect(decode(data.PORT_CLIENT_ID)).toBe('YOUR_CLIENT_ID');
    expect(decode(data.PORT_CLIENT_SECRET)).toBe('YOUR_CLIENT_SECRET');
    expect(agent.yaml).not.toContain('YOUR_CLIENT_SECRET');
    expect(agent.notes).toContain('PORT_API_BASE_URL is not set');
  });

  it('install an agent that polls, without a consumer group', async () => {
    const agent = await install(`helm upgrade --install my-port-agent quayside/quayside-agent \\
      --create-namespace --namespace port-agent \\
      --set env.normal.PORT_ORG_ID="YOUR_ORG_ID" \\
      --set env.normal.PORT_API_BASE_URL=https://portal.example.com \\
      --set env.normal.STREAMER_NAME=POLLING \\
      --set env.secret.PORT_CLIENT_ID="YOUR_CLIENT_ID" \\
      --set env.secret.PORT_CLIENT_SECRET="YOUR_CLIENT_SECRET"`);
    expect(agent.variables()).toMatchObject({
      STREAMER_NAME: 'POLLING',
      PORT_API_BASE_URL: 'https://portal.example.com',
    });
    expect(agent.variables()).not.toHaveProperty('KAFKA_CONSUMER_GROUP_ID');
    expect(agent.notes).not.toContain('WARNING');
  });

  it('override defaults', async () => {
    const agent = await install(`helm upgrade --install my-port-agent quayside/quayside-agent \\
      --create-namespace --namespace port-agent \\
      --set env.normal.PORT_ORG_ID="YOUR_ORG_ID" \\
      --set env.normal.KAFKA_CONSUMER_GROUP_ID="YOUR_CONSUMER_GROUP_ID" \\
      --set env.secret.PORT_CLIENT_ID="YOUR_CLIENT_ID" \\
      --set env.secret.PORT_CLIENT_SECRET="YOUR_CLIENT_SECRET" \\
      --set secret.useExistingSecret=false \\
      --set replicaCount=2 \\
      --set resources.limits.memory="512Mi"`);
    expect(agent.get('Deployment').spec.replicas).toBe(2);
    expect(agent.container().resources).toEqual({
      limits: { cpu: '200m', memory: '512Mi' },
      requests: { cpu: '100m', memory: '128Mi' },
    });
  });

  it('hand variables of a proxy to the agent', async () => {
    const agent = await install(`helm upgrade --install my-port-agent quayside/quayside-agent \\
      --set env.normal.HTTP_PROXY=http://my-proxy.com:1111 \\
      --set env.normal.HTTPS_PROXY=http://my-proxy.com:2222 \\
      --set env.normal.ALL_PROXY=http://my-proxy.com:3333 \\
      --set env.normal.NO_PROXY=http://127.0.0.1\\,google.com`);
    expect(agent.variables()).toMatchObject({
      HTTP_PROXY: 'http://my-proxy.com:1111',
      HTTPS_PROXY: 'http://my-proxy.com:2222',
      ALL_PROXY: 'http://my-proxy.com:3333',
      NO_PROXY: 'http://127.0.0.1,google.com',
    });
  });

  it('take a mapping file', async () => {
    const mapping = JSON.stringify(
      [{ enabled: '.payload != null', url: '"http://ci/{{ $x }}"', body: { a: '.b', c: ',' } }],
      null,
      2,
    );
    file('control_the_payload_config.json', mapping);
    const agent = await install(`helm install my-port-agent quayside/quayside-agent \\
      --create-namespace --namespace port-agent \\
      --set env.normal.STREAMER_NAME=POLLING \\
      --set-file controlThePayloadConfig=./control_the_payload_config.json`);
    expect(JSON.parse(agent.get('ConfigMap').data['control_the_payload_config.json'])).toEqual(JSON.parse(mapping));
    expect(agent.variables().CONTROL_THE_PAYLOAD_CONFIG_PATH).toBe('/app/control_the_payload_config.json');
    expect(agent.mounts()['/app/control_the_payload_config.json']).toBe('mapping');
  });
});

describe('the values files of the documents', () => {
  it('have proxies', async () => {
    const agent = await template(
      chart,
      `
env:
  normal:
    HTTP_PROXY: "http://my-proxy.com:1111"
    HTTPS_PROXY: "http://my-proxy.com:2222"
    NO_PROXY: "127.0.0.1,localhost"
`,
    );
    expect(agent.variables()).toMatchObject({
      HTTPS_PROXY: 'http://my-proxy.com:2222',
      NO_PROXY: '127.0.0.1,localhost',
    });
  });

  /** What "automatic configuration" promises. */
  function expectTrust(agent: Release, secretName: string, key: string): void {
    expect(agent.variables()).toMatchObject({ SSL_CERT_FILE: certificatePath, REQUESTS_CA_BUNDLE: certificatePath });
    const mount = agent
      .container()
      .volumeMounts.find(({ mountPath }: { mountPath: string }) => mountPath === certificatePath);
    expect(mount).toEqual({ name: 'certificate', mountPath: certificatePath, subPath: key, readOnly: true });
    const volume = agent.pod().spec.volumes.find(({ name }: { name: string }) => name === 'certificate');
    expect(volume).toEqual({ name: 'certificate', secret: { secretName } });
  }

  it('have a certificate inline (option 1, method A)', async () => {
    file(
      'values.yaml',
      `
selfSignedCertificate:
  enabled: true
  certificate: |
    -----BEGIN CERTIFICATE-----
    <YOUR_CERTIFICATE_CONTENT>
    -----END CERTIFICATE-----
  secret:
    name: ""
    key: crt
    useExistingSecret: false
`,
    );
    const agent = await install(`helm install my-port-agent quayside/quayside-agent \\
      --create-namespace --namespace port-agent \\
      -f values.yaml`);
    expectTrust(agent, 'my-port-agent-quayside-agent-certificate', 'crt');
    expect(decode(agent.get('Secret', 'my-port-agent-quayside-agent-certificate').data.crt)).toBe(
      '-----BEGIN CERTIFICATE-----\n<YOUR_CERTIFICATE_CONTENT>\n-----END CERTIFICATE-----\n',
    );
  });

  it('have a certificate in a file (option 1, method B)', async () => {
    file(
      'custom_values.yaml',
      `
selfSignedCertificate:
  enabled: true
  certificate: ""
  secret:
    name: ""
    key: crt
    useExistingSecret: false
`,
    );
    file('CERTIFICATE.crt', certificate);
    const agent = await install(`helm install my-port-agent quayside/quayside-agent \\
      --create-namespace --namespace port-agent \\
      -f custom_values.yaml \\
      --set selfSignedCertificate.enabled=true \\
      --set-file selfSignedCertificate.certificate=${inHome('CERTIFICATE.crt')}`);
    expectTrust(agent, 'my-port-agent-quayside-agent-certificate', 'crt');
    expect(decode(agent.get('Secret', 'my-port-agent-quayside-agent-certificate').data.crt)).toBe(certificate);
  });

  it('have a certificate in a secret of their own (option 2)', async () => {
    const agent = await template(
      chart,
      `
selfSignedCertificate:
  enabled: true
  certificate: ""
  secret:
    name: my-ca-cert
    key: ca.crt
    useExistingSecret: true
`,
    );
    expectTrust(agent, 'my-ca-cert', 'ca.crt');
    expect(agent.resources.filter(({ kind }) => kind === 'Secret').map(({ metadata }) => metadata.name)).toEqual([
      'my-quayside-agent',
    ]);
  });

  it('have several certificates', async () => {
    const agent = await template(
      chart,
      `
selfSignedCertificate:
  enabled: true
  secret:
    name: primary-cert
    key: ca.crt
    useExistingSecret: true
extraVolumes:
  - name: additional-certs
    secret:
      secretName: secondary-certs
extraVolumeMounts:
  - name: additional-certs
    mountPath: /usr/local/share/ca-certificates/cert2.crt
    subPath: cert2.crt
    readOnly: true
`,
    );
    expectTrust(agent, 'primary-cert', 'ca.crt');
    // A folder mounted above them would be read-only, and the second file could not be mounted into it.
    expect(Object.keys(agent.mounts()).filter((path) => path.startsWith('/usr/local/share/ca-certificates'))).toEqual([
      certificatePath,
      '/usr/local/share/ca-certificates/cert2.crt',
    ]);
  });

  it('are those of an ArgoCD application, with a second source for the values', async () => {
    // ArgoCD renders `helm template <releaseName> <chart> --namespace … --values $values/…`.
    const application = parseYaml(`
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: { name: my-port-agent, namespace: argocd }
spec:
  destination: { namespace: my-port-agent, server: "https://kubernetes.default.svc" }
  project: default
  sources:
    - repoURL: ${cluster.url}/charts
      chart: quayside-agent
      targetRevision: 0.1.0
      helm:
        releaseName: my-port-agent
        valueFiles: [$values/argocd/my-port-agent/values.yaml]
    - repoURL: https://git.example.com/values.git
      targetRevision: main
      ref: values
  syncPolicy: { automated: { prune: true, selfHeal: true }, syncOptions: [CreateNamespace=true] }
`);
    const source = application.spec.sources[0];
    file(
      'values-argocd.yaml',
      `
env:
  normal:
    PORT_ORG_ID: org_1
    KAFKA_CONSUMER_GROUP_ID: group_1
secret:
  useExistingSecret: true
  name: port-credentials
controlThePayloadConfig: |
  [
    {
      "enabled": ".payload.action != null",
      "url": ".payload.action.invocationMethod.url"
    }
  ]
`,
    );
    const agent = release(
      await run(
        ...['helm', 'template', source.helm.releaseName, source.chart, '--repo', source.repoURL],
        ...['--version', source.targetRevision, '--namespace', application.spec.destination.namespace],
        ...['--values', 'values-argocd.yaml'],
      ),
    );
    expect(agent.kinds).toEqual(['ConfigMap', 'Deployment']);
    expect(JSON.parse(agent.get('ConfigMap').data['control_the_payload_config.json'])).toHaveLength(1);
  });

  it('have credentials in a secret of their own', async () => {
    const agent = await template(chart, 'secret: { useExistingSecret: true, name: port-credentials }');
    expect(agent.kinds).toEqual(['Deployment']);
    expect(agent.container().envFrom).toEqual([{ secretRef: { name: 'port-credentials' } }]);
    expect(Object.keys(agent.variables())).not.toContain('PORT_CLIENT_ID');
  });
});

describe('an agent', () => {
  it('is confined: no root, no writable root, no privileges, no token, and it writes where it may', async () => {
    const agent = await template(chart, credentials);
    expect(agent.pod().spec).toMatchObject({
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(agent.container().securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(agent.mounts()).toEqual({ '/data': 'data', '/tmp': 'tmp' });
    expect(agent.variables().QUAYSIDE_AGENT_DATA_DIR).toBe('/data');
  });

  it('is asked for its health where it listens, and goes by its pod’s name', async () => {
    const agent = await template(chart, `health: { port: 9090 }`);
    expect(agent.container().ports).toEqual([{ name: 'health', containerPort: 9090 }]);
    expect(agent.container().livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'health' });
    expect(agent.container().readinessProbe.httpGet).toEqual({ path: '/healthz', port: 'health' });
    expect(agent.variables()).toMatchObject({
      QUAYSIDE_AGENT_HEALTH_PORT: '9090',
      QUAYSIDE_AGENT_HEALTH_HOST: 'field status.podIP',
      QUAYSIDE_AGENT_ID: 'field metadata.name',
    });
  });

  it('is replaced without a gap, or as Port’s chart does it', async () => {
    const strategy = async (values: string) => (await template(chart, values)).get('Deployment').spec.strategy;
    expect(await strategy('{}')).toEqual({ type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
    expect(await strategy('rolloutStrategy: Recreate')).toEqual({ type: 'Recreate' });
  });

  it('is given time to finish what it sends', async () => {
    const grace = async (values: string) => (await template(chart, values)).pod().spec.terminationGracePeriodSeconds;
    expect(await grace('{}')).toBe(60);
    expect(await grace('env: { normal: { WEBHOOK_INVOKER_TIMEOUT: 90.5 } }')).toBe(121);
    expect(await grace('env: { normal: { WEBHOOK_INVOKER_TIMEOUT: "300" } }')).toBe(330);
    expect(await grace('terminationGracePeriodSeconds: 10')).toBe(10);
  });

  it('keeps its outcomes on a volume of its own, if wanted', async () => {
    const agent = await template(
      chart,
      `replicaCount: 3\npersistence: { enabled: true, size: 2Gi, storageClassName: fast }`,
    );
    expect(agent.kinds).toEqual(['Secret', 'Service', 'StatefulSet']);
    const { spec } = agent.get('StatefulSet');
    expect(spec).toMatchObject({ replicas: 3, podManagementPolicy: 'Parallel', serviceName: 'my-quayside-agent' });
    expect(spec.volumeClaimTemplates[0].spec).toEqual({
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'fast',
      resources: { requests: { storage: '2Gi' } },
    });
    expect(agent.get('Service').spec).toMatchObject({ clusterIP: 'None', selector: spec.selector.matchLabels });
    expect(agent.mounts()['/data']).toBe('data');
  });

  it('writes numbers and booleans as text, as they were meant', async () => {
    const agent = await template(
      chart,
      'env: { normal: { POLLING_MAX_FAILURE_DURATION_SECONDS: 1000000, POLLING_BACKOFF_JITTER_FACTOR: 0.25, DETAILED_LOGGING: false, GITLAB_URL: null } }',
      ...['--set', 'env.normal.POLLING_RUNS_BATCH_SIZE=20000000', '--set', 'env.normal.QUAYSIDE_AGENT_ID=mine'],
      ...['--set', 'env.normal.my-group_my-project=token'],
    );
    expect(agent.variables()).toMatchObject({
      POLLING_MAX_FAILURE_DURATION_SECONDS: '1000000',
      POLLING_BACKOFF_JITTER_FACTOR: '0.25',
      DETAILED_LOGGING: 'false',
      POLLING_RUNS_BATCH_SIZE: '20000000',
      QUAYSIDE_AGENT_ID: 'mine',
      'my-group_my-project': 'token',
    });
    expect(agent.variables()).not.toHaveProperty('GITLAB_URL');
  });

  it('is made anew when its mapping, credentials or certificate change, and only then', async () => {
    const checksum = async (values: string) =>
      (await template(chart, values)).pod().metadata.annotations?.['checksum/configuration'];
    const before = await checksum(credentials);
    expect(await checksum(`${credentials}\npodAnnotations: { a: b }`)).toBe(before);
    expect(await checksum(credentials.replace('the-client-secret', 'another'))).not.toBe(before);
    expect(await checksum(`${credentials}\ncontrolThePayloadConfig: '[{"enabled": true}]'`)).not.toBe(before);
  });

  it('takes what clusters ask for', async () => {
    const agent = await template(
      chart,
      `
image: { repository: images.example.com/quayside-agent, tag: "1.2.3", pullPolicy: Always }
imagePullSecrets: [{ name: pull }]
fullnameOverride: runner
podServiceAccount: { name: runner }
podAnnotations: { team: platform }
extraLabels: { cost-center: "42", app.kubernetes.io/instance: not-this }
nodeSelector: { disk: ssd }
tolerations: [{ key: dedicated, operator: Equal, value: agents, effect: NoSchedule }]
affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } }
topologySpreadConstraints: [{ maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway }]
priorityClassName: high
secret: { name: runner-credentials, annotations: { reloader: "true" } }
`,
    );
    expect(agent.container()).toMatchObject({
      image: 'images.example.com/quayside-agent:1.2.3',
      imagePullPolicy: 'Always',
    });
    expect(agent.pod().spec).toMatchObject({
      serviceAccountName: 'runner',
      nodeSelector: { disk: 'ssd' },
      priorityClassName: 'high',
    });
    expect(agent.pod().metadata).toMatchObject({
      annotations: { team: 'platform' },
      labels: { 'cost-center': '42', 'app.kubernetes.io/instance': 'my' },
    });
    expect(agent.get('Secret', 'runner-credentials').metadata.annotations).toEqual({ reloader: 'true' });
  });

  it('keeps names that Kubernetes can bear, however long the release’s is', async () => {
    const run = await helm('template', 'r'.repeat(53), chartFolder(chart), '--set', 'persistence.enabled=true');
    expect(release(run.out).get('StatefulSet').metadata.name).toHaveLength(52);
  });

  it('can be part of another chart', async () => {
    await template(chart, 'global: { anything: 1 }');
  });
});

describe('autoscaling of agents', () => {
  const scaled = `${credentials}\nautoscaling: { enabled: true, maxReplicas: 5, prometheus: { serverAddress: "http://prometheus.monitoring" } }`;

  it('asks KEDA to follow the open runs of the organization', async () => {
    const agent = await template(chart, scaled);
    expect(agent.get('Deployment').spec).not.toHaveProperty('replicas');
    expect(agent.get('ScaledObject').spec).toEqual({
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'my-quayside-agent' },
      minReplicaCount: 1,
      maxReplicaCount: 5,
      pollingInterval: 15,
      cooldownPeriod: 300,
      triggers: [
        {
          type: 'prometheus',
          metricType: 'AverageValue',
          metadata: {
            serverAddress: 'http://prometheus.monitoring',
            query: 'max(sum by (instance) (quayside_queue_depth{queue="agent:org_1"}))',
            threshold: '16',
          },
        },
      ],
    });
  });

  it('follows another trigger, and scales a StatefulSet', async () => {
    const agent = await template(
      chart,
      `autoscaling: { enabled: true, triggers: [{ type: kafka, metadata: { topic: org_1.runs, lagThreshold: "10" } }] }\npersistence: { enabled: true }`,
    );
    expect(agent.get('ScaledObject').spec.triggers).toHaveLength(1);
    expect(agent.get('ScaledObject').spec.scaleTargetRef.kind).toBe('StatefulSet');
  });

  it('says what is missing', async () => {
    expect(await refusal(chart, 'autoscaling: { enabled: true }')).toContain('autoscaling.prometheus.serverAddress');
    expect(await refusal(chart, 'autoscaling: { enabled: true, prometheus: { serverAddress: "http://p" } }')).toContain(
      'PORT_ORG_ID',
    );
  });
});

describe('mistakes', () => {
  it.each([
    ['a name that is none', 'replicacount: 2', "'replicacount' not allowed"],
    [
      'a name that is none, deep',
      'selfSignedCertificate: { secret: { useExisting: true } }',
      "'useExisting' not allowed",
    ],
    ['a variable of the agent with a slip', 'env: { normal: { POLLING_INTERVAL: 5 } }', "'POLLING_INTERVAL'"],
    ['a variable that can be none', 'env: { normal: { "1 A": x } }', "'1 A'"],
    ['a streamer that is none', 'env: { normal: { STREAMER_NAME: KAFKAA } }', '/env/normal/STREAMER_NAME'],
    [
      'an address with /v1',
      'env: { normal: { PORT_API_BASE_URL: "https://p.example.com/v1" } }',
      '/env/normal/PORT_API_BASE_URL',
    ],
    ['a resource with a slip', 'resources: { limit: { memory: 1Gi } }', "'limit' not allowed"],
    ['an amount with a slip', 'resources: { limits: { memory: 512MB } }', '/resources/limits/memory'],
    ['a security setting with a slip', 'containerSecurityContext: { readonlyRootFilesystem: true }', 'not allowed'],
    [
      'a mount with a slip',
      'extraVolumeMounts: [{ name: a, mountPath: /a, readonly: true }]',
      "'readonly' not allowed",
    ],
    ['a strategy that is none', 'rolloutStrategy: Rolling', '/rolloutStrategy'],
    ['text for a number', 'replicaCount: "two"', '/replicaCount'],
    ['a mapping that is not JSON', 'controlThePayloadConfig: "[{]"', 'must be a JSON array of mappings'],
    [
      'a mapping that is not an array',
      `controlThePayloadConfig: '{"enabled": true}'`,
      'must be a JSON array of mappings',
    ],
    ['a certificate that is missing', 'selfSignedCertificate: { enabled: true }', 'is not PEM'],
    ['a certificate that is not PEM', 'selfSignedCertificate: { enabled: true, certificate: MIIB }', 'is not PEM'],
    [
      'a secret without a name',
      'selfSignedCertificate: { enabled: true, secret: { useExistingSecret: true } }',
      'selfSignedCertificate.secret.name',
    ],
    [
      'a certificate twice',
      `selfSignedCertificate: { enabled: true, certificate: x, secret: { name: a, useExistingSecret: true } }`,
      'leave one out',
    ],
    ['credentials without a name', 'secret: { useExistingSecret: true }', 'secret.name'],
  ])('%s', async (_name, values, words) => {
    expect(await refusal(chart, values)).toContain(words);
  });
});

it('is rendered as reviewed', async () => {
  const { yaml } = await template(
    chart,
    `${credentials}\ncontrolThePayloadConfig: '[{"enabled": true}]'\nselfSignedCertificate: { enabled: true, certificate: ${JSON.stringify(certificate)} }\nautoscaling: { enabled: true, prometheus: { serverAddress: "http://prometheus" } }`,
  );
  await expect(yaml).toMatchFileSnapshot('rendered/quayside-agent.yaml');
});
