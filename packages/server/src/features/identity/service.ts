import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import {
  accessTokenSeconds,
  type Organization,
  type Permission,
  permissionsOfRole,
  sessionAbsoluteMs,
  sessionIdleMs,
  type User,
} from '@quayside/contracts';
import { jwtVerify, SignJWT } from 'jose';
import { type Actor, type Cause, type Ctx, createWorld, type World } from '../../platform/ctx.ts';
import type { Database } from '../../platform/db.ts';
import { hashPassword, verifyPassword } from '../../platform/password.ts';
import { refuse } from '../../platform/refusal.ts';
import type { Vault } from '../../platform/vault.ts';
import { everyPermission, fullName, hashOf, loginLimit, normaliseEmail } from './model.ts';
import { toShownUser } from './service-people.ts';
import * as store from './store.ts';
import * as people from './store-people.ts';

/**
 * Identity is the one feature that asks the database before an organization is known (login, token, session); it does so
 * through `system` transactions, and every such statement names its row by a unique secret or e-mail.
 */
export interface Identity {
  authenticate(request: { bearer: string | undefined; session: string | undefined }): Promise<Actor | undefined>;
  login(
    world: World,
    input: { email: string; password: string; address: string },
  ): Promise<{ token: string; signedIn: SignedIn }>;
  logout(world: World, session: string): Promise<void>;
  /** With the token of a password link; signs in. */
  setPassword(world: World, input: { token: string; password: string }): Promise<{ token: string; signedIn: SignedIn }>;
  changePassword(
    world: World,
    input: { currentPassword: string; newPassword: string; session: string | undefined },
  ): Promise<void>;
  accessToken(clientId: string, clientSecret: string): Promise<{ accessToken: string; expiresIn: number }>;
  /** For one call of a run to the portal itself, by the organization's primary credential; short-lived. */
  tokenForCall(orgId: string, cause: Cause): Promise<string>;
  deleteEndedSessions(): Promise<void>;
}

export interface SignedIn {
  user: User;
  organization: Organization;
  permissions: Permission[];
}

/** What a failed login counts against. */
interface Try {
  key: string;
  limit: number;
}

/** How long a verified token is believed before its credential is looked up again. */
const recheckMs = 5_000;

/** As long as a webhook may take, and some. */
const callTokenSeconds = 15 * 60;

function isCause(value: unknown): value is Cause {
  return typeof (value as Cause | undefined)?.depth === 'number';
}

