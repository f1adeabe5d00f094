import { type Job, type Work, WorkFailure } from './job.ts';
import type { Entity } from './request.ts';

/**
 * The four actions of the demo. Each pretends: where it pauses, a real service would call Git, a pipeline, a cloud.
 * Replace the bodies, keep the shape: say what is being done, link to it, tell the catalog what came of it.
 */
export const works: Readonly<Record<string, Work>> = {
  scaffold_service: scaffoldService,
  provision_environment: provisionEnvironment,
  rollback_service: rollbackService,
  change_replicas: changeReplicas,
};

async function scaffoldService(job: Job): Promise<string> {
  const name = required(job, 'name');
  const language = textInput(job, 'language', 'TypeScript');
  const repository = `https://git.harbour.example/${name}`;
  await job.label('Creating the repository');
  await job.log(`${job.requestedBy} wants a ${language} service called ${name}`);
  await job.step();
  await job.log(`Created the repository ${repository} with branch protection`);
  await job.link(repository);
  await job.step();
  await job.label('Rendering the template');
  await job.log(`Rendered the ${language} template: 34 files, Dockerfile, pipeline, dashboard`);
  failIfAsked(
    job,
    `the name ${name} is taken in the container registry. Pick another name, or ask the platform team to free it`,
  );
  await job.step();
  if (job.inputs.with_database === true) {
    await job.log(
      `Created the database ${name.replaceAll('-', '_')} (PostgreSQL, 10 GB) and stored its credentials in the vault`,
    );
    await job.step();
  }
  await job.log('First pipeline passed: build 41 s, tests 12 s');
  await job.upsert('service', {
    identifier: name,
    title: titleOf(name),
    properties: {
      language,
      tier: textInput(job, 'tier', 'standard'),
      lifecycle: 'beta',
      repository,
      ...(typeof job.inputs.description === 'string' && { description: job.inputs.description }),
    },
    ...(Array.isArray(job.inputs.depends_on) && { relations: { depends_on: job.inputs.depends_on } }),
  });
  await job.log(`Registered ${name} in the catalog`);
  return `${name} is ready: clone ${repository}.git`;
}

async function provisionEnvironment(job: Job): Promise<string> {
  const name = required(job, 'name');
  const service = required(job, 'service');
  const hours = numberInput(job, 'hours', 8);
  const expiresAt = new Date(Date.now() + hours * 3_600_000);
  const url = `https://${name}.preview.harbour.example`;
  await job.label('Creating the namespace');
  if (typeof job.inputs.not_before === 'string')
    await job.log(`Asked for ${job.inputs.not_before}; this demo starts at once`);
  await job.log(`Creating the namespace ${name} in eu-west-1`);
  await job.step();
  failIfAsked(
    job,
    'the quota of eu-west-1 is used up (0 of 16 vCPU left). Delete an environment that nobody needs, or ask the platform team to raise the quota',
  );
  await job.label(`Deploying ${service}`);
  await job.log(`Copying the staging configuration of ${service}`);
  await job.step();
  await job.upsert('environment', {
    identifier: name,
    title: titleOf(name),
    properties: { type: 'temporary', region: 'eu-west-1', url, ttl: expiresAt.toISOString() },
  });
  await job.log(`Deploying ${service}: 1 of 1 replicas ready`);
  await job.upsert('deployment', {
    identifier: `${service}-${name}`,
    title: `${service} in ${name}`,
    properties: { version: 'main', replicas: 1, status: 'healthy', deployedAt: new Date().toISOString() },
    relations: { service, environment: name },
  });
  await job.link(url);
  await job.step();
  await job.log(`Health check of ${url} passed`);
  job.removeLater('environment', name, hours * 3_600_000);
  await job.log(`The environment goes away at ${expiresAt.toISOString()}`);
  return `${url} runs ${service} for ${hours} ${hours === 1 ? 'hour' : 'hours'}`;
}

