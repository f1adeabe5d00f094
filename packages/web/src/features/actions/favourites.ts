/** Actions that a person put a star on: of this browser, because they are a habit and not a record. */
type Storage = Pick<globalThis.Storage, 'getItem' | 'setItem'>;

const keyOf = (userId: string): string => `quayside.favourites ${userId}`;

export function readFavourites(storage: Storage, userId: string): ReadonlySet<string> {
  try {
    const list: unknown = JSON.parse(storage.getItem(keyOf(userId)) ?? '[]');
    return new Set(Array.isArray(list) ? list.filter((each) => typeof each === 'string') : []);
  } catch {
    return new Set();
  }
}

export function toggleFavourite(storage: Storage, userId: string, action: string): ReadonlySet<string> {
  const next = new Set(readFavourites(storage, userId));
  if (!next.delete(action)) next.add(action);
  try {
    storage.setItem(keyOf(userId), JSON.stringify([...next]));
  } catch {
    // Switched off: the star holds until the page is left.
  }
  return next;
}
