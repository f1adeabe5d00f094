import { type Permission, permissions } from './route.ts';

/** What each role of a person may do, and the words where it does not suffice. */
export const roles = ['Admin', 'Moderator', 'Member'] as const;
export type Role = (typeof roles)[number];

const memberPermissions: readonly Permission[] = [
  'organization:read',
  'user:read',
  'blueprint:read',
  'entity:read',
  'action:read',
  'action:execute',
  'run:read',
  // Narrowed by the run's rules: a member may only withdraw a waiting run of their own.
  'run:update',
  // Narrowed to the run's approvers.
  'run:approve',
  'agent:read',
  // Narrowed by the audit log's rules: a member must name the entity or run they ask about.
  'audit:read',
];

const byRole: Readonly<Record<Role, ReadonlySet<Permission>>> = {
  Admin: new Set(permissions.filter((name) => name !== 'run:claim')),
  Moderator: new Set([...memberPermissions, 'entity:write']),
  Member: new Set(memberPermissions),
};

export function permissionsOfRole(role: string): ReadonlySet<Permission> {
  return roles.some((each) => each === role) ? byRole[role as Role] : new Set();
}

/** Which rule refuses somebody, and what would change it: said by the 403 of every route, and by pages that show less. */
export function lackOf(permission: Permission, who: string): { because: string; remedy: string } {
  const holders = roles.filter((role) => byRole[role].has(permission));
  return {
    because: `this needs the permission ${permission}, which ${who} does not have`,
    remedy:
      holders.length === 0
        ? 'Only credentials of the organization have it.'
        : `It comes with the role ${holders.join(' or ')}, which an administrator can give.`,
  };
}
