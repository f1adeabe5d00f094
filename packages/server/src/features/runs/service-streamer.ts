import { type AgentStreamer, agentConnectedWithinMs } from '@quayside/contracts';
import type { Ctx } from '../../platform/ctx.ts';
import type { Labels } from '../../platform/leases.ts';
import { readAgentStreamer } from '../identity/index.ts';
import { chooseStreamer } from './model-streamer.ts';
import { describeFleet } from './store-dispatch.ts';

/** The way to the agents for what asks for these labels, in a portal that has Kafka. */
export async function streamerFor(ctx: Ctx, labels: Labels = {}): Promise<AgentStreamer> {
  const fleet = await describeFleet(ctx.db, ctx.orgId, labels, agentConnectedWithinMs);
  return chooseStreamer(await readAgentStreamer(ctx), fleet);
}
