import { type Static, Type } from 'typebox';

/**
 * The one error catalog. A refusal is always one of these names; the name is the `error` string on the wire and the
 * HTTP status follows from it. `not_found`, `has_dependents` and the substrings "was not found" / "taken" in messages
 * are read by real clients (spec/clients.md §0.9) and must not change.
 */
export const errors = {
  malformed_json: { status: 400, when: 'The body is not JSON.' },
  unauthorized: { status: 401, when: 'No valid session or token came with the request.' },
  forbidden: { status: 403, when: 'The caller is known but may not do this.' },
  not_found: { status: 404, when: 'The thing, or the route, does not exist for this organization.' },
  method_not_allowed: { status: 405, when: 'The path exists, but not with this method.' },
  identifier_taken: { status: 409, when: 'Another thing of this kind already has the identifier.' },
  has_dependents: { status: 409, when: 'Other things need this one; delete them first or ask for it explicitly.' },
  lease_lost: { status: 409, when: 'The lease ran out or was taken over; the late answer was not recorded.' },
  already_acknowledged: { status: 409, when: 'The run was acknowledged before, by this caller or another.' },
  limit_reached: { status: 409, when: 'As many runs of the action are in progress as its limit allows.' },
  frozen: { status: 409, when: 'A freeze window is on; the message says until when and why.' },
  key_reused: { status: 409, when: 'The Idempotency-Key was used before for another request.' },
  under_way: { status: 409, when: 'It is being delivered or replayed at this moment; wait until that has ended.' },
  payload_too_large: { status: 413, when: 'The body is over the limit of the route.' },
  unsupported_media_type: { status: 415, when: 'Only application/json is read.' },
  invalid_request: {
    status: 422,
    when: 'The body, query or path does not have the shape of the route, or breaks a rule named in details.',
  },
  invalid_expression: { status: 422, when: 'A jq program or a template does not compile, or stopped at its budget.' },
  run_finished: { status: 422, when: 'The run has ended; its status can not change any more.' },
  invalid_transition: { status: 422, when: 'The run is not in a state from which this is possible.' },
  too_many_requests: {
    status: 429,
    when: 'The rate limit of the organization is used up; Retry-After says for how long.',
  },
  internal_error: { status: 500, when: 'A fault of the server. The trace id finds it in the log.' },
  unavailable: { status: 503, when: 'The server is starting, draining, or its database is away.' },
} as const satisfies Record<string, { status: number; when: string }>;

export type ErrorName = keyof typeof errors;
export const errorNames = Object.keys(errors) as ErrorName[];

/** One thing that was wrong, and where: `path` is a JSON path in the request (`body.trigger.operation`). */
export const ErrorDetail = Type.Object({
  path: Type.String(),
  message: Type.String(),
});
export type ErrorDetail = Static<typeof ErrorDetail>;

export const ErrorBody = Type.Object({
  ok: Type.Literal(false),
  error: Type.String(),
  message: Type.String(),
  details: Type.Optional(Type.Array(ErrorDetail)),
});
export type ErrorBody = Static<typeof ErrorBody>;
