import type { PortalApi } from '../api.ts';
import type { Log } from '../log.ts';
import { portalCalls } from '../portal-calls.ts';

/**
 * Tells the portal once how this organization's agents get their runs, as Port's agent does at its start. A portal that refuses
 * is left as it is, with a line in the log; one that did not answer is told again before the next claim.
 */
export class Announcement {
  private readonly api: PortalApi;
  private readonly log: Log;
  private readonly streamer: 'KAFKA' | 'POLLING';
  private isOver = false;

  constructor(api: PortalApi, log: Log, streamer: 'KAFKA' | 'POLLING') {
    this.api = api;
    this.log = log;
    this.streamer = streamer;
  }

  async make(signal: AbortSignal): Promise<void> {
    if (this.isOver) return;
    const answer = await this.api.call(portalCalls.chooseStreamer(this.streamer), { signal });
    this.isOver = answer.kind === 'ok' || (answer.kind === 'refused' && answer.status < 500 && answer.status !== 429);
    if (answer.kind === 'ok')
      this.log.info({ streamer: this.streamer }, 'the portal knows this agent; waiting for runs');
    if (answer.kind === 'refused')
      this.log.warn(
        { problem: answer.message },
        `the portal did not take the setting portAgentStreamerName: ${this.streamer}; if runs do not arrive, have an administrator set it`,
      );
  }
}
