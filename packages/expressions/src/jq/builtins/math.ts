/** The parts of the C mathematics library that JavaScript lacks. Accuracy: a few units in the last place, as noted. */

const VIEW = new DataView(new ArrayBuffer(8));

export function rint(x: number): number {
  if (!Number.isFinite(x) || Math.abs(x) >= 2 ** 52) return x;
  const down = Math.floor(x);
  const rest = x - down;
  const result = rest < 0.5 || (rest === 0.5 && down % 2 === 0) ? down : down + 1;
  return copysign(result, x);
}

/** Half away from zero, unlike JavaScript's half up. */
export function round(x: number): number {
  return x < 0 ? -Math.round(-x) : Math.round(x);
}

export function copysign(x: number, y: number): number {
  const negative = y < 0 || Object.is(y, -0);
  return negative ? -Math.abs(x) : Math.abs(x);
}

/** [mantissa in [0.5, 1), exponent] with x = mantissa × 2^exponent. */
export function frexp(x: number): [number, number] {
  if (x === 0 || !Number.isFinite(x)) return [x, 0];
  let scaled = x;
  let offset = 0;
  if (Math.abs(x) < 2.2250738585072014e-308) {
    scaled = x * 2 ** 54;
    offset = -54;
  }
  VIEW.setFloat64(0, scaled);
  const exponent = ((VIEW.getUint16(0) >> 4) & 0x7ff) - 1022;
  return [scaled / 2 ** exponent, exponent + offset];
}

/** [fractional part, integral part], both with the sign of x. */
export function modf(x: number): [number, number] {
  if (!Number.isFinite(x)) return [Number.isNaN(x) ? x : copysign(0, x), x];
  const whole = Math.trunc(x);
  return [copysign(x - whole, x), whole];
}

export function logb(x: number): number {
  if (x === 0) return Number.NEGATIVE_INFINITY;
  if (!Number.isFinite(x)) return x * x;
  return frexp(x)[1] - 1;
}

export function significand(x: number): number {
  return x === 0 || !Number.isFinite(x) ? x : frexp(x)[0] * 2;
}

/** x × 2^n in two factors, so that neither overflows on its own. */
export function ldexp(x: number, n: number): number {
  if (Number.isNaN(n)) return Number.NaN;
  let exponent = Math.max(-2200, Math.min(2200, Math.trunc(n)));
  let result = x;
  while (exponent > 1000) {
    result *= 2 ** 1000;
    exponent -= 1000;
  }
  while (exponent < -1000) {
    result *= 2 ** -1000;
    exponent += 1000;
  }
  return result * 2 ** exponent;
}

export function scalb(x: number, n: number): number {
  if (n === Number.POSITIVE_INFINITY) return x * n;
  if (n === Number.NEGATIVE_INFINITY) return x / -n;
  return Number.isInteger(n) ? ldexp(x, n) : Number.NaN;
}

/** C's pow: 1 to any power and anything to the power 0 are 1, NaN included. */
export function pow(x: number, y: number): number {
  if (x === 1 || y === 0) return 1;
  if (x === -1 && (y === Number.POSITIVE_INFINITY || y === Number.NEGATIVE_INFINITY)) return 1;
  return x ** y;
}

/** Powers of two exactly, for integers. */
export function exp2(x: number): number {
  return 2 ** x;
}

/** Powers of ten as a decimal literal reads them, for integers. */
export function exp10(x: number): number {
  return Number.isInteger(x) && Math.abs(x) < 400 ? Number(`1e${x}`) : 10 ** x;
}

export function remainder(x: number, y: number): number {
  if (y === 0 || !Number.isFinite(x) || Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
  if (!Number.isFinite(y)) return x;
  const size = Math.abs(y);
  const rest = Math.abs(x) % size;
  // The quotient rounds half to even: one more step down when the rest is past the middle, or on it and odd.
  const isOdd = Math.abs((Math.abs(x) - rest) / size) % 2 === 1;
  const half = size / 2;
  const nearest = rest > half || (rest === half && isOdd) ? rest - size : rest;
  return x < 0 || Object.is(x, -0) ? -nearest : nearest;
}

export function nextafter(x: number, y: number): number {
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
  if (x === y) return y;
  if (x === 0) return y > 0 ? Number.MIN_VALUE : -Number.MIN_VALUE;
  VIEW.setFloat64(0, x);
  const bits = VIEW.getBigInt64(0);
  const away = x < y === x > 0;
  VIEW.setBigInt64(0, away ? bits + 1n : bits - 1n);
  return VIEW.getFloat64(0);
}

/** x·y + z with one rounding, by splitting the product into two doubles. */
export function fma(x: number, y: number, z: number): number {
  const product = x * y;
  if (!Number.isFinite(product) || !Number.isFinite(z) || Math.abs(product) < 1e-290 || Math.abs(product) > 1e290) {
    return product + z;
  }
  const split = (a: number): [number, number] => {
    const c = 134_217_729 * a;
    const high = c - (c - a);
    return [high, a - high];
  };
  const [xh, xl] = split(x);
  const [yh, yl] = split(y);
  const error = xl * yl - (product - xh * yh - xl * yh - xh * yl);
  const sum = product + z;
  const part = sum - product;
  return sum + (product - (sum - part) + (z - part) + error);
}

const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
] as const;

