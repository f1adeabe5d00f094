import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for a condition; the message of the failure says what was waited for. A throw counts as "not yet". */
export async function until<T>(
  what: string,
  get: () => Promise<T | undefined | false> | T | undefined | false,
  withinMs = 60_000,
): Promise<T> {
  let problem = '';
  for (const endMs = performance.now() + withinMs; performance.now() < endMs; await sleep(20)) {
    try {
      const value = await get();
      if (value !== undefined && value !== false) return value;
      problem = '';
    } catch (error) {
      problem = ` (${(error as Error).message})`;
    }
  }
  throw new Error(`Not within ${withinMs} ms: ${what}${problem}.`);
}