export function createIdentity(database: Database, vault: Vault): Identity {
  const tokenKey = vault.keyFor('access tokens');
  const issued = new Map<string, { token: string; expiresAtMs: number; secretHash: Buffer }>();
  const believed = new Map<string, { actor: Actor; expiresAtMs: number; checkedAtMs: number }>();
  const failures = new Map<string, { count: number; since: number }>();

  async function authenticateBearer(token: string): Promise<Actor | undefined> {
    const now = Date.now();
    const known = believed.get(token);
    if (known && now < known.expiresAtMs && now - known.checkedAtMs < recheckMs) return known.actor;
    const claims = await jwtVerify(token, tokenKey, { algorithms: ['HS256'] }).catch(() => undefined);
    const clientId = claims?.payload.sub;
    if (!claims || !clientId) return undefined;
    const credential = await database.system((tx) => store.findCredential(tx, clientId));
    // A rotated secret ends the tokens that the old one bought.
    if (!credential?.enabled || claims.payload.proof !== proofOf(credential.secretHash)) {
      believed.delete(token);
      return undefined;
    }
    const actor: Actor = {
      kind: 'machine',
      orgId: credential.orgId,
      id: credential.id,
      name: credential.name,
      permissions: everyPermission,
      ...(isCause(claims.payload.cause) ? { cause: claims.payload.cause } : {}),
    };
    if (believed.size > 10_000) believed.clear();
    believed.set(token, { actor, expiresAtMs: (claims.payload.exp ?? 0) * 1000, checkedAtMs: now });
    return actor;
  }

  function signToken(credential: store.StoredCredential, expiresAt: number, claims: object = {}): Promise<string> {
    return new SignJWT({
      orgId: credential.orgId,
      isMachine: true,
      personalToken: false,
      proof: proofOf(credential.secretHash),
      ...claims,
    })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setSubject(credential.id)
      .setIssuedAt()
      .setExpirationTime(expiresAt)
      .sign(tokenKey);
  }

  function assertMayTry(tries: readonly Try[]): void {
    const now = Date.now();
    for (const { key, limit } of tries) {
      const entry = failures.get(key);
      if (!entry) continue;
      if (now - entry.since > loginLimit.windowMs) failures.delete(key);
      else if (entry.count >= limit)
        refuse(
          'too_many_requests',
          `Too many failed logins. Try again in ${Math.ceil((entry.since + loginLimit.windowMs - now) / 60_000)} minutes.`,
        );
    }
  }

  function countFailure(tries: readonly Try[]): void {
    if (failures.size > 100_000) failures.clear();
    for (const { key } of tries) {
      const entry = failures.get(key) ?? { count: 0, since: Date.now() };
      failures.set(key, { ...entry, count: entry.count + 1 });
    }
  }

  /** Nobody is signed in, so it is the portal that tells it. How often is bounded by `loginLimit`. */
  async function recordRefusedLogin(world: World, user: store.StoredUser, isRight: boolean): Promise<void> {
    const actor: Actor = { kind: 'system', orgId: user.orgId, id: 'quayside', permissions: new Set() };
    await createWorld({ ...world, database, actor, origin: 'UI' }).transaction((ctx) =>
      ctx.emit({
        name: 'session.refused',
        subject: user.email,
        status: 'FAILURE',
        message: isRight ? 'The account is not active.' : 'The password was wrong.',
      }),
    );
  }

  async function signIn(world: World, user: store.StoredUser): Promise<{ token: string; signedIn: SignedIn }> {
    const token = randomBytes(32).toString('base64url');
    // The request came from nobody known; from here on it acts as the user.
    const signedInWorld = createWorld({ ...world, database, actor: actorOf(user), origin: 'UI' });
    return signedInWorld.transaction(async (ctx) => {
      await store.insertSession(ctx.db, {
        orgId: user.orgId,
        userId: user.id,
        tokenHash: hashOf(token),
        idleMs: sessionIdleMs,
        absoluteMs: sessionAbsoluteMs,
        userAgent: world.userAgent,
      });
      await store.markLogin(ctx.db, user.orgId, user.id);
      await ctx.emit({ name: 'session.created', subject: user.email });
      return { token, signedIn: await toSignedIn(ctx, user) };
    });
  }

  return {
    async authenticate({ bearer, session }) {
      if (bearer) return authenticateBearer(bearer);
      if (!session) return undefined;
      const user = await database.system((tx) => store.useSession(tx, hashOf(session), sessionIdleMs));
      return user && actorOf(user);
    },

    async login(world, { email, password, address }) {
      const name = normaliseEmail(email);
      const account: Try = { key: `account ${name}`, limit: loginLimit.perAccount };
      const tries = [account, { key: `address ${address}`, limit: loginLimit.perAddress }];
      assertMayTry(tries);
      const user = await database.system((tx) => store.findUserByEmail(tx, name));
      const isRight = await verifyPassword(password, user?.passwordHash);
      if (!user || !isRight || user.status !== 'ACTIVE') {
        countFailure(tries);
        if (user) await recordRefusedLogin(world, user, isRight);
        refuse('unauthorized', 'The e-mail or the password is wrong.');
      }
      failures.delete(account.key);
      return signIn(world, user);
    },

    async logout(world, session) {
      await world.transaction(async (ctx) => {
        const isEnded = await store.deleteSession(ctx.db, ctx.orgId, hashOf(session));
        if (isEnded && ctx.actor.kind === 'user') await ctx.emit({ name: 'session.ended', subject: ctx.actor.email });
      });
    },

    async setPassword(world, { token, password }) {
      const passwordHash = await hashPassword(password);
      const user = await database.system(async (tx) => {
        const link = await people.takePasswordLink(tx, hashOf(token));
        const found = link && (await store.findUser(tx, link.userId));
        if (!found || found.status === 'DISABLED')
          refuse(
            'unauthorized',
            'This link was used, replaced by a newer one, or has run out. Ask an administrator for a new one.',
          );
        await people.updateUser(tx, found.orgId, found.id, { passwordHash, status: 'ACTIVE' });
        // Whoever had the old password is out.
        await people.deleteSessionsOf(tx, found.orgId, found.id);
        return found;
      });
      return signIn(world, { ...user, status: 'ACTIVE' });
    },

    async changePassword(world, { currentPassword, newPassword, session }) {
      const { actor } = world;
      if (actor.kind !== 'user') refuse('forbidden', 'A credential has no password. Rotate its secret instead.');
      const tries = [{ key: `account ${actor.email}`, limit: loginLimit.perAccount }];
      assertMayTry(tries);
      const user = await world.transaction((ctx) => store.findUser(ctx.db, actor.id));
      if (!(await verifyPassword(currentPassword, user?.passwordHash))) {
        countFailure(tries);
        refuse('invalid_request', 'The current password is wrong.', [
          { path: 'body.currentPassword', message: 'is wrong.' },
        ]);
      }
      const passwordHash = await hashPassword(newPassword);
      await world.transaction(async (ctx) => {
        await people.updateUser(ctx.db, ctx.orgId, actor.id, { passwordHash });
        await people.deleteSessionsOf(ctx.db, ctx.orgId, actor.id, session === undefined ? undefined : hashOf(session));
        await ctx.emit({ name: 'user.updated', subject: actor.email, message: 'The password was changed.' });
      });
    },

    async tokenForCall(orgId, cause) {
      const credential = await database.tenant(orgId, (tx) => store.findPrimaryCredential(tx, orgId));
      if (!credential) throw new Error('The organization has no primary credential.');
      return signToken(credential, Math.floor(Date.now() / 1000) + callTokenSeconds, { cause });
    },
    async accessToken(clientId, clientSecret) {
      const credential = await database.system((tx) => store.findCredential(tx, clientId));
      const given = hashOf(clientSecret);
      if (!credential?.enabled || !timingSafeEqual(given, credential.secretHash))
        refuse('unauthorized', 'The client id or the client secret is wrong, or the credential is disabled.');
      const now = Date.now();
      const known = issued.get(clientId);
      // The same token is given again while it has an hour left: real agents log in before every call.
      if (known && known.expiresAtMs - now > 3_600_000 && known.secretHash.equals(credential.secretHash))
        return { accessToken: known.token, expiresIn: Math.floor((known.expiresAtMs - now) / 1000) };
      const expiresAtMs = Math.floor(now / 1000 + accessTokenSeconds) * 1000;
      const token = await signToken(credential, expiresAtMs / 1000);
      if (issued.size > 10_000) issued.clear();
      issued.set(clientId, { token, expiresAtMs, secretHash: credential.secretHash });
      return { accessToken: token, expiresIn: accessTokenSeconds };
    },

    async deleteEndedSessions() {
      await database.system((tx) => store.deleteEndedSessions(tx));
    },
  };
}

/** Ties a token to the secret it was bought with, without telling the secret's hash. */
function proofOf(secretHash: Buffer): string {
  return createHash('sha256').update('token proof').update(secretHash).digest('base64url').slice(0, 16);
}

function actorOf(user: store.StoredUser): Actor {
  return {
    kind: 'user',
    orgId: user.orgId,
    id: user.id,
    email: user.email,
    role: user.role,
    name: fullName(user),
    permissions: permissionsOfRole(user.role),
  };
}

async function toSignedIn(ctx: Ctx, user: store.StoredUser): Promise<SignedIn> {
  return {
    user: await toShownUser(ctx, user),
    organization: await store.getOrganization(ctx.db, ctx.orgId),
    permissions: [...permissionsOfRole(user.role)],
  };
}

export async function readSignedIn(world: World): Promise<SignedIn> {
  if (world.actor.kind !== 'user')
    refuse('forbidden', 'An access token of a credential has no user; ask with a session.');
  const { id } = world.actor;
  return world.transaction(async (ctx) => {
    const user = await store.findUser(ctx.db, id);
    if (!user) refuse('unauthorized', 'The user does not exist any more.');
    return toSignedIn(ctx, user);
  });
}
