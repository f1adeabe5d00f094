import { DateError, gmtime, localtime, strflocaltime, strftime, strptime, timegm } from '../../dates/index.ts';
import { BigNumber, isNumber, toDouble, type Value } from '../../json.ts';
import { JqError } from '../errors.ts';
import type { Machine } from '../machine.ts';
import { type Builtins, ofInput, ofOne } from './define.ts';

/** jq's dates: broken-down time is an array, see src/dates. Everything is UTC: the engine knows no local time zone. */

const ISO_8601 = '%Y-%m-%dT%H:%M:%SZ';

function guarded<T>(compute: () => T): T {
  try {
    return compute();
  } catch (error) {
    throw error instanceof DateError ? new JqError(error.message, 'date') : error;
  }
}

function numbers(values: Value[]): (number | Value)[] {
  return values.map((value) => (value instanceof BigNumber ? BigNumber.double(value) : value));
}

function brokenDown(input: Value, name: string, convert: (seconds: number) => number[]): readonly unknown[] {
  if (isNumber(input)) return guarded(() => convert(toDouble(input)));
  if (Array.isArray(input)) return numbers(input);
  throw new JqError(`${name} requires parsed datetime inputs`, 'type');
}

function formatted(machine: Machine, input: Value, format: Value, isLocal: boolean): Value {
  const name = isLocal ? 'strflocaltime/1' : 'strftime/1';
  const time = brokenDown(input, name, isLocal ? localtime : gmtime);
  if (typeof format !== 'string') throw new JqError(`${name} requires a string format`, 'type');
  machine.step(8 + 4 * format.length);
  machine.allocate(16 * format.length);
  return guarded(() => (isLocal ? strflocaltime(time, format) : strftime(time, format)));
}

function parsed(machine: Machine, input: Value, format: Value): Value {
  if (typeof input !== 'string' || typeof format !== 'string') {
    throw new JqError('strptime/1 requires string inputs and arguments', 'type');
  }
  machine.step(8 + 2 * format.length);
  machine.allocateArray(9);
  return guarded(() => strptime(input, format));
}

function seconds(input: Value): number {
  if (!Array.isArray(input)) throw new JqError('mktime requires array inputs', 'type');
  return guarded(() => timegm(numbers(input)));
}

function numeric(input: Value, name: string): number {
  if (!isNumber(input)) throw new JqError(`${name}() requires numeric inputs`, 'type');
  return toDouble(input);
}

/** `dateadd("seconds"; n)` and its kin of earlier versions. */
function shifted(machine: Machine, input: Value, amount: Value, sign: number): Value {
  if (!isNumber(amount)) throw new JqError('the amount must be a number of seconds', 'type');
  return formatted(machine, seconds(parsed(machine, input, ISO_8601)) + sign * toDouble(amount), ISO_8601, false);
}

export const DATES: Builtins = {
  'strftime/1': ofOne((machine, input, format) => formatted(machine, input, format, false)),
  'strflocaltime/1': ofOne((machine, input, format) => formatted(machine, input, format, true)),
  'strptime/1': ofOne(parsed),
  'mktime/0': ofInput((machine, input) => {
    machine.step(4);
    return seconds(input);
  }),
  'gmtime/0': ofInput((machine, input) => {
    machine.allocateArray(8);
    machine.step(4);
    const at = numeric(input, 'gmtime');
    return guarded(() => gmtime(at));
  }),
  'localtime/0': ofInput((machine, input) => {
    machine.allocateArray(8);
    machine.step(4);
    const at = numeric(input, 'localtime');
    return guarded(() => localtime(at));
  }),
  'todate/0': ofInput((machine, input) => formatted(machine, input, ISO_8601, false)),
  'todateiso8601/0': ofInput((machine, input) => formatted(machine, input, ISO_8601, false)),
  'fromdate/0': ofInput((machine, input) => seconds(parsed(machine, input, ISO_8601))),
  'fromdateiso8601/0': ofInput((machine, input) => seconds(parsed(machine, input, ISO_8601))),
  'date/0': ofInput((machine, input) => formatted(machine, input, ISO_8601, false)),
  'dateadd/2': (compiler, args, span, context) =>
    ofOne((machine, input, amount) => shifted(machine, input, amount, 1))(compiler, args.slice(1), span, context),
  'datesub/2': (compiler, args, span, context) =>
    ofOne((machine, input, amount) => shifted(machine, input, amount, -1))(compiler, args.slice(1), span, context),
};
