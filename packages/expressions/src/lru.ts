/**
 * A map that forgets what was used longest ago. Bounded twice: in entries, and in the size of a key, because keys are
 * users' texts (what is too long is simply computed again).
 */
export class LruCache<Value> {
  private readonly entries = new Map<string, Value>();
  private readonly maxEntries: number;
  private readonly maxKeyLength: number;

  constructor(maxEntries: number, maxKeyLength: number) {
    this.maxEntries = maxEntries;
    this.maxKeyLength = maxKeyLength;
  }

  get size(): number {
    return this.entries.size;
  }

  getOrCreate(key: string, create: () => Value): Value {
    const hit = this.entries.get(key);
    if (hit !== undefined) {
      // Maps iterate in order of insertion; being used moves an entry to the end.
      this.entries.delete(key);
      this.entries.set(key, hit);
      return hit;
    }
    const value = create();
    if (key.length > this.maxKeyLength) return value;
    if (this.entries.size >= this.maxEntries) {
      const oldest = this.entries.keys().next().value;
      if (oldest !== undefined) this.entries.delete(oldest);
    }
    this.entries.set(key, value);
    return value;
  }
}
