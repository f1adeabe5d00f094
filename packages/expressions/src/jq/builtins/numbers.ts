import { BigNumber, isNumber, negateBigNumber, numberFromLiteral, toDouble, type Value } from '../../json.ts';
import { typeError } from '../values.ts';
import { type Builtins, ofInput, ofValues } from './define.ts';
import * as math from './math.ts';

function double(value: Value): number {
  if (isNumber(value)) return toDouble(value);
  throw typeError(value, 'number required');
}

function unary(compute: (x: number) => number) {
  return ofInput((machine, input) => {
    machine.step(INTEGRALS.has(compute) ? 2000 : 1);
    return compute(double(input));
  });
}

function binary(compute: (x: number, y: number) => number) {
  return ofValues((machine, _input, values) => {
    machine.step(INTEGRALS.has(compute) ? 2000 : 1);
    return compute(double(values[0] as Value), double(values[1] as Value));
  });
}

function test(compute: (x: number) => boolean) {
  return ofInput((_machine, input) => isNumber(input) && compute(toDouble(input)));
}

const j0 = (x: number): number => math.besselJ(0, x);
const j1 = (x: number): number => math.besselJ(1, x);
const jn = (n: number, x: number): number => math.besselJ(Math.trunc(n), x);
const y0 = (x: number): number => math.besselY(0, x);
const y1 = (x: number): number => math.besselY(1, x);
const yn = (n: number, x: number): number => math.besselY(Math.trunc(n), x);
/** Computed by numeric integration: a thousand times the cost of the others. */
const INTEGRALS: ReadonlySet<unknown> = new Set([j0, j1, jn, y0, y1, yn]);

const UNARY: Readonly<Record<string, (x: number) => number>> = {
  acos: Math.acos,
  acosh: Math.acosh,
  asin: Math.asin,
  asinh: Math.asinh,
  atan: Math.atan,
  atanh: Math.atanh,
  cbrt: Math.cbrt,
  ceil: Math.ceil,
  cos: Math.cos,
  cosh: Math.cosh,
  erf: math.erf,
  erfc: math.erfc,
  exp: Math.exp,
  exp10: math.exp10,
  exp2: math.exp2,
  expm1: Math.expm1,
  fabs: Math.abs,
  floor: Math.floor,
  gamma: math.lgamma,
  j0,
  j1,
  lgamma: math.lgamma,
  log: Math.log,
  log10: Math.log10,
  log1p: Math.log1p,
  log2: Math.log2,
  logb: math.logb,
  nearbyint: math.rint,
  pow10: math.exp10,
  rint: math.rint,
  round: math.round,
  significand: math.significand,
  sin: Math.sin,
  sinh: Math.sinh,
  sqrt: Math.sqrt,
  tan: Math.tan,
  tanh: Math.tanh,
  tgamma: math.tgamma,
  trunc: Math.trunc,
  y0,
  y1,
};

const BINARY: Readonly<Record<string, (x: number, y: number) => number>> = {
  atan2: Math.atan2,
  copysign: math.copysign,
  drem: math.remainder,
  fdim: (x, y) => (Number.isNaN(x) || Number.isNaN(y) ? Number.NaN : x > y ? x - y : 0),
  fmax: (x, y) => (Number.isNaN(x) ? y : Number.isNaN(y) ? x : Math.max(x, y)),
  fmin: (x, y) => (Number.isNaN(x) ? y : Number.isNaN(y) ? x : Math.min(x, y)),
  fmod: (x, y) => x % y,
  hypot: Math.hypot,
  jn,
  ldexp: math.ldexp,
  nextafter: math.nextafter,
  nexttoward: math.nextafter,
  pow: math.pow,
  remainder: math.remainder,
  scalb: math.scalb,
  scalbln: math.ldexp,
  yn,
};

export const NUMBERS: Builtins = {
  ...Object.fromEntries(Object.entries(UNARY).map(([name, compute]) => [`${name}/0`, unary(compute)])),
  ...Object.fromEntries(Object.entries(BINARY).map(([name, compute]) => [`${name}/2`, binary(compute)])),
  'fma/3': ofValues((_machine, _input, values) => math.fma(...(values.map(double) as [number, number, number]))),
  'frexp/0': ofInput((_machine, input) => math.frexp(double(input))),
  'modf/0': ofInput((_machine, input) => math.modf(double(input))),
  'lgamma_r/0': ofInput((_machine, input) => [math.lgamma(double(input)), math.gammaSign(double(input))]),
  'abs/0': ofInput((_machine, input) => {
    if (typeof input === 'number') return input < 0 ? -input : Object.is(input, -0) ? -0 : input;
    if (input instanceof BigNumber) return BigNumber.text(input).startsWith('-') ? negateBigNumber(input) : input;
    if (input === null || typeof input === 'boolean') throw typeError(input, 'has no absolute value');
    return input;
  }),
  'infinite/0': ofInput(() => Number.POSITIVE_INFINITY),
  'nan/0': ofInput(() => Number.NaN),
  'isinfinite/0': test((x) => x === Number.POSITIVE_INFINITY || x === Number.NEGATIVE_INFINITY),
  'isfinite/0': test((x) => x !== Number.POSITIVE_INFINITY && x !== Number.NEGATIVE_INFINITY),
  'isnan/0': test(Number.isNaN),
  'isnormal/0': test((x) => Number.isFinite(x) && Math.abs(x) >= 2.2250738585072014e-308),
  'tonumber/0': ofInput((machine, input) => {
    if (isNumber(input)) return input;
    if (typeof input === 'string') {
      machine.step(input.length >> 4);
      const number = numberFromLiteral(input);
      if (number instanceof BigNumber) machine.hasLiterals = true;
      if (number !== null) return number;
    }
    throw typeError(input, 'cannot be parsed as a number');
  }),
  'have_decnum/0': ofInput(() => true),
  'have_literal_numbers/0': ofInput(() => true),
};
