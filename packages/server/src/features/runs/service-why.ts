import {
  type Agent,
  agentConnectedWithinMs,
  type Delivery,
  describeOutcome,
  isApprovalByAll,
  isDelivered,
  isFinal,
  type WhyRun,
} from '@quayside/contracts';
import type { Ctx, World } from '../../platform/ctx.ts';
import { refuseMissing } from '../../platform/refusal.ts';
import { listDeliveriesOf } from '../deliveries/index.ts';
import { describeLabels, hasLabels, type Labels, type StoredRun } from './model.ts';
import { kafkaQueue } from './service.ts';
import { freezeOf, guardrailSettings, maySee } from './service-guards.ts';
import { findRun } from './store.ts';
import { listApprovers } from './store-approvals.ts';
import { findOpenWork, listAgents } from './store-dispatch.ts';

/** Why a run is where it is: what it waits for, who could end the waiting, and what happened before. */
export async function whyRun(world: World, runId: string): Promise<WhyRun> {
  return world.transaction(async (ctx) => {
    const run = await findRun(ctx.db, ctx.orgId, runId);
    if (!run || !(await maySee(ctx, run))) return refuseMissing('Run', runId);
    const deliveries = await listDeliveriesOf(ctx.db, ctx.orgId, runId);
    const because = isFinal(run.status)
      ? whyEnded(run)
      : run.status === 'WAITING_FOR_APPROVAL'
        ? await whyNotApproved(ctx, run)
        : await whyInProgress(ctx, run, deliveries);
    return { ...because, attempts: deliveries.map(describeAttempt) };
  });
}

type Because = Omit<WhyRun, 'attempts'>;

function whyEnded(run: StoredRun): Because {
  const summary = run.summary ? `: ${run.summary}` : '.';
  return { state: 'ended', text: `It has ended with ${run.status}${summary}` };
}

async function whyNotApproved(ctx: Ctx, run: StoredRun): Promise<Because> {
  const state = 'waiting_for_approval' as const;
  const frozen = freezeOf(await guardrailSettings(ctx), run.actionIdentifier, ctx.now());
  const approvers = await listApprovers(ctx.db, ctx.orgId, run.id);
  const pending = approvers.filter((one) => one.state === 'PENDING' && one.canAct).map((one) => one.email);
  const until = frozen ? ` Nothing can be approved until ${new Date(frozen.to).toISOString()}: ${frozen.reason}` : '';
  if (pending.length === 0)
    return { state, text: `Nobody may approve it; an administrator can change the permissions of the action.${until}` };
  const who =
    pending.length > 10 ? `${pending.slice(0, 10).join(', ')} and ${pending.length - 10} more` : pending.join(', ');
  const all = isApprovalByAll(run.requiredApproval) && pending.length > 1;
  const approved = approvers.filter((one) => one.state === 'APPROVED').length;
  const so = approved > 0 ? ` ${approved} of ${approved + pending.length} have approved.` : '';
  return {
    state,
    text: `It waits for the approval of ${all ? 'all of' : pending.length > 1 ? 'one of' : ''} ${who}.${so}${until}`.replace(
      '  ',
      ' ',
    ),
  };
}

