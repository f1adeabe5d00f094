import { expect } from 'vitest';
import { chartFolder, file, helm, parse, type Resource } from './helm.ts';
import { findings } from './kubernetes.ts';

/** What a release of a chart would send to Kubernetes, after Kubernetes' own schemas found nothing wrong with it. */
export interface Release {
  resources: Resource[];
  kinds: string[];
  yaml: string;
  get(kind: string, name?: string): Resource;
  find(kind: string): Resource | undefined;
  /** Of the only container of the only workload. */
  container(): Resource;
  pod(): Resource;
  /** Variables whose value is written; others show where it comes from, as `secret name/key` or `field path`. */
  variables(): Record<string, string>;
  mounts(): Record<string, string>;
}

export function release(yaml: string): Release {
  const resources = parse(yaml);
  expect(findings(resources)).toEqual([]);
  const find = (kind: string, name?: string) =>
    resources.find((resource) => resource.kind === kind && (name === undefined || resource.metadata.name === name));
  const get = (kind: string, name?: string): Resource => {
    const resource = find(kind, name);
    if (!resource) throw new Error(`There is no ${kind} ${name ?? ''} in:\n${yaml}`);
    return resource;
  };
  const pod = (): Resource => (find('Deployment') ?? get('StatefulSet')).spec.template;
  const container = (): Resource => pod().spec.containers[0];
  return {
    resources,
    yaml,
    kinds: resources.map(({ kind }) => kind).sort(),
    get,
    find,
    pod,
    container,
    variables: () =>
      Object.fromEntries(
        container().env.map(({ name, value, valueFrom }: Resource) => [
          name,
          valueFrom?.secretKeyRef
            ? `secret ${valueFrom.secretKeyRef.name}/${valueFrom.secretKeyRef.key}`
            : valueFrom
              ? `field ${valueFrom.fieldRef.fieldPath}`
              : value,
        ]),
      ),
    mounts: () =>
      Object.fromEntries(container().volumeMounts.map(({ mountPath, name }: Resource) => [mountPath, name])),
  };
}

/** `values` is the text of a values file. */
export async function template(chart: string, values: string, ...args: string[]): Promise<Release> {
  const run = await helm('template', 'my', chartFolder(chart), '--values', file(valuesFile(), values), ...args);
  if (run.code !== 0) throw new Error(run.err);
  return release(run.out);
}

/** What Helm says to values that it must refuse. */
export async function refusal(chart: string, values: string, ...args: string[]): Promise<string> {
  const run = await helm('template', 'my', chartFolder(chart), '--values', file(valuesFile(), values), ...args);
  if (run.code === 0) throw new Error(`Helm took what it must refuse:\n${run.out}`);
  return run.err;
}

let count = 0;
const valuesFile = () => `values-${count++}.yaml`;
