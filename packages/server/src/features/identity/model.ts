import { createHash } from 'node:crypto';
import type { Permission } from '@quayside/contracts';
import { permissions } from '@quayside/contracts';

/** Machine credentials of the organization hold every permission. */
export const everyPermission: ReadonlySet<Permission> = new Set(permissions);

/** How secrets of machines, sessions and links are kept: they are random and long, so a plain hash is enough. */
export const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();

export function normaliseEmail(email: string): string {
  return email.trim().toLowerCase();
}

/** A user as rules see them. */
export interface Person {
  id: string;
  email: string;
  firstName: string;
  lastName: string;
  name: string;
  role: string;
  teams: readonly { identifier: string; name: string }[];
}

/** What entities and rules name a team by: its first name, without what an identifier may not hold. */
export function teamIdentifier(name: string): string {
  const identifier = name.replaceAll(/[^\p{L}0-9@_.+:\\/=-]+/gu, '_');
  return /^\.{1,2}$/.test(identifier) ? '_' : identifier;
}

export function fullName(user: { firstName: string; lastName: string; email: string }): string {
  return [user.firstName, user.lastName].filter((part) => part !== '').join(' ') || user.email;
}

/** Failed logins in a window after which an account, or everybody at an address, has to wait for its end. */
export const loginLimit = { perAccount: 10, perAddress: 100, windowMs: 5 * 60_000 };
