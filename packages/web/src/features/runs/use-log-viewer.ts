import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { lineOfHash, partAround, shownLines } from './log-model.ts';
import { type LogWindow, pageLines } from './log-window.ts';
import { fetchLogLines, logSearchQuery } from './queries.ts';

const rowHeight = 21;
/** Closer to the end than this counts as "at the end": a row and a bit. */
const endSlack = 28;
const searchDelayMs = 250;

export function useLogViewer(runId: string, log: LogWindow) {
  useSyncExternalStore(log.subscribe, log.version);
  const { total } = log;
  const scroller = useRef<HTMLElement>(null);
  const [linked, setLinked] = useState(() => lineOfHash(window.location.hash));
  const [isFollowing, setFollowing] = useState(linked === undefined);
  /** Lines before the part that is shown. */
  const [before, setBefore] = useState(() => partAround(linked ?? total, total));
  const [seen, setSeen] = useState(0);
  const [needle, setNeedle] = useState('');
  const [match, setMatch] = useState(0);
  const [isWrapped, setWrapped] = useState(true);
  const [areTimesShown, setTimesShown] = useState(true);
  const [wanted] = useDebouncedValue(needle, searchDelayMs);
  // Lines that come later are found by the next search, not by this one: its numbers must not move under one's hands.
  const found = useQuery({
    ...logSearchQuery(runId, wanted),
    enabled: wanted !== '',
    placeholderData: keepPreviousData,
  });
  const matches = needle === '' || found.data === undefined ? undefined : found.data;
  const count = Math.min(total - before, shownLines);
  const rows = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    // A log that is known already is not drawn, nor asked for, at its top first.
    initialOffset: () => (Math.min(linked ?? total, total) - before) * rowHeight,
    overscan: 20,
    paddingStart: 6,
    paddingEnd: 6,
    getItemKey: (index) => before + index,
  });

  const shown = rows.getVirtualItems();
  const first = before + (shown[0]?.index ?? 0) + 1;
  // Before the first as long as nothing is drawn: then nothing is missing.
  const last = before + (shown.at(-1)?.index ?? -1) + 1;
  const asked = useRef(new Set<number>());
  useEffect(() => {
    for (const after of log.missing(first, last)) {
      if (asked.current.has(after)) continue;
      asked.current.add(after);
      fetchLogLines(runId, after, pageLines)
        .then(({ runLogs, count: lines }) => log.add(runLogs, lines))
        // Shown as lines that are not here yet; scrolling asks again.
        .catch(() => undefined)
        .finally(() => asked.current.delete(after));
    }
  }, [first, last, log, runId]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the virtualizer is the same object on every render
  useEffect(() => {
    if (!isFollowing || total === 0) return;
    const part = total - before > shownLines ? partAround(total, total) : before;
    if (part !== before) setBefore(part);
    else rows.scrollToIndex(count - 1, { align: 'end' });
    setSeen(total);
  }, [total, before, count, isFollowing, isWrapped]);

  /** Where to scroll to when the part that has the line is there. */
  const target = useRef(linked);
  useEffect(() => {
    const line = target.current;
    if (line === undefined || total === 0) return;
    const isInside = line > before && line <= before + count;
    if (!isInside && line <= total) return setBefore(partAround(line, total));
    target.current = undefined;
    rows.scrollToIndex(Math.min(line, total) - before - 1, { align: 'center' });
  });

  const goTo = (line: number): void => {
    setFollowing(false);
    setSeen(total);
    target.current = line;
    setBefore(line > before && line <= before + shownLines ? before : partAround(line, total));
  };
  const goToMatch = (index: number): void => {
    const line = matches?.lines[index];
    if (line === undefined) return;
    setMatch(index);
    goTo(line);
  };
  // The first match of a new search is shown at once.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only when the answer is another one
  useEffect(() => goToMatch(0), [found.data]);

  const onScroll = (): void => {
    const element = scroller.current;
    if (!element) return;
    const isAtEnd =
      before + count >= total && element.scrollHeight - element.scrollTop - element.clientHeight < endSlack;
    if (isAtEnd === isFollowing) return;
    // Reading further up is what pauses; coming back to the end resumes.
    setSeen(total);
    setFollowing(isAtEnd);
  };
  const known = matches?.lines.length ?? 0;
  return {
    scroller,
    rows,
    before,
    count,
    total,
    onScroll,
    isFollowing,
    follow: () => setFollowing(true),
    newLines: isFollowing ? 0 : Math.max(0, total - seen),
    needle,
    search: (text: string) => {
      setNeedle(text);
      setMatch(0);
    },
    /** Undefined while nothing is searched, or the answer is on its way. */
    matches,
    match: Math.min(match, Math.max(0, known - 1)),
    current: matches?.lines[match] ?? linked,
    next: () => goToMatch((match + 1) % Math.max(1, known)),
    previous: () => goToMatch((match - 1 + known) % Math.max(1, known)),
    /** The address names the line from now on. */
    link: (line: number) => {
      window.history.replaceState(window.history.state, '', `#L${line}`);
      setLinked(line);
    },
    earlier: () => goTo(Math.max(1, before - shownLines / 2)),
    later: () => goTo(Math.min(total, before + shownLines * 1.5)),
    isWrapped,
    toggleWrap: () => setWrapped(!isWrapped),
    areTimesShown,
    toggleTimes: () => setTimesShown(!areTimesShown),
  };
}
