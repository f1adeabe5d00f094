import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { chartFolder, file, helm, parse } from './helm.ts';
import { findings, kubernetesVersions } from './kubernetes.ts';

const read = (chart: string, name: string) => readFileSync(join(chartFolder(chart), name), 'utf8');

/** `a.b.c` for every value that a person may set; an empty object or list is one value. */
function paths(value: unknown, prefix = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || Object.keys(value).length === 0)
    return [prefix];
  return Object.entries(value).flatMap(([key, inner]) => paths(inner, prefix === '' ? key : `${prefix}.${key}`));
}

describe.each([
  ['quayside-agent', '{}'],
  ['quayside', 'embeddedDatabase: { enabled: true }'],
])('%s', (chart, values) => {
  it('passes helm lint, where warnings count', async () => {
    const run = await helm('lint', chartFolder(chart), '--strict', '--values', file(`${chart}-lint.yaml`, values));
    expect(run.out).toContain('0 chart(s) failed');
    expect(run.code).toBe(0);
  });

  it('documents every value, and none that is not there', () => {
    const table = read(chart, 'README.md').split('## Values')[1] ?? '';
    const documented = [...table.matchAll(/^\| (`[^|]*`) +\|/gm)].flatMap((row) =>
      [...(row[1] ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ''),
    );
    const known = paths(parseYaml(read(chart, 'values.yaml')));
    const covers = (name: string, path: string) => path === name || path.startsWith(`${name}.`);
    expect(known.filter((path) => !documented.some((name) => covers(name, path)))).toEqual([]);
    expect(documented.filter((name) => !known.some((path) => covers(name, path)))).toEqual([]);
  });

  it('has the version of the repository', () => {
    const { version } = JSON.parse(readFileSync(join(chartFolder(chart), '../../package.json'), 'utf8'));
    expect(parseYaml(read(chart, 'Chart.yaml'))).toMatchObject({ version, appVersion: version });
  });
});

it('the agent’s chart knows every variable that the agent reads, below the prefixes where it knows all', () => {
  const { properties } = JSON.parse(read('quayside-agent', 'values.schema.json'));
  const [{ enum: known }, { not: others }] = properties.env.properties.normal.propertyNames.anyOf;
  const source = readFileSync(join(import.meta.dirname, '../../packages/agent/src/config.ts'), 'utf8');
  const variables = [...source.matchAll(/'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)'/g)].map((match) => match[1] ?? '');
  const guarded = variables.filter((name) => new RegExp(others.pattern).test(name));
  expect(guarded.length).toBeGreaterThan(0);
  expect(guarded.filter((name) => !known.includes(name))).toEqual([]);
});

describe('the judge of what is rendered', () => {
  const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: a, labels: {} }
spec:
  selector: { matchLabels: { app: a } }
  template:
    metadata: { labels: { app: a } }
    spec:
      containers:
        - name: a
          image: a
          env: [{ name: A, value: "1" }]
          ports: [{ name: http, containerPort: 80 }]
          readinessProbe: { httpGet: { path: /, port: http } }
          volumeMounts: [{ name: v, mountPath: /v }]
          resources: { limits: { memory: 1Gi } }
      volumes: [{ name: v, emptyDir: {} }]
`;
  it('knows an old and a new Kubernetes', () => {
    expect(kubernetesVersions).toHaveLength(2);
    expect(findings(parse(deployment))).toEqual([]);
  });

  it.each([
    ['an unknown field', 'emptyDir: {}', 'emptyDirectory: {}', 'must NOT have additional properties'],
    [
      'a field in the wrong place',
      'image: a',
      'image: a\n          replicas: 1',
      'must NOT have additional properties',
    ],
    ['a missing field', 'name: A, ', '', "must have required property 'name'"],
    ['a wrong type', 'value: "1"', 'value: 1', 'must be string'],
    ['an amount that is none', '1Gi', '1GiB', 'must match pattern'],
    ['a kind that is none', 'kind: Deployment', 'kind: Deploy', 'Kubernetes 1.36.3 has no apps/v1 Deploy'],
    ['an API that is gone', 'apps/v1', 'extensions/v1beta1', 'has no extensions/v1beta1 Deployment'],
    ['a selector that selects nothing', 'labels: { app: a }', 'labels: { app: b }', 'do not carry the label app=a'],
    ['a mount without a volume', 'name: v, mountPath', 'name: w, mountPath', 'mounts the volume w, which is missing'],
    ['a variable twice', '[{ name: A', '[{ name: A }, { name: A', 'the variable A is there twice'],
    ['a mount twice', '[{ name: v, m', '[{ name: v, mountPath: /v }, { name: v, m', 'two volumes are mounted at /v'],
    ['a probe of no port', 'port: http }', 'port: web }', 'asks the port web, which is missing'],
    ['a name that is none', 'name: a, labels', 'name: A_b, labels', 'the name is not one'],
  ])('refuses %s', (_name, good, bad, words) => {
    const text = deployment.replace(good, bad);
    expect(text).not.toBe(deployment);
    expect(findings(parse(text)).join('\n')).toContain(words);
  });

  it('refuses a slip in a ScaledObject', () => {
    const scaled = (field: string) =>
      parse(`
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: { name: a, labels: {} }
spec: { scaleTargetRef: { name: a }, ${field}: 1, triggers: [{ type: cpu, metadata: { value: "1" } }] }`);
    expect(findings(scaled('minReplicaCount'))).toEqual([]);
    expect(findings(scaled('minReplicas')).join()).toContain('must NOT have additional properties');
  });

  it('refuses a key that stands twice', () => {
    expect(() => parse('a: 1\na: 2')).toThrow(/unique/);
  });
});
