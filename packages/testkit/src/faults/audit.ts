import { type AuditFinding, type Checkpoint, verifyAuditExport } from '@quayside/contracts/audit-chain';
import type { PortalClient } from './portal-client.ts';

/** The audit log after a storm: an export of the portal, checked as somebody else would (script/audit-verify). */

/** What somebody kept elsewhere meanwhile. None while the portal is away. */
export async function keepCheckpoints(portal: PortalClient): Promise<{ checkpoints: Checkpoint[]; keys: string[] }> {
  const { verdict, body } = await portal.call('GET', '/v1/audit-log/checkpoints?limit=5');
  if (verdict !== 'accepted') return { checkpoints: [], keys: [] };
  return { checkpoints: body.checkpoints as Checkpoint[], keys: [String(body.publicKey)] };
}

export interface AuditState {
  records: number;
  checkpoints: number;
  isWhole: boolean;
  findings: AuditFinding[];
}

export async function verifyAudit(
  portal: PortalClient,
  kept: { checkpoints: readonly Checkpoint[]; keys: readonly string[] },
): Promise<AuditState> {
  const text = await portal.text('/v1/audit-log/export');
  const lines = text.split('\n').filter((line) => line !== '');
  const verdict = await verifyAuditExport(lines, { keys: kept.keys, knownCheckpoints: kept.checkpoints });
  const { records, checkpoints, isWhole, findings } = verdict;
  return { records, checkpoints, isWhole, findings };
}

/** `events` = how many there are. */
export function checkAudit(
  { records, isWhole, findings }: AuditState,
  events: number,
): { rule: string; about: string; message: string }[] {
  const rule = 'the audit chain whole';
  return [
    ...(isWhole ? [] : [{ rule, about: 'the export', message: 'is not whole' }]),
    ...findings.map(({ line, kind, says }) => ({ rule, about: `line ${line}`, message: `${kind}: ${says}` })),
    ...(records === events ? [] : [{ rule, about: 'the export', message: `has ${records} of ${events} events` }]),
  ];
}
