/**
 * The run status machine (spec/actions.md §2.2).
 *
 *   execute ──► WAITING_FOR_APPROVAL ──approve──► IN_PROGRESS ──succeed──► SUCCESS
 *      │                 ├──decline──► DECLINED       └──fail──► FAILURE
 *      │                 └──cancel───► FAILURE
 *      └────────────────────────────► IN_PROGRESS
 *
 * Invariants: a final status never changes; a status only moves along this table. `transition` is the only function in
 * the product that names a next status, and the store writes it with `where status = <from>`, so that of two concurrent
 * reporters exactly one closes a run.
 */
export const runStatuses = ['WAITING_FOR_APPROVAL', 'IN_PROGRESS', 'SUCCESS', 'FAILURE', 'DECLINED'] as const;
export type RunStatus = (typeof runStatuses)[number];

export const runEvents = ['approve', 'decline', 'cancel', 'succeed', 'fail'] as const;
export type RunEvent = (typeof runEvents)[number];

const table: Record<RunStatus, Partial<Record<RunEvent, RunStatus>>> = {
  WAITING_FOR_APPROVAL: { approve: 'IN_PROGRESS', decline: 'DECLINED', cancel: 'FAILURE' },
  IN_PROGRESS: { succeed: 'SUCCESS', fail: 'FAILURE' },
  SUCCESS: {},
  FAILURE: {},
  DECLINED: {},
};

export type Transition =
  | { kind: 'moves'; from: RunStatus; to: RunStatus }
  /** The run has ended: nothing moves it any more. */
  | { kind: 'final'; from: RunStatus }
  /** The run is alive, but not where this event can happen. */
  | { kind: 'impossible'; from: RunStatus; event: RunEvent };

export function isFinal(status: RunStatus): boolean {
  return Object.keys(table[status]).length === 0;
}

/** Where a new run starts. */
export function initialStatus(needsApproval: boolean): RunStatus {
  return needsApproval ? 'WAITING_FOR_APPROVAL' : 'IN_PROGRESS';
}

export function transition(from: RunStatus, event: RunEvent): Transition {
  const to = table[from][event];
  if (to) return { kind: 'moves', from, to };
  return isFinal(from) ? { kind: 'final', from } : { kind: 'impossible', from, event };
}