/** Relative error about 1e-15 away from the zeros. */
export function lgamma(x: number): number {
  if (Number.isNaN(x)) return x;
  if (!Number.isFinite(x)) return Number.POSITIVE_INFINITY;
  if (x <= 0 && Number.isInteger(x)) return Number.POSITIVE_INFINITY;
  if (x === 1 || x === 2) return 0;
  if (x < 0.5) return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * x))) - lgamma(1 - x);
  if (Number.isInteger(x) && x <= 171) return Math.log(factorial(x - 1));
  if (x > 20) {
    const inverse = 1 / (x * x);
    const series = (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse * (1 / 1680 - inverse / 1188)))) / x;
    return (x - 0.5) * Math.log(x) - x + 0.9189385332046728 + series;
  }
  const at = x - 1;
  let sum: number = LANCZOS[0];
  for (let term = 1; term < LANCZOS.length; term++) sum += (LANCZOS[term] ?? 0) / (at + term);
  const t = at + 7.5;
  return 0.9189385332046728 + (at + 0.5) * Math.log(t) - t + Math.log(sum);
}

export function gammaSign(x: number): number {
  if (x > 0 || Number.isNaN(x)) return 1;
  if (x === 0) return Object.is(x, -0) ? -1 : 1;
  return Number.isInteger(x) || Math.floor(x) % 2 === 0 ? 1 : -1;
}

function factorial(n: number): number {
  let product = 1;
  for (let factor = 2; factor <= n; factor++) product *= factor;
  return product;
}

export function tgamma(x: number): number {
  if (x === 0) return 1 / x;
  if (Number.isNaN(x) || x === Number.NEGATIVE_INFINITY) return Number.NaN;
  if (Number.isInteger(x)) {
    if (x < 0) return Number.NaN;
    if (x <= 171) return factorial(x - 1);
  }
  if (x > 172) return Number.POSITIVE_INFINITY;
  if (x < 0.5) return Math.PI / (Math.sin(Math.PI * x) * tgamma(1 - x));
  return Math.exp(lgamma(x));
}

/** Series below 2.5, continued fraction above; about 1e-15. */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  const size = Math.abs(x);
  if (size > 6) return Math.sign(x);
  return size < 2.5 ? erfSeries(x) : Math.sign(x) * (1 - erfcFraction(size));
}

export function erfc(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x < 0) return 2 - erfc(-x);
  return x < 2.5 ? 1 - erfSeries(x) : x > 27.3 ? 0 : erfcFraction(x);
}

function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 200; n++) {
    term *= (-x * x) / n;
    const part = term / (2 * n + 1);
    sum += part;
    if (Math.abs(part) < Math.abs(sum) * 1e-17) break;
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

function erfcFraction(x: number): number {
  let fraction = 0;
  for (let n = 120; n > 0; n--) fraction = n / 2 / (x + fraction);
  return Math.exp(-x * x) / ((x + fraction) * Math.sqrt(Math.PI));
}

const SIMPSON_STEPS = 2000;

function integrate(f: (t: number) => number, from: number, to: number): number {
  const width = (to - from) / SIMPSON_STEPS;
  let sum = f(from) + f(to);
  for (let at = 1; at < SIMPSON_STEPS; at++) sum += f(from + at * width) * (at % 2 === 0 ? 2 : 4);
  return (sum * width) / 3;
}

/** Bessel function of the first kind from its integral; about 1e-14 for moderate arguments. */
export function besselJ(order: number, x: number): number {
  if (Number.isNaN(x) || Number.isNaN(order)) return Number.NaN;
  if (!Number.isFinite(x)) return 0;
  if (x === 0) return order === 0 ? 1 : 0;
  if (Math.abs(x) > 5000) {
    return Math.sqrt(2 / (Math.PI * Math.abs(x))) * Math.cos(Math.abs(x) - (order * Math.PI) / 2 - Math.PI / 4);
  }
  return integrate((t) => Math.cos(order * t - x * Math.sin(t)), 0, Math.PI) / Math.PI;
}

/** Bessel function of the second kind; about 1e-9. */
export function besselY(order: number, x: number): number {
  if (Number.isNaN(x) || x < 0) return Number.NaN;
  if (x === 0) return Number.NEGATIVE_INFINITY;
  if (!Number.isFinite(x)) return 0;
  if (order < 0) return (order % 2 === 0 ? 1 : -1) * besselY(-order, x);
  if (x > 5000) return Math.sqrt(2 / (Math.PI * x)) * Math.sin(x - (order * Math.PI) / 2 - Math.PI / 4);
  if (order > 1) return forwardY(order, x);
  const oscillating = integrate((t) => Math.sin(x * Math.sin(t) - order * t), 0, Math.PI) / Math.PI;
  const limit = Math.asinh(750 / x);
  const sign = order % 2 === 0 ? 1 : -1;
  const decaying = (t: number): number =>
    (Math.exp(order * t - x * Math.sinh(t)) + sign * Math.exp(-order * t - x * Math.sinh(t))) / Math.PI;
  return oscillating - integrate(decaying, 0, limit);
}

function forwardY(order: number, x: number): number {
  let before = besselY(0, x);
  let at = besselY(1, x);
  for (let n = 1; n < Math.min(order, 1000); n++) [before, at] = [at, ((2 * n) / x) * at - before];
  return at;
}
