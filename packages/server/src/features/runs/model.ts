import type { Action, Run, RunSource, RunStatus } from '@quayside/contracts';

/** Pure rules of a run: what is stored of it, and how it is shown. */

/** A holder that is lost this often takes something down with it; then the run fails instead of going round for ever. */
export const maxLostLeases = 10;

export function needsApproval(requiredApproval: Action['requiredApproval']): boolean {
  return requiredApproval !== undefined && requiredApproval !== false;
}

/** A run as stored, with what its references are called today. */
export interface StoredRun {
  id: string;
  seq: number;
  actionId: string;
  actionIdentifier: string;
  blueprint: string | null;
  entity: string | null;
  status: RunStatus;
  statusLabel: string | null;
  link: string | string[] | null;
  summary: string | null;
  externalRunId: string | null;
  source: RunSource;
  requiredApproval: unknown;
  isPrivate: boolean;
  approval: Record<string, unknown> | null;
  rawProperties: Record<string, unknown>;
  properties: Record<string, unknown>;
  payload: Record<string, unknown> | null;
  /** The payload with its secrets, sealed; null where it has none. */
  sealedPayload: Buffer | null;
  response: unknown;
  installationId: string | null;
  createdBy: string;
  impersonatedBy: string | null;
  updatedBy: string;
  createdAt: Date;
  updatedAt: Date;
  endedAt: Date | null;
  /** From its open work, if any. */
  isPending: boolean;
  /** That work is a replay's: the run may have ended, and its status stays as it is. */
  isReplayed: boolean;
  claimedUntil: Date | null;
  isActionDeleted: boolean;
  actionTitle: string | null;
  actionIcon: string | null;
  isBlueprintDeleted: boolean;
  blueprintTitle: string | null;
  blueprintIcon: string | null;
  isEntityDeleted: boolean;
  entityTitle: string | null;
  entityIcon: string | null;
}

/** The wire shape (§2.1, version 2): what is not there is left out. */
export function toRun(stored: StoredRun): Run {
  return {
    id: stored.id,
    action: {
      identifier: stored.actionIdentifier,
      title: stored.actionTitle,
      icon: stored.actionIcon,
      deleted: stored.isActionDeleted,
    },
    ...(stored.blueprint === null
      ? {}
      : {
          blueprint: {
            identifier: stored.blueprint,
            title: stored.blueprintTitle,
            icon: stored.blueprintIcon,
            deleted: stored.isBlueprintDeleted,
          },
        }),
    ...(stored.entity === null
      ? {}
      : {
          entity: {
            identifier: stored.entity,
            title: stored.entityTitle,
            icon: stored.entityIcon,
            deleted: stored.isEntityDeleted,
          },
        }),
    properties: stored.properties,
    rawProperties: stored.rawProperties,
    status: stored.status,
    statusLabel: stored.statusLabel,
    ...(stored.link === null ? {} : { link: stored.link }),
    ...(stored.summary === null ? {} : { summary: stored.summary }),
    ...(stored.externalRunId === null ? {} : { externalRunId: stored.externalRunId }),
    source: stored.source,
    requiredApproval: stored.requiredApproval,
    approval: stored.approval,
    payload: stored.payload,
    ...(stored.response === null ? {} : { response: stored.response }),
    pendingExecution: stored.isPending,
    ...(stored.claimedUntil ? { claimedUntil: stored.claimedUntil.toISOString() } : {}),
    ...(stored.installationId === null ? {} : { installationId: stored.installationId }),
    createdBy: stored.createdBy,
    ...(stored.impersonatedBy === null ? {} : { impersonatedBy: stored.impersonatedBy }),
    updatedBy: stored.updatedBy,
    createdAt: stored.createdAt.toISOString(),
    updatedAt: stored.updatedAt.toISOString(),
    ...(stored.endedAt ? { endedAt: stored.endedAt.toISOString() } : {}),
  };
}

export type Labels = Readonly<Record<string, string>>;

/** Whether an agent with these labels may take what asks for the wanted ones; the same in SQL in platform/leases.ts. */
export const hasLabels = (labels: Labels, wanted: Labels): boolean =>
  Object.entries(wanted).every(([name, value]) => labels[name] === value);

export function describeLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return pairs.length === 0 ? 'no labels' : pairs.join(', ');
}
