import type { ActionLimits, ActionPermissions } from '@quayside/contracts';

/** The guardrails of one action as the builder edits them: three resources of the API in one place. */
export interface Guardrails {
  permissions: ActionPermissions;
  limits: ActionLimits;
}

/** As the server has them for a new action. */
export const startGuardrails: Guardrails = {
  permissions: {
    execute: { users: [], roles: ['Member'], teams: [], ownedByTeam: false, policy: null },
    approve: { users: [], roles: ['Admin'], teams: [], policy: null },
  },
  limits: { concurrency: null, concurrencyPerEntity: null },
};

/** A role includes those above it, so `Member` means everyone. */
export function isForEveryone({ roles }: { roles: readonly string[] }): boolean {
  return roles.includes('Member');
}

export function setRole(roles: readonly string[], role: string, isOn: boolean): string[] {
  const others = roles.filter((each) => each !== role);
  return isOn ? [...others, role] : others;
}

export const startPolicy = {
  execute: {
    queries: {
      existing: {
        combinator: 'and' as const,
        rules: [{ property: '$identifier', operator: '=', value: '{{ .inputs.name }}' }],
      },
    },
    conditions: ['.results.existing.entities | length == 0'],
  },
  approve: {
    queries: {
      admins: {
        combinator: 'and' as const,
        rules: [
          { property: '$blueprint', operator: '=', value: '_user' },
          { property: 'port_role', operator: '=', value: 'Admin' },
        ],
      },
    },
    conditions: ['[.results.admins.entities[].identifier]'],
  },
};

/** A number typed into a limit; empty = any number. */
export function limitOf(value: string | number): number | null {
  const number = Number(value);
  return value === '' || !Number.isInteger(number) || number < 1 ? null : Math.min(number, 10_000);
}

export type ReadGuardrails = { kind: 'read'; permissions: ActionPermissions } | { kind: 'unreadable'; message: string };

export function readPermissions(text: string): ReadGuardrails {
  try {
    const value = JSON.parse(text) as Partial<ActionPermissions> | null;
    const sides = [value?.execute, value?.approve];
    const isWhole = sides.every(
      (side) => side && [side.users, side.roles, side.teams].every((list) => Array.isArray(list)),
    );
    if (!isWhole)
      return {
        kind: 'unreadable',
        message: '"execute" and "approve" each need the lists "users", "roles" and "teams".',
      };
    return { kind: 'read', permissions: value as ActionPermissions };
  } catch {
    return {
      kind: 'unreadable',
      message: 'This is not valid JSON; the form shows the permissions as they were before.',
    };
  }
}
