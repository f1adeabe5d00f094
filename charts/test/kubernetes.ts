import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { parse as parseYaml } from 'yaml';
import { type Resource, toolFolder } from './helm.ts';

/**
 * Judges resources as an API server would: by the schemas of Kubernetes itself (an old and a new version) and of KEDA, with
 * unknown fields refused, and by the rules between fields that schemas can not say.
 */
interface Schema {
  [key: string]: unknown;
  properties?: Record<string, Schema>;
}

/** What the API server prunes silently is a mistake here: an object with named properties has no others. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== 'object' || schema === null) return schema;
  const result: Schema = {};
  for (const [key, value] of Object.entries(schema)) {
    // Documentation, and formats that say the width of a number.
    if (
      key === 'description' ||
      key === 'example' ||
      key === 'default' ||
      (key === 'format' && value !== 'int-or-string')
    )
      continue;
    result[key] = key === 'properties' ? mapValues(value as Record<string, unknown>, strict) : strict(value);
  }
  if (result.format === 'int-or-string' || result['x-kubernetes-int-or-string'] === true)
    return { type: ['integer', 'string'] };
  if (result.properties && result.additionalProperties === undefined && !result['x-kubernetes-preserve-unknown-fields'])
    result.additionalProperties = false;
  return result;
}
const mapValues = <A, B>(record: Record<string, A>, change: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));

interface Definition extends Schema {
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[];
}

function readKubernetes(file: string): (resource: Resource) => ValidateFunction | undefined {
  const { definitions } = JSON.parse(readFileSync(join(toolFolder, file), 'utf8')) as {
    definitions: Record<string, Definition>;
  };
  const names = new Map<string, string>();
  for (const [name, definition] of Object.entries(definitions))
    for (const { group, version, kind } of definition['x-kubernetes-group-version-kind'] ?? [])
      names.set(`${group === '' ? '' : `${group}/`}${version} ${kind}`, name);
  const quantity = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
  definitions[quantity] = {
    type: ['string', 'number'],
    pattern: '^[+-]?[0-9]+(\\.[0-9]*)?([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?$',
  };
  const ajv = new Ajv({ strict: false, allErrors: true });
  ajv.addSchema({ $id: 'kubernetes', definitions: mapValues(definitions, strict) });
  return ({ apiVersion, kind }) => {
    const name = names.get(`${apiVersion} ${kind}`);
    return name === undefined ? undefined : ajv.getSchema(`kubernetes#/definitions/${name}`);
  };
}

function readCustom(file: string): (resource: Resource) => ValidateFunction | undefined {
  const { spec } = parseYaml(readFileSync(join(toolFolder, file), 'utf8')) as {
    spec: { group: string; names: { kind: string }; versions: { name: string; schema: { openAPIV3Schema: Schema } }[] };
  };
  const version = spec.versions[0];
  if (!version) throw new Error(`${file} has no version.`);
  const schema = strict(version.schema.openAPIV3Schema) as Schema;
  // In a custom resource metadata is Kubernetes' business, and written as just an object.
  const ajv = new Ajv({ strict: false, allErrors: true });
  const validate = ajv.compile(schema);
  return ({ apiVersion, kind }) =>
    apiVersion === `${spec.group}/${version.name}` && kind === spec.names.kind ? validate : undefined;
}

const files = readdirSync(toolFolder);
export const kubernetesVersions = files.flatMap((file) => /^kubernetes-(.*)\.json$/.exec(file)?.[1] ?? []);
const custom = readCustom('keda.sh_scaledobjects.yaml');
const judges = kubernetesVersions.map((version) => ({
  version,
  find: readKubernetes(`kubernetes-${version}.json`),
}));

/** Everything that is wrong with the resources; empty = an API server takes them. */
export function findings(resources: readonly Resource[]): string[] {
  return [
    ...judges.flatMap(({ version, find }) =>
      resources.flatMap((resource) => {
        const name = `${resource.kind}/${resource.metadata?.name}`;
        const validate = find(resource) ?? custom(resource);
        if (!validate) return [`${name}: Kubernetes ${version} has no ${resource.apiVersion} ${resource.kind}`];
        if (validate(resource)) return [];
        return (validate.errors ?? []).map(
          ({ instancePath, message, params }) =>
            `${name} ${instancePath} ${message} ${JSON.stringify(params)} (${version})`,
        );
      }),
    ),
    ...resources.flatMap(findingsBetweenFields),
    ...twice(resources.map(({ kind, metadata }) => `${kind}/${metadata.name}`)).map((name) => `${name} is there twice`),
  ];
}

const twice = (values: readonly string[]): string[] => values.filter((value, index) => values.indexOf(value) !== index);
const objectName = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;
const label = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;

function findingsBetweenFields(resource: Resource): string[] {
  const found: string[] = [];
  const name = `${resource.kind}/${resource.metadata.name}`;
  const longest = resource.kind === 'StatefulSet' ? 52 : resource.kind === 'Service' ? 63 : 253;
  if (!objectName.test(resource.metadata.name) || resource.metadata.name.length > longest)
    found.push(`${name}: the name is not one of at most ${longest} lower-case letters, digits and dashes`);
  for (const [key, value] of Object.entries(resource.metadata.labels ?? {}))
    if (value.length > 63 || !label.test(value)) found.push(`${name}: the label ${key} can not be "${value}"`);
  const pod = resource.kind === 'Pod' ? resource : resource.spec?.template;
  if (!pod?.spec?.containers) return found;
  const selector = resource.spec.selector?.matchLabels ?? {};
  for (const [key, value] of Object.entries(selector))
    if (pod.metadata.labels[key] !== value)
      found.push(`${name}: its pods do not carry the label ${key}=${value} that it selects`);
  const claims = (resource.spec.volumeClaimTemplates ?? []).map((claim: Resource) => claim.metadata.name);
  const volumes: string[] = [...(pod.spec.volumes ?? []).map((volume: { name: string }) => volume.name), ...claims];
  found.push(...twice(volumes).map((volume) => `${name}: the volume ${volume} is there twice`));
  for (const container of pod.spec.containers) {
    const mounts: { name: string; mountPath: string }[] = container.volumeMounts ?? [];
    for (const mount of mounts)
      if (!volumes.includes(mount.name))
        found.push(`${name}: ${mount.mountPath} mounts the volume ${mount.name}, which is missing`);
    found.push(
      ...twice(mounts.map(({ mountPath }) => mountPath)).map((path) => `${name}: two volumes are mounted at ${path}`),
    );
    const variables: string[] = (container.env ?? []).map((variable: { name: string }) => variable.name);
    found.push(...twice(variables).map((variable) => `${name}: the variable ${variable} is there twice`));
    const ports: string[] = (container.ports ?? []).map((port: { name: string }) => port.name);
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
      const port = container[probe]?.httpGet?.port;
      if (typeof port === 'string' && !ports.includes(port))
        found.push(`${name}: ${probe} asks the port ${port}, which is missing`);
    }
  }
  return found;
}
