import type { Verdict } from '@quayside/contracts';
import { formatInstant } from '../../ui/index.ts';

/** Why something may not be executed, with what would change it; instants as the browser tells the time. */
export function reasonOf({ because, until, remedy }: Verdict): string {
  const local = until === undefined ? because : because.replace(until, formatInstant(until));
  const sentence = `${local.charAt(0).toUpperCase()}${local.slice(1)}.`;
  return remedy === undefined ? sentence : `${sentence} ${remedy}`;
}
