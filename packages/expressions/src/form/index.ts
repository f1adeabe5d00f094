export { entityKey, type Form, type InputState, isNothing, resolveForm, type Surroundings } from './form.ts';
export { type FormMistake, findMistakes } from './mistakes.ts';
export { matchPattern, mistakeInPattern, patternWork } from './pattern.ts';
export { choicesOf, entityBlueprint, identifiersIn, isJq, isSealedByClient, itemsOf, personKind } from './shape.ts';
export { checkValue, type ValueMistake } from './value.ts';
