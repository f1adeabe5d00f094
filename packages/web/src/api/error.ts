import type { ErrorDetail } from '@quayside/contracts';

/** A refusal of the server, or (status 0) no answer at all. `traceId` finds the request in the server's log. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;
  readonly details: readonly ErrorDetail[];
  readonly traceId: string | undefined;

  constructor(fields: {
    status: number;
    code: string;
    message: string;
    details?: readonly ErrorDetail[] | undefined;
    traceId?: string | undefined;
  }) {
    super(fields.message);
    this.status = fields.status;
    this.code = fields.code;
    this.details = fields.details ?? [];
    this.traceId = fields.traceId;
  }

  get isNotFound(): boolean {
    return this.status === 404;
  }
}

export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError({
    status: 0,
    code: 'unexpected',
    message: error instanceof Error ? error.message : String(error),
  });
}
