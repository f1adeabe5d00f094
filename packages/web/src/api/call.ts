import type { BodyOf, ErrorBody, ParamsOf, QueryOf, ReplyOf, Route } from '@quayside/contracts';
import { ApiError } from './error.ts';

/**
 * The typed client: a row of the route table is all it needs to know about an endpoint. The session travels in its
 * cookie, so there is nothing to configure; everything is same-origin.
 */
export interface CallInput<R extends Route> {
  params?: ParamsOf<R>;
  query?: QueryOf<R>;
  body?: BodyOf<R>;
  signal?: AbortSignal | undefined;
}

export async function call<R extends Route>(route: R, input: CallInput<R> = {}): Promise<ReplyOf<R>> {
  const init: RequestInit = {
    method: route.method,
    headers: { accept: 'application/json' },
    credentials: 'same-origin',
  };
  if (input.signal) init.signal = input.signal;
  if (input.body !== undefined) {
    init.headers = { accept: 'application/json', 'content-type': 'application/json' };
    init.body = JSON.stringify(input.body);
  }
  let response: Response;
  try {
    response = await fetch(urlOf(route, input), init);
  } catch (error) {
    if (input.signal?.aborted) throw error;
    throw new ApiError({
      status: 0,
      code: 'unreachable',
      message: 'The portal did not answer. Check your connection; what you typed is kept.',
    });
  }
  const reply = await readJson(response);
  if (response.ok && reply !== undefined) return reply as ReplyOf<R>;
  const refusal = (reply ?? {}) as Partial<ErrorBody>;
  throw new ApiError({
    status: response.status,
    code: refusal.error ?? 'unexpected',
    message: refusal.message ?? `The portal answered ${response.status} ${response.statusText}`.trim(),
    details: refusal.details,
    traceId: response.headers.get('x-trace-id') ?? undefined,
  });
}

export function urlOf<R extends Route>(route: R, input: Pick<CallInput<R>, 'params' | 'query'>): string {
  const params = (input.params ?? {}) as Record<string, string>;
  const path = route.path.replace(/:(\w+)/g, (_match, name: string) => encodeURIComponent(params[name] ?? ''));
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries((input.query ?? {}) as Record<string, unknown>)) {
    if (value === undefined || value === null) continue;
    for (const item of Array.isArray(value) ? value : [value]) query.append(name, String(item));
  }
  return query.size > 0 ? `${path}?${query}` : path;
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return undefined;
  }
}