async function rollbackService(job: Job): Promise<string> {
  const deployment = requiredEntity(job);
  const present = String(deployment.properties.version ?? '0.0.1');
  const version = textInput(job, 'version', versionBefore(present));
  await job.label(`Rolling back to ${version}`);
  await job.log(
    `Rolling ${deployment.identifier} back from ${present} to ${version}: ${textInput(job, 'reason', 'no reason given')}`,
  );
  await job.link(`https://deploy.harbour.example/${deployment.identifier}/rollbacks/${job.runId}`);
  await job.step();
  await job.log(`Pulled the image ${deployment.identifier}:${version}`);
  failIfAsked(
    job,
    `the image ${deployment.identifier}:${version} is no longer in the registry. Choose a version of the last 90 days`,
  );
  await job.step();
  await job.log('Switched 50 % of the traffic; error rate 0.02 %');
  await job.step();
  await job.log('Switched all traffic; the old version is kept for an hour');
  await job.upsert('deployment', {
    identifier: deployment.identifier,
    properties: { version, status: 'healthy', deployedAt: new Date().toISOString() },
  });
  return `${deployment.identifier} runs ${version} again`;
}

async function changeReplicas(job: Job): Promise<string> {
  const deployment = requiredEntity(job);
  const wanted = numberInput(job, 'replicas', 1);
  const present = Number(deployment.properties.replicas ?? 0);
  await job.label(`Scaling to ${wanted}`);
  await job.log(`Scaling ${deployment.identifier} from ${present} to ${wanted}`);
  await job.link(`https://deploy.harbour.example/${deployment.identifier}/scale`);
  await job.step();
  failIfAsked(
    job,
    `only ${present} of ${wanted} replicas fit: the node pool is at its maximum of 12 nodes. Ask for fewer replicas, or ask the platform team for a larger pool`,
  );
  await job.log(`${Math.ceil((present + wanted) / 2)} of ${wanted} replicas ready`);
  await job.step();
  await job.log(`${wanted} of ${wanted} replicas ready`);
  await job.step();
  await job.upsert('deployment', {
    identifier: deployment.identifier,
    properties: { replicas: wanted, status: wanted === 0 ? 'stopped' : 'healthy' },
  });
  return wanted === 0 ? `${deployment.identifier} is stopped` : `${deployment.identifier} runs ${wanted} replicas`;
}

/** For trying out what a failure looks like: the input `simulate_failure`, or a text input that begins with `fail-`. */
function failIfAsked(job: Job, reason: string): void {
  const isAsked =
    job.inputs.simulate_failure === true ||
    Object.values(job.inputs).some((value) => typeof value === 'string' && value.startsWith('fail-'));
  if (isAsked) throw new WorkFailure(`The step failed: ${reason}.`);
}

function required(job: Job, input: string): string {
  const value = textInput(job, input, '');
  if (value === '')
    throw new WorkFailure(`The input "${input}" is missing; check the body of the action's invocation.`);
  return value;
}

function requiredEntity(job: Job): Entity {
  if (job.entity === undefined) {
    throw new WorkFailure('No entity came with the request; the action must send "entity" and be started on one.');
  }
  return job.entity;
}

/** An entity input may come as the entity itself. */
function textInput(job: Job, input: string, fallback: string): string {
  const value = job.inputs[input];
  if (typeof value === 'string' && value !== '') return value;
  if (typeof value === 'object' && value !== null && 'identifier' in value) return String(value.identifier);
  return fallback;
}

function numberInput(job: Job, input: string, fallback: number): number {
  const value = Number(job.inputs[input] ?? fallback);
  return Number.isFinite(value) ? value : fallback;
}

function titleOf(name: string): string {
  const words = name.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** 7.2.4 → 7.2.3, 7.2.0 → 7.1.0, 3.13.0-rc.1 → 3.12.0 */
function versionBefore(version: string): string {
  const parts = (version.split('-')[0] ?? '').split('.').map(Number);
  for (let index = parts.length - 1; index >= 0; index -= 1) {
    const part = parts[index] ?? 0;
    if (part > 0) {
      parts[index] = part - 1;
      return parts.join('.');
    }
  }
  return version;
}
