import type { Completion } from '@quayside/expressions';
import { type KeyboardEvent, type RefObject, useLayoutEffect, useRef, useState } from 'react';
import type { Complete } from './complete-text.ts';

interface Offer extends Completion {
  caret: number;
  chosen: number;
}

/**
 * The list under the caret of a textarea. It opens while one types, and with Ctrl and space; the arrows choose, Enter and Tab take,
 * Escape closes it and nothing else. With the list closed every key does what it always does.
 */
export function useCompletion(
  area: RefObject<HTMLTextAreaElement | null>,
  value: string,
  onChange: (value: string) => void,
  complete: Complete | undefined,
) {
  const [offer, setOffer] = useState<Offer | undefined>();
  // Where the caret goes after the text that was taken is drawn.
  const next = useRef<number | undefined>(undefined);
  useLayoutEffect(() => {
    if (next.current === undefined) return;
    area.current?.setSelectionRange(next.current, next.current);
    next.current = undefined;
  });

  const look = (text: string, caret: number, isAsked: boolean): void => {
    const found = complete?.(text, caret);
    const begun = found && text.slice(caret - found.replaces, caret);
    const isDone = found?.suggestions.length === 1 && found.suggestions[0]?.text === begun;
    const isWorthIt = isAsked || (found?.replaces ?? 0) > 0;
    setOffer(
      found && found.suggestions.length > 0 && isWorthIt && !isDone ? { ...found, caret, chosen: 0 } : undefined,
    );
  };
  const take = (index: number): void => {
    const text = offer?.suggestions[index]?.text;
    if (!offer || text === undefined) return;
    const start = offer.caret - offer.replaces;
    next.current = start + text.length;
    onChange(value.slice(0, start) + text + value.slice(offer.caret));
    setOffer(undefined);
    area.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    if (complete && event.key === ' ' && event.ctrlKey) {
      event.preventDefault();
      look(value, event.currentTarget.selectionStart, true);
      return;
    }
    if (!offer) return;
    const count = offer.suggestions.length;
    const steps: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: count - 1 };
    const step = steps[event.key];
    if (step !== undefined) setOffer({ ...offer, chosen: (offer.chosen + step) % count });
    else if (event.key === 'Enter' || event.key === 'Tab') take(offer.chosen);
    else if (event.key === 'Escape') setOffer(undefined);
    else {
      // Moving away, or a key that types: what is offered next follows from the change.
      if (event.key.startsWith('Arrow') || event.key === 'Home' || event.key === 'End') setOffer(undefined);
      return;
    }
    event.preventDefault();
  };
  return { offer, take, look, onKeyDown, close: () => setOffer(undefined) };
}
