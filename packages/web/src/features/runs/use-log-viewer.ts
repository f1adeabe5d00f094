import type { RunLog } from '@quayside/contracts';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState } from 'react';
import { asText, findMatches } from './log-model.ts';

const rowHeight = 21;
/** Closer to the end than this counts as "at the end": a row and a bit. */
const endSlack = 28;

export function useLogViewer(lines: readonly RunLog[]) {
  const scroller = useRef<HTMLElement>(null);
  const [isFollowing, setFollowing] = useState(true);
  const [seen, setSeen] = useState(0);
  const [needle, setNeedle] = useState('');
  const [match, setMatch] = useState(0);
  const [isWrapped, setWrapped] = useState(true);
  const [areTimesShown, setTimesShown] = useState(true);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 20,
    paddingStart: 6,
    paddingEnd: 6,
    getItemKey: (index) => lines[index]?.id ?? index,
  });
  const matches = useMemo(() => findMatches(lines, needle), [lines, needle]);
  const current = matches[Math.min(match, matches.length - 1)];

  // biome-ignore lint/correctness/useExhaustiveDependencies: the virtualizer is the same object on every render
  useEffect(() => {
    if (!isFollowing || lines.length === 0) return;
    rows.scrollToIndex(lines.length - 1, { align: 'end' });
    setSeen(lines.length);
  }, [lines.length, isFollowing, isWrapped]);

  const onScroll = (): void => {
    const element = scroller.current;
    if (!element) return;
    const isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight < endSlack;
    if (isAtEnd === isFollowing) return;
    // Reading further up is what pauses; coming back to the end resumes.
    setSeen(lines.length);
    setFollowing(isAtEnd);
  };
  const goTo = (index: number): void => {
    const line = matches[index];
    if (line === undefined) return;
    setMatch(index);
    setFollowing(false);
    setSeen(lines.length);
    rows.scrollToIndex(line, { align: 'center' });
  };
  const search = (text: string): void => {
    setNeedle(text);
    setMatch(0);
    const first = findMatches(lines, text)[0];
    if (first === undefined) return;
    setFollowing(false);
    setSeen(lines.length);
    rows.scrollToIndex(first, { align: 'center' });
  };
  return {
    scroller,
    rows,
    onScroll,
    isFollowing,
    follow: () => setFollowing(true),
    newLines: isFollowing ? 0 : Math.max(0, lines.length - seen),
    needle,
    search,
    matches,
    match: Math.min(match, Math.max(0, matches.length - 1)),
    current,
    next: () => goTo((match + 1) % Math.max(1, matches.length)),
    previous: () => goTo((match - 1 + matches.length) % Math.max(1, matches.length)),
    isWrapped,
    toggleWrap: () => setWrapped(!isWrapped),
    areTimesShown,
    toggleTimes: () => setTimesShown(!areTimesShown),
  };
}

/** Saves what is in the browser already; no second request, so what one sees is what one gets. */
export function downloadLog(runId: string, lines: readonly RunLog[]): void {
  const url = URL.createObjectURL(new Blob([asText(lines)], { type: 'text/plain' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `${runId}.log`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1_000);
}
