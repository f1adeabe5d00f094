import type { ActionInput } from '@quayside/contracts';
import { isJq } from './shape.ts';

type Named = readonly [name: string, input: ActionInput];

/**
 * Computed defaults, each after those that its program names, so that one round fills a chain of any length. Names are
 * looked for as words: one that only stands in a text costs nothing but the order. Cycles stay in the order of definition.
 */
export function fillOrder(inputs: readonly Named[]): readonly Named[] {
  const byName = new Map(inputs.map((each) => [each[0], each]));
  const done = new Set<string>();
  const ordered: Named[] = [];
  const visit = (each: Named): void => {
    const [name, input] = each;
    if (done.has(name)) return;
    done.add(name);
    const program = isJq(input.default) ? input.default.jqQuery : '';
    for (const word of program.match(/[A-Za-z0-9@_=\\-]+/g) ?? []) {
      const other = byName.get(word);
      if (other) visit(other);
    }
    ordered.push(each);
  };
  for (const each of inputs) visit(each);
  return ordered;
}
