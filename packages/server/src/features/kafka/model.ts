/** Pure rules of what goes into an organization's topics (spec/actions.md §2.8). */

/**
 * Consecutive items as groups that one request to the brokers may carry. An item that is larger alone is a group of its own.
 */
export function inChunks<T extends { bytes: number }>(items: readonly T[], maxBytes: number): T[][] {
  const chunks: T[][] = [];
  let size = 0;
  for (const item of items) {
    const last = chunks.at(-1);
    if (last === undefined || size + item.bytes > maxBytes) {
      chunks.push([item]);
      size = item.bytes;
    } else {
      last.push(item);
      size += item.bytes;
    }
  }
  return chunks;
}
