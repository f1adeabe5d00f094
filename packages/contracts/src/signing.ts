/**
 * The text that is signed: `<timestamp>.<body>`, where `body` is exactly the bytes that are sent, as UTF-8, and the
 * timestamp is epoch seconds in decimal (spec/actions.md §2.7). The MAC itself is in `@quayside/delivery`.
 */
export function signedText(timestampSeconds: number, body: string): string {
  return `${timestampSeconds}.${body}`;
}

/** Standard Webhooks: `<id>.<timestamp>.<body>`. */
export function standardSignedText(id: string, timestampSeconds: number, body: string): string {
  return `${id}.${timestampSeconds}.${body}`;
}
