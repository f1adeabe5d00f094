import {
  type Delivery,
  type DeliveryOutcome,
  describeOutcome,
  isDelivered,
  isTransient,
  type WhyDelivery,
} from '@quayside/contracts';

/** Why a delivery stands where it does, in words: what was tried, what follows, and what would help. */

/** What is open for the subject: the row of work, if there is one. */
export interface OpenWork {
  holder: string | null;
  /** When it may be taken; while it is held, when the lease runs out. Null = somebody was told and claims it by its key. */
  dueAt: Date | null;
  tries: number;
}

export interface Policy {
  /** Attempts that the portal makes by itself. */
  maxAttempts: number;
  /** A synchronous answer closes its run, so it is asked for once. */
  isSynchronized: boolean;
}

export function whyDelivery(
  attempts: readonly Delivery[],
  work: OpenWork | undefined,
  policy: Policy,
  now: Date,
): WhyDelivery {
  const last = attempts.at(-1);
  const failure = last?.outcome && !isDelivered(last.outcome) ? last.outcome : undefined;
  const triesLeft = policy.isSynchronized ? 0 : Math.max(0, policy.maxAttempts - (work?.tries ?? 0));
  const because = failure ? `The last attempt failed: the target ${describeOutcome(failure)}. ` : '';
  const lost = last?.state === 'lost' ? `${last.holder} went silent, so it is given to somebody else. ` : '';
  const help = failure ? { remedy: remedyOf(failure) } : {};
  if (work?.holder && work.dueAt !== null && work.dueAt > now)
    return {
      state: 'under_way',
      text: `${work.holder} is at it, until ${work.dueAt.toISOString()} at least.`,
      triesLeft,
    };
  if (work)
    return {
      state: 'waiting',
      text: `${because}${lost}${nextOf(work, now)}`,
      triesLeft,
      ...(work.dueAt === null ? {} : { nextAttemptAt: work.dueAt.toISOString() }),
      ...help,
    };
  if (!last) return { state: 'ended', text: 'Nothing was sent.' };
  if (last.outcome && isDelivered(last.outcome))
    return {
      state: 'delivered',
      text: `Delivered with attempt ${attempts.length}: the target ${describeOutcome(last.outcome)}.`,
    };
  if (last.state === 'acknowledged') return { state: 'taken', text: `${last.holder} took it for good.` };
  if (failure)
    return {
      state: last.isDead ? 'given_up' : 'ended',
      text: `The target ${describeOutcome(failure)}. ${whyNoFurther(failure, attempts, policy)}`,
      triesLeft: 0,
      ...help,
    };
  if (last.state === 'lost')
    return { state: 'given_up', text: `${last.holder} went silent, and nobody is to try again.`, triesLeft: 0 };
  return { state: 'ended', text: 'It was given back, and is not to be sent any more: its run has ended.' };
}

function nextOf(work: OpenWork, now: Date): string {
  if (work.dueAt === null) return 'Its message is in Kafka; whoever consumes it claims it.';
  return work.dueAt > now
    ? `The next attempt follows at ${work.dueAt.toISOString()}.`
    : 'The next attempt follows as soon as somebody takes it.';
}

function whyNoFurther(outcome: DeliveryOutcome, attempts: readonly Delivery[], policy: Policy): string {
  if (!isTransient(outcome)) return 'The next attempt would come to the same, so there is none.';
  if (policy.isSynchronized) return 'A synchronous delivery is not repeated: its target may have acted.';
  const tried = attempts.filter((one) => one.state === 'settled').length;
  return `Given up after ${tried} of ${policy.maxAttempts} attempts.`;
}

const byStatus: Readonly<Record<number, string>> = {
  401: 'The target refuses who asks: check the token in the headers of the action, or the signature check of the target.',
  403: 'The target refuses who asks: check the token in the headers of the action, and what it may do.',
  404: 'Check the path of the URL: nothing is there.',
  405: 'Check the method: the target does not take it at this URL.',
  408: 'The target is too slow or too busy; replay it later.',
  413: 'The body is too large for the target: send less, or raise its limit.',
  415: 'Check the header Content-Type: the target does not read this format.',
  429: 'The target asks for fewer requests: replay it later.',
};

/** What would help, by what came of the attempt. */
export function remedyOf(outcome: DeliveryOutcome): string {
  switch (outcome.kind) {
    case 'answered': {
      const known = byStatus[outcome.statusCode];
      if (known) return known;
      if (outcome.statusCode >= 500)
        return 'The fault is at the target: its log says more. Replay it when it is mended.';
      if (outcome.statusCode >= 400)
        return 'The target does not accept the request: compare the body with what it expects.';
      return 'Redirects are not followed: use the final URL.';
    }
    case 'unreachable':
      if (/ENOTFOUND|EAI_AGAIN/.test(outcome.code))
        return 'The name does not resolve where the sender runs: check the host in the URL, or send it through an agent of that network.';
      if (/ECONNREFUSED/.test(outcome.code))
        return 'Nothing listens there: check host and port, and whether the target runs. Replay it then.';
      if (/CERT|TLS|SSL|SELF_SIGNED|VERIFY/.test(outcome.code))
        return 'The sender does not trust the certificate: give it the authority that signed it (docs/operations.md), or mend the chain.';
      return 'Check whether the target can be reached from where the sender runs. Replay it then.';
    case 'timed_out':
      return 'The target should answer first and work afterwards; or give it more time (QUAYSIDE_WEBHOOK_TIMEOUT_MS, WEBHOOK_INVOKER_TIMEOUT of the agent). It may have acted.';
    case 'broken':
      return 'The target or a proxy cut the connection: their logs say more. It may have acted.';
    case 'forbidden':
      return 'Change the rule that forbids the target (allow-list of the agent, QUAYSIDE_ALLOW_PRIVATE_TARGETS), or send it through an agent.';
    case 'unpreparable':
      return 'Mend the action or the mapping that makes the request, and execute the action anew.';
    default:
      return 'The message above says what to mend.';
  }
}

/** Who asked, as events describe an actor, in a word. */
export function nameOf(actor: Readonly<Record<string, unknown>> | null): string {
  const { user, machine } = (actor ?? {}) as { user?: { email?: string }; machine?: { name?: string } };
  return user?.email ?? machine?.name ?? 'the portal';
}
