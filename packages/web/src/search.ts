import {
  deliveryStates,
  type Operation,
  operations,
  origins,
  type RunGroup,
  type RunSort,
  type RunStatus,
  runGroups,
  runSorts,
  runStatuses,
  type SubjectKind,
  subjectKinds,
} from '@quayside/contracts';
import { tryParse } from 'jsurl2';

/**
 * What the query of an address may hold, page by page. Written by people, too: a value that means nothing is dropped, so
 * that an old or mangled link still shows the page.
 */
type Raw = Record<string, unknown>;

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined;
const flag = (value: unknown): true | undefined => (value === true || value === 'true' ? true : undefined);
const oneOf = <T extends string>(value: unknown, all: readonly T[]): T | undefined =>
  all.find((each) => each === value);

export interface LoginSearch {
  from?: string | undefined;
}
export function parseLoginSearch(raw: Raw): LoginSearch {
  const from = text(raw.from);
  // Only a path of this site: the way back from the login must not lead to somebody else's.
  return from !== undefined && /^\/(?![/\\])/.test(from) ? { from } : {};
}

export interface SelfServeSearch {
  q?: string | undefined;
  operation?: Operation | undefined;
  group?: 'none' | 'blueprint' | 'operation' | undefined;
  /** Opens the form of this action, filled with `actionInputs`; its key `$targetEntity` chooses the entity. */
  action?: string | undefined;
  actionInputs?: Record<string, unknown> | undefined;
}
export function parseSelfServeSearch(raw: Raw): SelfServeSearch {
  // The router has read JSON already; published links carry the denser notation of the package jsurl2.
  const inputs =
    typeof raw.actionInputs === 'string'
      ? tryParse<unknown>(raw.actionInputs, undefined, { deURI: true })
      : raw.actionInputs;
  return {
    q: text(raw.q),
    operation: oneOf(raw.operation, operations),
    group: oneOf(raw.group, ['none', 'blueprint', 'operation']),
    action: text(raw.action),
    actionInputs:
      typeof inputs === 'object' && inputs !== null && !Array.isArray(inputs)
        ? (inputs as Record<string, unknown>)
        : undefined,
  };
}

export interface NewActionSearch {
  /** The action to begin with, for a duplicate. */
  from?: string | undefined;
}
export function parseNewActionSearch(raw: Raw): NewActionSearch {
  return { from: text(raw.from) };
}

export interface RunsSearch {
  q?: string | undefined;
  sort?: RunSort | undefined;
  order?: 'ASC' | 'DESC' | undefined;
  group?: RunGroup | undefined;
  action?: string | undefined;
  blueprint?: string | undefined;
  entity?: string | undefined;
  source?: string | undefined;
  status?: RunStatus | undefined;
  active?: boolean | undefined;
  mine?: boolean | undefined;
  /** Runs that wait for the decision of whoever looks. */
  awaiting?: boolean | undefined;
}
export function parseRunsSearch(raw: Raw): RunsSearch {
  return {
    q: text(raw.q),
    sort: oneOf(raw.sort, runSorts),
    order: oneOf(raw.order, ['ASC', 'DESC']),
    group: oneOf(raw.group, runGroups),
    action: text(raw.action),
    blueprint: text(raw.blueprint),
    entity: text(raw.entity),
    source: oneOf(raw.source, ['UI', 'API', 'AUTOMATION']),
    status: oneOf(raw.status, runStatuses),
    active: flag(raw.active),
    awaiting: flag(raw.awaiting),
    mine: flag(raw.mine),
  };
}

export interface AuditSearch {
  resource?: string | undefined;
  change?: string | undefined;
  origin?: string | undefined;
  failed?: boolean | undefined;
  by?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
}
const day = (value: unknown): string | undefined =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value)) ? value : undefined;
export function parseAuditSearch(raw: Raw): AuditSearch {
  return {
    resource: text(raw.resource),
    change: oneOf(raw.change, ['CREATE', 'UPDATE', 'DELETE', 'TIMER_EXPIRED']),
    origin: oneOf(raw.origin, origins),
    failed: flag(raw.failed),
    by: text(raw.by),
    from: day(raw.from),
    to: day(raw.to),
  };
}

const instant = (value: unknown): string | undefined => {
  const found = text(value);
  return found === undefined || Number.isNaN(Date.parse(found)) ? undefined : new Date(found).toISOString();
};

export interface DeliveriesSearch {
  kind?: SubjectKind | undefined;
  action?: string | undefined;
  run?: string | undefined;
  holder?: string | undefined;
  state?: (typeof deliveryStates)[number] | undefined;
  dead?: boolean | undefined;
  /** Attempts of this replay. */
  replay?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  /** The attempt whose details are shown, `subject/number`. */
  open?: string | undefined;
}
export function parseDeliveriesSearch(raw: Raw): DeliveriesSearch {
  return {
    kind: oneOf(raw.kind, subjectKinds),
    action: text(raw.action),
    run: text(raw.run),
    holder: text(raw.holder),
    state: oneOf(raw.state, deliveryStates),
    dead: flag(raw.dead),
    replay: text(raw.replay),
    from: instant(raw.from),
    to: instant(raw.to),
    open: text(raw.open),
  };
}

export interface AutomationsSearch {
  q?: string | undefined;
}
export function parseAutomationsSearch(raw: Raw): AutomationsSearch {
  return { q: text(raw.q) };
}

const automationTabs = ['details', 'trigger', 'backend', 'runs', 'evaluations'] as const;
export interface AutomationSearch {
  tab?: (typeof automationTabs)[number] | undefined;
}
export function parseAutomationSearch(raw: Raw): AutomationSearch {
  return { tab: oneOf(raw.tab, automationTabs) };
}

export interface CatalogSearch {
  q?: string | undefined;
  sort?: string | undefined;
  order?: 'ASC' | 'DESC' | undefined;
}
export function parseCatalogSearch(raw: Raw): CatalogSearch {
  return { q: text(raw.q), sort: text(raw.sort), order: oneOf(raw.order, ['ASC', 'DESC']) };
}
