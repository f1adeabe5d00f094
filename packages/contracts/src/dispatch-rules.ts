/** What is fixed about dispatch besides its shapes (dispatch.ts); apart from the schemas, as in delivery-rules.ts. */

/** `installationId` of execution agents; every other value names an integration. */
export const agentInstallationId = '_PORT_EXEC_AGENT';

export const defaultVisibilityTimeoutMs = 60_000;
/** Leases of our own agents are short, because the agent keeps extending them while it works. */
export const agentLeaseMs = 30_000;
export const agentHeartbeatMs = 10_000;
export const maxClaimWaitMs = 50_000;
/** A claim is held for so long; an agent that has not been seen since is away. */
export const agentConnectedWithinMs = maxClaimWaitMs + 15_000;
/** Longest time for which a run may be given back unused (`delayMs`). */
export const maxReturnDelayMs = 60_000;

/** In one call. Together they must stay below the largest body, 1 MiB. */
export const maxSettlements = 50;
