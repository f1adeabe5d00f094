import type { Entity, Run } from '@quayside/contracts';
import { useQueries } from '@tanstack/react-query';
import { type FormEvent, useMemo, useRef, useState } from 'react';
import { type ApiError, asApiError } from '../../api/index.ts';
import { entityQuery } from '../entities/index.ts';
import { useMe } from '../session/index.ts';
import { itemsOf, toDraft } from './field-kinds.ts';
import {
  type Drafts,
  dependentsOf,
  entityKey,
  type Field,
  findMistakes,
  limitsOf,
  placeDetails,
  resolveForm,
  type Step,
  targetName,
} from './form-model.ts';
import { evaluate } from './jq.ts';
import { type SelfServiceAction, useExecute } from './queries.ts';
import { sealInputs } from './seal.ts';

export interface ActionFormInput {
  action: SelfServiceAction;
  /** Values to start with: a re-run, or a link that fills the form. */
  prefill?: Readonly<Record<string, unknown>> | undefined;
  /** The entity it works on, where the page already knows. */
  entity?: string | undefined;
  onStarted: (run: Run) => void;
}

export function useActionForm({ action, prefill, entity, onStarted }: ActionFormInput) {
  const inputs = action.trigger.userInputs;
  const { operation, blueprintIdentifier } = action.trigger;
  const needsTarget = operation !== 'CREATE' && blueprintIdentifier !== undefined;
  const [drafts, setDrafts] = useState<Drafts>(() => initialDrafts(action, prefill));
  const [target, setTarget] = useState<string | undefined>(entity);
  const [errors, setErrors] = useState<Readonly<Record<string, string>>>({});
  const [refusal, setRefusal] = useState<{ error: ApiError; others: ApiError['details'] } | undefined>();
  const [stepIndex, setStepIndex] = useState(0);
  const [isConfirming, setConfirming] = useState(false);
  const controls = useRef(new Map<string, HTMLElement>());
  // State updates come too late for two clicks in one frame; the flag does not.
  const isSubmitting = useRef(false);
  const execute = useExecute(action.identifier);
  const about = useSurroundings(action, drafts, needsTarget ? target : undefined);
  const state = useMemo(() => resolveForm(inputs, drafts, about, evaluate), [inputs, drafts, about]);

  const lastStep = state.steps.length - 1;
  const shownStep = Math.min(stepIndex, Math.max(lastStep, 0));
  const focusFirst = (names: readonly string[]): void => {
    const first = names.find((name) => controls.current.has(name));
    // After React has drawn the message, so that it is read together with the field.
    if (first) requestAnimationFrame(() => controls.current.get(first)?.focus());
  };

  const set = (name: string, draft: unknown): void => {
    const cleared = dependentsOf(inputs, name);
    setDrafts((all) => ({
      ...Object.fromEntries(Object.entries(all).filter(([key]) => !cleared.has(key))),
      [name]: draft,
    }));
    if (errors[name]) setErrors(({ [name]: _mended, ...rest }) => rest);
  };
  const chooseTarget = (identifier: string | undefined): void => {
    setTarget(identifier);
    if (errors[targetName]) setErrors(({ [targetName]: _mended, ...rest }) => rest);
  };

  /** Every mistake of the given steps; empty when all is well. */
  const check = (steps: readonly Step[]): Record<string, string> => {
    const mistakes: Record<string, string> = {};
    if (needsTarget && !target) mistakes[targetName] = 'Choose the entity this works on.';
    Object.assign(mistakes, findMistakes(fieldsOf(steps), limitsOf(inputs, draftsOf(state.fields), about, evaluate)));
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
    setStepIndex(stepOf(names[0] ?? ''));
    focusFirst(names);
  };

  const start = async (): Promise<void> => {
    if (isSubmitting.current) return;
    isSubmitting.current = true;
    setRefusal(undefined);
    try {
      const properties = await sealInputs(inputs, state.values);
      onStarted(await execute.mutateAsync(needsTarget && target ? { properties, entity: target } : { properties }));
    } catch (thrown) {
      const error = asApiError(thrown);
      const { byField, others } = placeDetails(error.details, state.fields);
      if (Object.keys(byField).length > 0) show(byField);
      else setConfirming(false);
      if (others.length > 0 || Object.keys(byField).length === 0) setRefusal({ error, others });
    } finally {
      isSubmitting.current = false;
    }
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
    if (!isLast) setStepIndex(shownStep + 1);
    else if (operation === 'DELETE' && !isConfirming) setConfirming(true);
    else void start();
  };

  return {
    steps: state.steps,
    stepIndex: shownStep,
    isLastStep: shownStep >= lastStep,
    back: () => (isConfirming ? setConfirming(false) : setStepIndex(shownStep - 1)),
    errors,
    refusal,
    set,
    submit,
    isBusy: execute.isPending,
    isConfirming,
    values: state.values,
    target:
      needsTarget && blueprintIdentifier
        ? {
            blueprint: blueprintIdentifier,
            value: target,
            choose: chooseTarget,
            isFixed: entity !== undefined,
            entity: about.entity,
          }
        : undefined,
    register: (name: string) => (element: HTMLElement | null) => {
      if (element) controls.current.set(name, element);
      else controls.current.delete(name);
    },
  };
}

