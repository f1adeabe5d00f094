import type { UserInputs } from '@quayside/contracts';
import type { Drafts } from './form-model.ts';

/**
 * What a person typed, kept while the tab lives, so that a reload or a stray Escape loses nothing. Per tab and not for
 * longer: a shared computer forgets it. Never a secret.
 */
export interface KeptForm {
  drafts: Drafts;
  target?: string | undefined;
  step: number;
}

type Storage = Pick<globalThis.Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** One form: the action as it was when it was filled in, for this person, with what a link filled in. */
export function draftKey(
  action: { identifier: string; updatedAt: string },
  userId: string,
  entity: string | undefined,
  prefill: unknown,
): string {
  return `quayside.form ${JSON.stringify([userId, action.identifier, action.updatedAt, entity ?? null, prefill ?? null])}`;
}

export function readForm(storage: Storage, key: string): KeptForm | undefined {
  try {
    const kept = JSON.parse(storage.getItem(key) ?? 'null') as KeptForm | null;
    return kept && typeof kept.drafts === 'object' && Number.isInteger(kept.step) ? kept : undefined;
  } catch {
    return undefined;
  }
}

export function keepForm(storage: Storage, key: string, inputs: UserInputs, form: KeptForm): void {
  const drafts = Object.fromEntries(
    Object.entries(form.drafts).filter(
      ([name]) => inputs.properties[name] && inputs.properties[name].encryption === undefined,
    ),
  );
  try {
    storage.setItem(key, JSON.stringify({ ...form, drafts }));
  } catch {
    // Full, or switched off: the form works without it.
  }
}

export function forgetForm(storage: Storage, key: string): void {
  try {
    storage.removeItem(key);
  } catch {
    // Nothing was kept, then.
  }
}
