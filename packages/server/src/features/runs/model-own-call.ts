import type { Payload } from './model-payload.ts';

/**
 * Does the action call the portal itself (§1.11.1)? Then it does so as the organization. The address must be written in the
 * action, and what templates fill in may change neither the number of its parts nor its parameters: otherwise whoever
 * executes an action could steer the organization's token to another route.
 */
export function isOwnCall(ownUrl: string, method: unknown, payload: Payload): boolean {
  const { url } = method as { url?: unknown };
  if (payload.type !== 'WEBHOOK' || payload.agent || typeof url !== 'string') return false;
  const { origin } = new URL(ownUrl);
  if (!url.startsWith(`${origin}/`)) return false;
  const written = shapeOf(url.replace(/\{\{.*?\}\}/gs, 'x'));
  return written !== undefined && written === shapeOf(payload.url);
}

function shapeOf(text: string): string | undefined {
  const url = URL.parse(text);
  // Dot segments: the parser takes them out, and others with them.
  if (!url || !text.startsWith(url.origin + url.pathname)) return undefined;
  return url.pathname.startsWith('/v1/')
    ? JSON.stringify([url.origin, url.pathname.split('/').length, [...url.searchParams.keys()], url.hash])
    : undefined;
}
