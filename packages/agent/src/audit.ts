import { createHash } from 'node:crypto';
import { appendFile } from 'node:fs/promises';

/**
 * What this agent did in its network, one JSON line each, in a file of the customer that the portal can neither read nor
 * change. A request has two lines: `sending` before its first byte and `outcome` after it, so that what a killed agent
 * may have sent is known, too. A request that was refused here has one, `refused`.
 *
 * A line that can not be written keeps the request from being sent: nothing happens off the record. Bodies, headers and
 * queries are not kept; the body's hash lets one prove later what was sent. The file is opened for each line, so it can be
 * rotated by renaming.
 */
export interface AuditLine {
  event: 'sending' | 'outcome' | 'refused';
  run: string;
  attempt: number;
  method: string;
  /** Without user info and query. */
  url: string;
  bytes?: number;
  sha256?: string;
  outcome?: string;
  status?: number;
  durationMs?: number;
  reason?: string;
}

export class Audit {
  private readonly path: string | undefined;
  private readonly agentId: string;

  constructor(path: string | undefined, agentId: string) {
    this.path = path;
    this.agentId = agentId;
  }

  get isOn(): boolean {
    return this.path !== undefined;
  }

  /** Rejects when the line can not be written. */
  async write(line: AuditLine): Promise<void> {
    if (this.path === undefined) return;
    const text = JSON.stringify({ at: new Date().toISOString(), agent: this.agentId, ...line });
    await appendFile(this.path, `${text}\n`, { mode: 0o600 });
  }

  /** Finds out at the start whether the file can be written. */
  async check(): Promise<void> {
    if (this.path !== undefined) await appendFile(this.path, '', { mode: 0o600 });
  }
}

export function fingerprint(body: string | undefined): { bytes: number; sha256: string } {
  const bytes = Buffer.from(body ?? '');
  return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}