async function whyInProgress(ctx: Ctx, run: StoredRun, deliveries: readonly Delivery[]): Promise<Because> {
  const last = deliveries.at(-1);
  const work = await findOpenWork(ctx.db, ctx.orgId, run.id);
  if (!work) {
    const handed = deliveries.find((one) => one.outcome && isDelivered(one.outcome));
    if (handed?.endedAt)
      return {
        state: 'waiting_for_report',
        text: `The target has it since ${handed.endedAt} and has not reported its end yet. The portal does not end it by itself.`,
      };
    if (last?.state === 'acknowledged')
      return { state: 'waiting_for_report', text: `${last.holder} took it for good and has not reported its end yet.` };
    return { state: 'waiting_for_report', text: 'It was handed over; its end has not been reported yet.' };
  }
  if (work.holder !== null)
    return {
      state: 'carried_out',
      text: `${work.holder} is at it, until ${work.dueAt?.toISOString() ?? 'it ends'} at least.`,
    };
  const lost = last?.state === 'lost' ? `${last.holder} went silent. ` : '';
  if (work.dueAt !== null && work.dueAt > ctx.now())
    return {
      state: 'retrying',
      text: `The last attempt failed${last?.outcome ? `: the target ${describeOutcome(last.outcome)}` : ''}. The next follows at ${work.dueAt.toISOString()}.`,
    };
  if (work.queue.startsWith('integration:'))
    return {
      state: 'waiting_for_integration',
      text: `${lost}The integration ${run.installationId ?? ''} has not asked for it yet.`,
    };
  if (work.queue !== kafkaQueue && !work.queue.startsWith('agent:'))
    return { state: 'waiting_for_portal', text: `${lost}The portal is about to send it.` };
  const agents = (await listAgents(ctx.db, ctx.orgId, agentConnectedWithinMs)).filter((agent) => agent.isConnected);
  const isPublished = work.queue === kafkaQueue;
  if (agents.length === 0 && !isPublished)
    return {
      state: 'waiting_for_agent',
      text: `${lost}No execution agent is connected. The run waits until one is.`,
      needsAgent: true,
    };
  const wanted = (run.payload?.agentLabels ?? {}) as Labels;
  const allowed = agents.filter(({ labels }) => hasLabels(labels, wanted));
  if (agents.length > 0 && allowed.length === 0) {
    const named = nameSome(agents, ({ id, labels }) => `${id} (${describeLabels(labels)})`);
    return {
      state: 'waiting_for_agent',
      text: `${lost}Waiting for an agent with ${describeLabels(wanted)}; connected: ${named}.`,
      needsAgent: true,
    };
  }
  const able = allowed.filter(({ streamer }) => streamer !== (isPublished ? 'POLLING' : 'KAFKA'));
  if (allowed.length > 0 && able.length === 0) {
    const named = nameSome(allowed, ({ id }) => id);
    return {
      state: 'waiting_for_agent',
      text: isPublished
        ? `${lost}Its message went into Kafka, as the organization's agents said, and can not be taken back. The connected agents that may take it only poll (${named}): it is carried out when an agent with STREAMER_NAME=KAFKA is started.`
        : `${lost}It waits for an agent that polls, as the organization's agents said. The connected agents that may take it only read Kafka (${named}): start one with STREAMER_NAME=POLLING, or one of these anew.`,
      needsAgent: true,
    };
  }
  if (isPublished)
    return {
      state: 'waiting_for_agent',
      text: `${lost}Its message is in Kafka; no agent that consumes it has claimed it yet.`,
    };
  const busy = able.filter((agent) => agent.inFlight >= agent.capacity).length;
  return {
    state: 'waiting_for_agent',
    text:
      busy === able.length
        ? `${lost}${able.length === 1 ? 'The one connected agent is busy' : `All ${able.length} connected agents are busy`}: it is taken when one of their runs ends.`
        : `${lost}Waiting for one of ${able.length} connected agents to take it.`,
  };
}

/** So many agents are named in the sentence. */
const maxNamed = 5;

function nameSome(agents: readonly Agent[], name: (agent: Agent) => string): string {
  const more = agents.length > maxNamed ? ` and ${agents.length - maxNamed} more` : '';
  return `${agents.slice(0, maxNamed).map(name).join(', ')}${more}`;
}

function describeAttempt(delivery: Delivery): string {
  const { attempt, holder, state, outcome } = delivery;
  const what = {
    open: 'is at it',
    settled: outcome ? `the target ${describeOutcome(outcome)}` : 'settled',
    lost: 'went silent; its lease ran out',
    acknowledged: 'took it for good',
    returned: 'gave it back unused',
  }[state];
  const then = delivery.isDead ? '; given up' : '';
  return `Attempt ${attempt} by ${holder}: ${what}${then}.`;
}
