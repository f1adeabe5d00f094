import type { ErrorDetail } from '@quayside/contracts';
import { useState } from 'react';
import { type ApiError, asApiError } from '../../../api/index.ts';
import { type Draft, findObvious, slugOf, type Tab, tabOf, tabs, withKey } from './document.ts';
import type { Guardrails } from './permission-model.ts';
import { useSaveAction } from './queries.ts';

export interface BuilderInput {
  /** Undefined = a new action. */
  before: string | undefined;
  draft: Draft;
  guardrails: Guardrails;
  onSaved: (identifier: string) => void;
}

/** All that the builder knows: one document, its guardrails, and what is wrong with them. */
export function useActionBuilder(input: BuilderInput) {
  const [draft, setDraft] = useState(input.draft);
  const [guardrails, setGuardrails] = useState(input.guardrails);
  const [stored, setStored] = useState(input.before);
  const [tab, setTab] = useState<Tab>('basic');
  const [isSlug, setSlug] = useState(input.before === undefined && input.draft.identifier === '');
  const [mistakes, setMistakes] = useState<readonly ErrorDetail[]>([]);
  const [refusal, setRefusal] = useState<ApiError | undefined>();
  // What is being typed into the JSON and can not be read yet: saving would silently leave it out.
  const [unreadable, setUnreadable] = useState(false);
  const [isChanged, setChanged] = useState(false);
  const save = useSaveAction(setStored);

  const change = (next: Draft): void => {
    setDraft(next);
    setChanged(true);
    setMistakes([]);
  };
  const show = (found: readonly ErrorDetail[]): void => {
    setMistakes(found);
    const first = found[0];
    if (first) setTab(tabOf(first.path));
  };
  const submit = async (): Promise<void> => {
    if (save.isPending) return;
    setRefusal(undefined);
    const obvious = findObvious(draft);
    if (obvious.length > 0) {
      show(obvious);
      return;
    }
    try {
      await save.mutateAsync({ before: stored, body: draft, guardrails });
      input.onSaved(draft.identifier);
    } catch (thrown) {
      const error = asApiError(thrown);
      setRefusal(error);
      show(error.code === 'identifier_taken' ? [{ path: 'body.identifier', message: error.message }] : error.details);
    }
  };

  const at = tabs.indexOf(tab);
  return {
    draft,
    change,
    guardrails,
    changeGuardrails: (next: Guardrails) => {
      setGuardrails(next);
      setChanged(true);
      setMistakes([]);
    },
    setTitle: (title: string) => {
      const next = withKey(draft, 'title', title);
      change(isSlug ? { ...next, identifier: slugOf(title) } : next);
    },
    isSlug,
    setSlug: (isOn: boolean) => {
      setSlug(isOn);
      if (isOn) change({ ...draft, identifier: slugOf(draft.title ?? '') });
    },
    isNew: stored === undefined,
    isChanged,
    tab,
    setTab,
    next: tabs[at + 1],
    previous: tabs[at - 1],
    mistakes,
    /** Of one field, as a sentence below it. */
    mistakeAt: (path: string): string | undefined => mistakes.find((mistake) => mistake.path === path)?.message,
    countIn: (which: Tab): number => mistakes.filter((mistake) => tabOf(mistake.path) === which).length,
    refusal,
    unreadable,
    setUnreadable,
    submit,
    isBusy: save.isPending,
  };
}

export type Builder = ReturnType<typeof useActionBuilder>;
