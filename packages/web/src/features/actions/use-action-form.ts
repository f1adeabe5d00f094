import type { Entity, Run, RunPreview } from '@quayside/contracts';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useEffect, useMemo, useRef, useState } from 'react';
import { type ApiError, asApiError } from '../../api/index.ts';
import { useMe } from '../session/index.ts';
import { draftKey, forgetForm, keepForm, readForm } from './draft-store.ts';
import {
  type Drafts,
  dependentsOf,
  draftsOf,
  fieldsOf,
  placeDetails,
  resolveForm,
  type Step,
  targetName,
} from './form-model.ts';
import { mayExecuteQuery, type SelfServiceAction, useExecute, usePreview } from './queries.ts';
import { sealInputs } from './seal.ts';
import { useSurroundings } from './use-surroundings.ts';

export interface ActionFormInput {
  action: SelfServiceAction;
  /** Values to start with: a re-run, or a link that fills the form. */
  prefill?: Readonly<Record<string, unknown>> | undefined;
  /** The entity it works on, where the page already knows. */
  entity?: string | undefined;
  onStarted: (run: Run) => void;
}

const none = {};

export function useActionForm({ action, prefill, entity, onStarted }: ActionFormInput) {
  const inputs = action.trigger.userInputs;
  const { operation, blueprintIdentifier } = action.trigger;
  const needsTarget = operation !== 'CREATE' && blueprintIdentifier !== undefined;
  const key = draftKey(action, useMe().user.id, entity, prefill);
  const [kept] = useState(() => readForm(sessionStorage, key));
  const [isRestored, setRestored] = useState(kept !== undefined);
  const [drafts, setDrafts] = useState<Drafts>(() => kept?.drafts ?? draftsOf(inputs, prefill ?? none));
  const [target, setTarget] = useState<string | undefined>(entity ?? kept?.target);
  const [errors, setErrors] = useState<Readonly<Record<string, string>>>({});
  const [refusal, setRefusal] = useState<{ error: ApiError; others: ApiError['details'] } | undefined>();
  const [stepIndex, setStepIndex] = useState(kept?.step ?? 0);
  const [isConfirming, setConfirming] = useState(false);
  const [preview, setPreview] = useState<RunPreview | undefined>();
  const controls = useRef(new Map<string, HTMLElement>());
  // State updates come too late for two clicks in one frame; the flag does not.
  const isSubmitting = useRef(false);
  const execute = useExecute(action.identifier);
  const asked = usePreview(action.identifier);
  const { data: verdict } = useQuery(mayExecuteQuery(action.identifier, needsTarget ? target : undefined));
  const { about, ask } = useSurroundings(action, needsTarget ? target : undefined);
  const state = useMemo(() => resolveForm(inputs, drafts, about), [inputs, drafts, about]);
  useEffect(() => ask(state.names));

  const lastStep = state.steps.length - 1;
  const shownStep = Math.min(stepIndex, Math.max(lastStep, 0));
  const focusFirst = (names: readonly string[]): void => {
    const first = names.find((name) => controls.current.has(name));
    // After React has drawn the message, so that it is read together with the field.
    if (first) requestAnimationFrame(() => controls.current.get(first)?.focus());
  };
  const keep = (change: { drafts?: Drafts; target?: string | undefined; step?: number }): void =>
    keepForm(sessionStorage, key, inputs, { drafts, target, step: shownStep, ...change });
  const goTo = (step: number): void => {
    setStepIndex(step);
    keep({ step });
  };

  const replaceDrafts = (next: Drafts): void => {
    setDrafts(next);
    keep({ drafts: next });
  };
  const set = (name: string, draft: unknown): void => {
    const cleared = dependentsOf(inputs, name);
    replaceDrafts({
      ...Object.fromEntries(Object.entries(drafts).filter(([each]) => !cleared.has(each))),
      [name]: draft,
    });
    if (errors[name]) setErrors(({ [name]: _mended, ...rest }) => rest);
  };
  const chooseTarget = (identifier: string | undefined): void => {
    setTarget(identifier);
    keep({ target: identifier });
    if (errors[targetName]) setErrors(({ [targetName]: _mended, ...rest }) => rest);
  };

  /** Every mistake of the given steps; empty when all is well. */
  const check = (steps: readonly Step[]): Record<string, string> => {
    const mistakes: Record<string, string> = {};
    if (needsTarget && !target) mistakes[targetName] = 'Choose the entity this works on.';
    for (const { name } of fieldsOf(steps)) if (state.mistakes[name]) mistakes[name] = state.mistakes[name];
    return mistakes;
  };
  const stepOf = (name: string): number => {
    if (name === targetName) return 0;
    const found = state.steps.findIndex((step) => fieldsOf([step]).some((field) => field.name === name));
    return found < 0 ? shownStep : found;
  };
  const show = (mistakes: Record<string, string>): void => {
    const names = Object.keys(mistakes);
    setErrors(mistakes);
    setConfirming(false);
    setPreview(undefined);
    setStepIndex(stepOf(names[0] ?? ''));
    focusFirst(names);
  };

  /** Sends what the form holds, to be executed or only to be looked at; a refusal stands beside the fields it is about. */
  const send = async (to: (body: { properties: Record<string, unknown>; entity?: string }) => Promise<void>) => {
    if (isSubmitting.current) return;
    isSubmitting.current = true;
    setRefusal(undefined);
    try {
      const properties = await sealInputs(inputs, state.submitted, state.values);
      await to(needsTarget && target ? { properties, entity: target } : { properties });
    } catch (thrown) {
      const error = asApiError(thrown);
      const { byField, others } = placeDetails(error.details, state.fields);
      if (Object.keys(byField).length > 0) show(byField);
      else {
        setConfirming(false);
        setPreview(undefined);
      }
      if (others.length > 0 || Object.keys(byField).length === 0) setRefusal({ error, others });
    } finally {
      isSubmitting.current = false;
    }
  };
  const start = () =>
    send(async (body) => {
      const run = await execute.mutateAsync(body);
      forgetForm(sessionStorage, key);
      onStarted(run);
    });
  const lookAhead = (): void => {
    const mistakes = check(state.steps);
    if (Object.keys(mistakes).length > 0) show(mistakes);
    else void send(async (body) => setPreview(await asked.mutateAsync(body)));
  };

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const isLast = shownStep >= lastStep;
    const mistakes = check(isLast ? state.steps : state.steps.slice(0, shownStep + 1));
    if (Object.keys(mistakes).length > 0) {
      show(mistakes);
      return;
    }
    setErrors({});
    if (!isLast) goTo(shownStep + 1);
    else if (operation === 'DELETE' && !isConfirming) setConfirming(true);
    else void start();
  };

  return {
    steps: state.steps,
    stepIndex: shownStep,
    isLastStep: shownStep >= lastStep,
    back: () => {
      if (isConfirming) setConfirming(false);
      else if (preview) setPreview(undefined);
      else goTo(shownStep - 1);
    },
    preview: isConfirming ? undefined : preview,
    lookAhead,
    isLookingAhead: asked.isPending,
    errors,
    hiddenMistakes: state.hiddenMistakes,
    refusal,
    /** Why the person may not execute it, where nothing in the form could change that. */
    forbidden: verdict && !verdict.isAllowed && !verdict.dependsOnForm ? verdict : undefined,
    set,
    submit,
    isBusy: execute.isPending,
    isConfirming,
    /** What the form holds, without secrets: for JSON mode and for links. */
    values: withoutSecrets(action, state.values),
    replaceValues: (values: Readonly<Record<string, unknown>>) => {
      setErrors({});
      replaceDrafts({ ...secretDrafts(action, drafts), ...draftsOf(inputs, values), ...emptied(action, values) });
    },
    /** The form opened with what was typed before; null forgets that. */
    startOver: isRestored
      ? () => {
          forgetForm(sessionStorage, key);
          setRestored(false);
          setDrafts(draftsOf(inputs, prefill ?? none));
          setTarget(entity);
          setErrors({});
          setStepIndex(0);
        }
      : undefined,
    target:
      needsTarget && blueprintIdentifier
        ? {
            blueprint: blueprintIdentifier,
            value: target,
            choose: chooseTarget,
            isFixed: entity !== undefined,
            entity: about.entity as Entity | null,
          }
        : undefined,
    register: (name: string) => (element: HTMLElement | null) => {
      if (element) controls.current.set(name, element);
      else controls.current.delete(name);
    },
  };
}

export type ActionFormState = ReturnType<typeof useActionForm>;

function isSecret(action: SelfServiceAction, name: string): boolean {
  return action.trigger.userInputs.properties[name]?.encryption !== undefined;
}

function withoutSecrets(action: SelfServiceAction, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !isSecret(action, name)));
}

function secretDrafts(action: SelfServiceAction, drafts: Drafts): Drafts {
  return Object.fromEntries(Object.entries(drafts).filter(([name]) => isSecret(action, name)));
}

/** An input that has a default, and that somebody took out of the values, is empty on purpose. */
function emptied(action: SelfServiceAction, values: Readonly<Record<string, unknown>>): Drafts {
  const { properties } = action.trigger.userInputs;
  const names = Object.keys(properties).filter(
    (name) => properties[name]?.default !== undefined && values[name] === undefined && !isSecret(action, name),
  );
  return Object.fromEntries(names.map((name) => [name, undefined]));
}
