import type { ActionInput, UserInputs } from '@quayside/contracts';

/**
 * The order of a form: inputs and titles, in steps or without. One list of places is what a person moves things in; the
 * document has `order` or `steps` for it, never both (spec/actions.md §1.3).
 */
export interface Place {
  kind: 'input' | 'title' | 'step';
  /** Of a step: its index. */
  key: string;
}

export function placesOf(inputs: UserInputs): Place[] {
  const titles = Object.keys(inputs.titles ?? {});
  const names = Object.keys(inputs.properties);
  const placeOf = (key: string): Place[] => {
    if (names.includes(key)) return [{ kind: 'input', key }];
    return titles.includes(key) ? [{ kind: 'title', key }] : [];
  };
  const listed = new Set(inputs.steps ? inputs.steps.flatMap((step) => step.order) : (inputs.order ?? []));
  const rest = [...titles, ...names].filter((key) => !listed.has(key)).flatMap(placeOf);
  if (!inputs.steps) return [...(inputs.order ?? []).flatMap(placeOf), ...rest];
  const places = inputs.steps.flatMap((step, index): Place[] => [
    { kind: 'step', key: String(index) },
    ...step.order.flatMap(placeOf),
  ]);
  return [...places, ...rest];
}

/** Writes the places back. What stands before the first step is in the first step. */
function withPlaces(inputs: UserInputs, places: readonly Place[]): UserInputs {
  const { order: _order, steps = [], ...others } = inputs;
  const keys = (list: readonly Place[]) => list.filter(({ kind }) => kind !== 'step').map(({ key }) => key);
  const marks = places.filter(({ kind }) => kind === 'step');
  if (marks.length === 0) return { ...others, order: keys(places) };
  const ordered = marks.map((mark, index) => {
    const from = index === 0 ? 0 : places.indexOf(mark);
    const next = marks[index + 1];
    const to = next ? places.indexOf(next) : places.length;
    return { title: 'Step', ...steps[Number(mark.key)], order: keys(places.slice(from, to)) };
  });
  return { ...others, steps: ordered };
}

/** One place up (-1) or down (1); at the ends nothing happens. */
export function move(inputs: UserInputs, from: number, by: -1 | 1): UserInputs {
  return moveTo(inputs, from, from + by);
}

export function moveTo(inputs: UserInputs, from: number, to: number): UserInputs {
  const places = placesOf(inputs);
  const place = places[from];
  if (!place || to < 0 || to >= places.length) return inputs;
  const others = places.filter((each) => each !== place);
  return withPlaces(inputs, [...others.slice(0, to), place, ...others.slice(to)]);
}

const freeKey = (wanted: string, taken: readonly string[]): string => {
  if (!taken.includes(wanted)) return wanted;
  for (let number = 2; ; number++) if (!taken.includes(`${wanted}_${number}`)) return `${wanted}_${number}`;
};

function keysOf(inputs: UserInputs): string[] {
  return [...Object.keys(inputs.properties), ...Object.keys(inputs.titles ?? {})];
}

/** A new input at the end, or `before` replaced, wherever it is named. */
export function withInput(
  inputs: UserInputs,
  before: string | undefined,
  name: string,
  input: ActionInput,
  isRequired: boolean,
): UserInputs {
  const renamed = before === undefined || before === name ? inputs : renameInput(inputs, before, name);
  const isNew = before === undefined;
  const result: UserInputs = { ...renamed, properties: { ...renamed.properties, [name]: input } };
  const placed = isNew ? withPlaces(result, [...placesOf(renamed), { kind: 'input', key: name }]) : result;
  // A list that a program computes is the program's matter.
  if (placed.required !== undefined && !Array.isArray(placed.required)) return placed;
  const required = (placed.required ?? []).filter((each) => each !== name);
  return { ...placed, required: isRequired ? [...required, name] : required };
}

function renameInput(inputs: UserInputs, before: string, name: string): UserInputs {
  const swap = (key: string): string => (key === before ? name : key);
  const properties = Object.entries(inputs.properties).map(([key, input]) => {
    const next = input.dependsOn ? { ...input, dependsOn: input.dependsOn.map(swap) } : input;
    return [swap(key), next] as const;
  });
  return {
    ...inputs,
    properties: Object.fromEntries(properties),
    ...(Array.isArray(inputs.required) ? { required: inputs.required.map(swap) } : {}),
    ...(inputs.order ? { order: inputs.order.map(swap) } : {}),
    ...(inputs.steps ? { steps: inputs.steps.map((step) => ({ ...step, order: step.order.map(swap) })) } : {}),
  };
}

export function withoutPlace(inputs: UserInputs, index: number): UserInputs {
  const places = placesOf(inputs);
  const place = places[index];
  if (!place) return inputs;
  const rest = places.filter((each) => each !== place);
  if (place.kind === 'step') return withPlaces(inputs, rest);
  const without = <T>(map: Record<string, T> | undefined): Record<string, T> =>
    Object.fromEntries(Object.entries(map ?? {}).filter(([key]) => key !== place.key));
  if (place.kind === 'title') return withPlaces({ ...inputs, titles: without(inputs.titles) }, rest);
  const properties = Object.entries(without(inputs.properties)).map(([key, input]) => {
    const dependsOn = input.dependsOn?.filter((each) => each !== place.key);
    return [key, dependsOn ? { ...input, dependsOn } : input] as const;
  });
  const required = Array.isArray(inputs.required)
    ? inputs.required.filter((each) => each !== place.key)
    : inputs.required;
  return withPlaces(
    { ...inputs, properties: Object.fromEntries(properties), ...(required === undefined ? {} : { required }) },
    rest,
  );
}

export function withTitle(inputs: UserInputs, title: string): UserInputs {
  const key = freeKey('title', keysOf(inputs));
  return withPlaces({ ...inputs, titles: { ...inputs.titles, [key]: { title } } }, [
    ...placesOf(inputs),
    { kind: 'title', key },
  ]);
}

/** The first step takes in everything there is; the next begins at the end. */
export function withStep(inputs: UserInputs, title: string): UserInputs {
  if (!inputs.steps || inputs.steps.length === 0) {
    const { order: _order, ...others } = inputs;
    const order = placesOf(inputs).map(({ key }) => key);
    return { ...others, steps: [{ title, order }] };
  }
  return { ...inputs, steps: [...inputs.steps, { title, order: [] }] };
}

export function changeStep(
  inputs: UserInputs,
  index: number,
  change: Partial<NonNullable<UserInputs['steps']>[number]>,
): UserInputs {
  return { ...inputs, steps: (inputs.steps ?? []).map((step, at) => (at === index ? { ...step, ...change } : step)) };
}

export function changeTitle(
  inputs: UserInputs,
  key: string,
  title: NonNullable<UserInputs['titles']>[string],
): UserInputs {
  return { ...inputs, titles: { ...inputs.titles, [key]: title } };
}

export function isRequiredByList(inputs: UserInputs, name: string): boolean {
  return Array.isArray(inputs.required) && inputs.required.includes(name);
}
