import type { AgentStreamer } from '@quayside/contracts';

/** Agents of one streamer: they were seen lately, and one that may take the run is connected or not. */
export interface FleetPart {
  streamer: AgentStreamer;
  canTake: boolean;
}

/**
 * Which way a run goes (docs/adr/0033): as the organization's agents last said, unless those who said so are known to be
 * away, or lack the run's labels, and connected agents of the other streamer can take it. Agents that do not name their
 * streamer, as Port's, are never known to be away.
 */
export function chooseStreamer(said: AgentStreamer, fleet: readonly FleetPart[]): AgentStreamer {
  const known = fleet.find(({ streamer }) => streamer === said);
  const other = fleet.find(({ streamer }) => streamer !== said);
  return known && !known.canTake && other?.canTake ? other.streamer : said;
}
