import { type ErrorBody, type ErrorDetail, type ErrorName, errors, lackOf, type Permission } from '@quayside/contracts';
import type { Actor } from './ctx.ts';

/**
 * Thrown where a request is refused. Only names of the catalog exist; the HTTP status follows from the name. A refusal
 * rolls back the transaction it is thrown in, so nothing is half-written.
 */
export class Refusal extends Error {
  readonly error: ErrorName;
  readonly details: readonly ErrorDetail[] | undefined;

  constructor(error: ErrorName, message: string, details?: readonly ErrorDetail[]) {
    super(message);
    this.error = error;
    this.details = details;
  }

  get status(): number {
    return errors[this.error].status;
  }

  toBody(): ErrorBody {
    return {
      ok: false,
      error: this.error,
      message: this.message,
      ...(this.details ? { details: [...this.details] } : {}),
    };
  }
}

export function refuse(error: ErrorName, message: string, details?: readonly ErrorDetail[]): never {
  throw new Refusal(error, message, details);
}

/** Whoever lacks a permission reads which, and where it comes from. `about` begins the sentence. */
export function refuseLack(actor: Actor, permission: Permission, about?: string): never {
  const { because, remedy } = lackOf(permission, actor.kind === 'user' ? `the role ${actor.role}` : 'this credential');
  refuse('forbidden', `${about === undefined ? because.replace('this', 'This') : `${about}: ${because}`}. ${remedy}`);
}

/** The text real clients look for: `… with identifier "x" was not found`. */
export function refuseMissing(noun: string, identifier: string): never {
  refuse('not_found', `${noun} with identifier "${identifier}" was not found.`);
}
