/** What is fixed about messages in Kafka besides their shapes; apart from the schemas, as in delivery-rules.ts. */

export const runsTopic = (orgId: string): string => `${orgId}.runs`;
export const changeLogTopic = (orgId: string): string => `${orgId}.change.log`;

/**
 * Headers of a record, which a reader of its value never sees. `lease`: the run is to be claimed by its id before it is
 * carried out; its value is the run's id. A message of another portal has none.
 */
export const recordHeaders = { lease: 'quayside-lease', event: 'quayside-event' } as const;

/** Names of the signature inside a message (spec/actions.md §2.8.2). Targets get their own, deliveryHeaders. */
export const messageSignature = { signature: 'X-Port-Signature', timestamp: 'X-Port-Timestamp' } as const;

/**
 * Compact JSON whose text a verifier gets again when it parses and writes it, in JavaScript or in Python (compact, non-ASCII
 * kept), as Port's agent does. Two things differ between them: numbers below 0.0001, which Python writes with an exponent of
 * two digits, and lone surrogates, which it can not write at all; they become U+FFFD. The result is valid JSON for everybody.
 */
export function portableJson(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.toWellFormed());
  if (typeof value === 'number' && value !== 0 && Math.abs(value) < 1e-4)
    return value.toExponential().replace(/e-(\d)$/, 'e-0$1');
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(portableJson).join(',')}]`;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([key, member]) => `${portableJson(key)}:${portableJson(member)}`).join(',')}}`;
}
