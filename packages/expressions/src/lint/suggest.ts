/** Edits (insert, delete, replace, swap of neighbours) from one word to another; gives up above `limit`. */
function distance(left: string, right: string, limit: number): number {
  if (Math.abs(left.length - right.length) > limit) return limit + 1;
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1];
      let best = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (swapped) best = Math.min(best, (beforePrevious[column - 2] ?? 0) + 1);
      current.push(best);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[right.length] ?? limit + 1;
}

/** What people coming from other languages write, and jq's word for it. */
const FOREIGN: Readonly<Record<string, string>> = {
  lower: 'ascii_downcase',
  tolower: 'ascii_downcase',
  toLowerCase: 'ascii_downcase',
  downcase: 'ascii_downcase',
  lowercase: 'ascii_downcase',
  upper: 'ascii_upcase',
  toupper: 'ascii_upcase',
  toUpperCase: 'ascii_upcase',
  upcase: 'ascii_upcase',
  uppercase: 'ascii_upcase',
  len: 'length',
  size: 'length',
  count: 'length',
  filter: 'select',
  where: 'select',
  includes: 'contains',
  concat: 'add',
  sum: 'add',
  replace: 'gsub',
  replaceAll: 'gsub',
  substr: 'a slice such as .[0:3]',
  substring: 'a slice such as .[0:3]',
  slice: 'a slice such as .[0:3]',
  strip: 'trim',
  int: 'tonumber',
  toInt: 'tonumber',
  parseInt: 'tonumber',
  str: 'tostring',
  toString: 'tostring',
  distinct: 'unique',
  uniq: 'unique',
  entries: 'to_entries',
  toEntries: 'to_entries',
  fromEntries: 'from_entries',
  startsWith: 'startswith',
  endsWith: 'endswith',
  indexOf: 'index',
  isEmpty: 'length == 0',
  exists: 'has',
  reduceRight: 'reduce',
  forEach: 'map',
  find: 'first(.[] | select(…))',
  flat: 'flatten',
  date: 'todate',
};

/** The nearest known word, or undefined when none is near enough to be meant. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  const foreign = Object.hasOwn(FOREIGN, word) ? FOREIGN[word] : undefined;
  if (foreign !== undefined) return foreign;
  const limit = word.length <= 3 ? 1 : word.length <= 6 ? 2 : 3;
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of known) {
    const edits = distance(word, candidate, limit);
    if (edits < bestDistance) {
      best = candidate;
      bestDistance = edits;
    }
  }
  return best;
}