export type ActionFormState = ReturnType<typeof useActionForm>;

function fieldsOf(steps: readonly Step[]): Field[] {
  return steps.flatMap((step) => step.items.flatMap((item) => (item.kind === 'field' ? [item.field] : [])));
}

function draftsOf(fields: Readonly<Record<string, Field>>): Record<string, unknown> {
  return Object.fromEntries(Object.values(fields).map((field) => [field.name, field.draft]));
}

/** A secret comes back as its ciphertext, which is no value to send again: the person types it anew. */
function initialDrafts(action: SelfServiceAction, prefill: Readonly<Record<string, unknown>> = {}): Drafts {
  const drafts: Record<string, unknown> = {};
  for (const [name, input] of Object.entries(action.trigger.userInputs.properties)) {
    if (prefill[name] === undefined || input.encryption !== undefined) continue;
    drafts[name] = toDraft(input, prefill[name]);
  }
  return drafts;
}

/** What expressions may look at besides the form: the target entity, the user, and the entities the inputs name. */
function useSurroundings(action: SelfServiceAction, drafts: Drafts, target: string | undefined) {
  const me = useMe();
  const wanted = useMemo(() => {
    const list: { blueprint: string; identifier: string }[] = [];
    const { blueprintIdentifier, userInputs } = action.trigger;
    if (target && blueprintIdentifier) list.push({ blueprint: blueprintIdentifier, identifier: target });
    for (const [name, input] of Object.entries(userInputs.properties)) {
      const blueprint = input.type === 'array' ? itemsOf(input)?.blueprint : input.blueprint;
      if (!blueprint) continue;
      for (const identifier of [
        drafts[name] ?? toDraft(input, isPlain(input.default) ? input.default : undefined),
      ].flat()) {
        if (typeof identifier === 'string' && identifier) list.push({ blueprint, identifier });
      }
    }
    return list;
  }, [action, drafts, target]);
  const loaded = useQueries({
    queries: wanted.map(({ blueprint, identifier }) => ({ ...entityQuery(blueprint, identifier), retry: false })),
    combine: (results) => results.flatMap((result) => (result.data ? [result.data] : [])),
  });
  return useMemo(() => {
    const entities = new Map<string, Entity>(
      loaded.map((entity) => [entityKey(entity.blueprint, entity.identifier), entity]),
    );
    const { user } = me;
    const name = `${user.firstName} ${user.lastName}`.trim() || user.email;
    return {
      entity: (target && entities.get(entityKey(action.trigger.blueprintIdentifier ?? '', target))) || null,
      user: {
        ...user,
        userId: user.id,
        name,
        mainRole: user.roles[0]?.name ?? '',
        teams: [],
        teamsIdentifiers: [],
        team: [],
        identifier: user.email,
        title: name,
        properties: {},
        relations: {},
      },
      entities,
    };
  }, [action, loaded, me, target]);
}

function isPlain(value: unknown): boolean {
  return typeof value === 'string' || Array.isArray(value);
}
