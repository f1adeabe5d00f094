import type { ActionInput, UserInputs } from '@quayside/contracts';
import { entityKey, findMistakes, resolveForm } from '@quayside/expressions';
import { table, writeSection } from './results.ts';

/**
 * How long a form takes to answer a key: every rule of every input again, and every value judged. Each input has four
 * programs (default, choices, visible, disabled) over the inputs before it, the person and an entity of twenty properties;
 * the chain of defaults runs through all of them. Cold = the first time, programs still to be compiled.
 */
const sizes = [5, 10, 20, 40, 80, 160];
const rounds = 200;

const properties = Object.fromEntries(
  Array.from({ length: 20 }, (_, index) => [`property_${index}`, `value ${index}`]),
);
const service = {
  identifier: 'shop',
  title: 'Shop',
  blueprint: 'service',
  team: ['payments'],
  properties,
  relations: {},
};
const about = {
  entity: service,
  user: { email: 'ana@example.com', roles: [{ name: 'Admin' }], teams: [{ name: 'payments' }], properties },
  entities: new Map([[entityKey('service', 'shop'), service]]),
};

function formOf(size: number, salt: number): UserInputs {
  const inputs: Record<string, ActionInput> = {
    service: { type: 'string', format: 'entity', blueprint: 'service' },
    name: { type: 'string', minLength: 1 },
  };
  for (let index = 0; index < size; index++) {
    const before = index === 0 ? 'name' : `input_${index - 1}`;
    inputs[`input_${index}`] = {
      type: 'string',
      default: { jqQuery: `.form.name + "-${index}-${salt}" | ascii_downcase` },
      enum: { jqQuery: `[.form.name + "-${index}-${salt}" | ascii_downcase] + (.form.service.properties | keys)` },
      visible: { jqQuery: `(.form.${before} | length) > 0 and (.user.roles | any(.name == "Admin"))` },
      disabled: { jqQuery: `.entity.properties.property_${index % 20} == "value ${salt}"` },
    };
  }
  return { properties: inputs, required: { jqQuery: '[.form | keys[] | select(startswith("input_"))]' } };
}

function answer(inputs: UserInputs, name: string): number {
  const submitted = { service: 'shop', name };
  const started = performance.now();
  const form = resolveForm(inputs, submitted, about);
  const mistakes = findMistakes(inputs, submitted, form, { areSealed: false });
  const took = performance.now() - started;
  if (mistakes.length > 0) throw new Error(JSON.stringify(mistakes[0]));
  return took;
}

const rows = sizes.map((size) => {
  // The engine itself is warm; only the programs of this form are new.
  const cold = Array.from({ length: 10 }, (_, salt) => answer(formOf(size, 1_000 * size + salt), 'a')).sort(
    (a, b) => a - b,
  );
  const inputs = formOf(size, size);
  const times = Array.from({ length: rounds }, (_, round) => answer(inputs, `shop-${round}`)).sort((a, b) => a - b);
  const at = (share: number, list: readonly number[]) => list[Math.floor(share * (list.length - 1))]?.toFixed(2) ?? '';
  return [size, size * 4 + 1, at(0.5, times), at(0.99, times), at(0.5, cold)];
});
const heads = ['inputs', 'programs', 'ms per key, p50', 'ms per key, p99', 'ms when opened, p50'];
const lines = table(heads, rows);
process.stdout.write(`${lines.join('\n')}\n`);
writeSection({
  name: 'forms',
  about:
    'A dynamic form answering one key: all of its rules again and all values judged, as browser and server do it. It grows with the number of programs; the aim is 100 ms at 40 inputs.',
  body: lines.join('\n'),
});
