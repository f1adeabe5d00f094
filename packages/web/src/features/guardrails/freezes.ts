/** A time in which nothing starts, seen from now. The end itself is no longer in it. */
export function phaseOf(freeze: { from: string; to: string }, now: Date): 'now' | 'coming' | 'over' {
  if (now < new Date(freeze.from)) return 'coming';
  return now < new Date(freeze.to) ? 'now' : 'over';
}

/** What is wrong with a freeze as it was typed, by field. */
export function freezeMistakes(draft: { from: string; to: string; reason: string }): Record<string, string> {
  const mistakes: Record<string, string> = {};
  const [from, to] = [new Date(draft.from), new Date(draft.to)];
  if (Number.isNaN(from.getTime())) mistakes.from = 'Say when it begins';
  if (Number.isNaN(to.getTime())) mistakes.to = 'Say when it ends';
  else if (!mistakes.from && to <= from) mistakes.to = 'It ends after it begins';
  if (!draft.reason.trim()) mistakes.reason = 'Give a reason; people read it when they are refused';
  return mistakes;
}
