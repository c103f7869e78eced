/**
 * Elementary functions in fixed-point big integers, from their plain series: slow, and independent of every libm and of the
 * code under test.
 */
export interface Exact {
  /** The value is fixed x 2^(scale - bits). */
  readonly fixed: bigint;
  readonly bits: number;
  readonly scale: number;
}

const view = new DataView(new ArrayBuffer(8));

/** A finite double as mantissa x 2^exponent, exactly. */
export function parts(x: number): { readonly mantissa: bigint; readonly exponent: number } {
  view.setFloat64(0, x);
  const pattern = view.getBigUint64(0);
  const field = Number((pattern >> 52n) & 0x7ffn);
  const fraction = pattern & 0xfffffffffffffn;
  const mantissa = field === 0 ? fraction : fraction | (1n << 52n);
  return { mantissa: x < 0 ? -mantissa : mantissa, exponent: (field === 0 ? 1 : field) - 1075 };
}

function shift(value: bigint, by: number): bigint {
  return by >= 0 ? value << BigInt(by) : value >> BigInt(-by);
}

function toFixed(x: number, bits: number): bigint {
  const { mantissa, exponent } = parts(x);
  return shift(mantissa, exponent + bits);
}

/** artanh(1/n). */
function artanhOfInverse(n: bigint, bits: number): bigint {
  let power = (1n << BigInt(bits)) / n;
  let sum = power;
  for (let k = 3n; power !== 0n; k += 2n) {
    power /= n * n;
    sum += power / k;
  }
  return sum;
}

function arctanOfInverse(n: bigint, bits: number): bigint {
  let power = (1n << BigInt(bits)) / n;
  let sum = power;
  for (let k = 3n; power !== 0n; k += 2n) {
    power = -power / (n * n);
    sum += power / k;
  }
  return sum;
}

const known = new Map<string, bigint>();

function remember(name: string, bits: number, make: (bits: number) => bigint): bigint {
  const key = `${name} ${bits}`;
  const value = known.get(key) ?? make(bits + 32) >> 32n;
  known.set(key, value);
  return value;
}

const ln2 = (bits: number): bigint => remember("ln2", bits, (b) => 2n * artanhOfInverse(3n, b));
/** Machin: pi/4 = 4 arctan(1/5) - arctan(1/239). */
const halfPi = (bits: number): bigint =>
  remember("pi/2", bits, (b) => 2n * (4n * arctanOfInverse(5n, b) - arctanOfInverse(239n, b)));

function roundedQuotient(a: bigint, b: bigint): bigint {
  const double = 2n * a + b;
  const quotient = double / (2n * b);
  return double < 0n && double % (2n * b) !== 0n ? quotient - 1n : quotient;
}

/** e^x of a fixed-point x. */
function expFixed(x: bigint, bits: number): Exact {
  const n = roundedQuotient(x, ln2(bits));
  const r = x - n * ln2(bits);
  let term = 1n << BigInt(bits);
  let sum = term;
  for (let k = 1n; term !== 0n; k++) {
    term = ((term * r) >> BigInt(bits)) / k;
    if (term === -1n) break;
    sum += term;
  }
  return { fixed: sum, bits, scale: Number(n) };
}

function plain(value: Exact): bigint {
  return shift(value.fixed, value.scale);
}

/** log(mantissa x 2^exponent). */
function logFixed(mantissa: bigint, exponent: number, bits: number): bigint {
  const k = mantissa.toString(2).length;
  const one = 1n << BigInt(bits);
  const m = shift(mantissa, bits - k); // between 1/2 and 1
  return logRatio(m - one, m + one, bits) + BigInt(exponent + k) * ln2(bits);
}

/** 2 artanh(a / b) = log((b + a) / (b - a)), for |a / b| up to about a third. */
function logRatio(a: bigint, b: bigint, bits: number): bigint {
  const s = (a << BigInt(bits)) / b;
  const square = (s * s) >> BigInt(bits);
  let power = s;
  let sum = s;
  for (let j = 3n; power !== 0n && power !== -1n; j += 2n) {
    power = (power * square) >> BigInt(bits);
    sum += power / j;
  }
  return 2n * sum;
}

function logOf(x: number, bits: number): bigint {
  const { mantissa, exponent } = parts(x);
  return logFixed(mantissa, exponent, bits);
}

function sineFixed(x: bigint, bits: number, start: 0n | 1n): bigint {
  const square = (x * x) >> BigInt(bits);
  let term = start === 1n ? x : 1n << BigInt(bits);
  let sum = term;
  for (let k = start + 1n; term !== 0n && term !== -1n; k += 2n) {
    term = -((term * square) >> BigInt(bits)) / (k * (k + 1n));
    sum += term;
  }
  return sum;
}

function sineOf(x: number, turn: bigint): Exact {
  const wide = 1400;
  const bits = 300;
  const fixed = toFixed(x, wide);
  const n = roundedQuotient(fixed, halfPi(wide));
  const r = (fixed - n * halfPi(wide)) >> BigInt(wide - bits);
  const quadrant = (((n + turn) % 4n) + 4n) % 4n;
  const value = quadrant % 2n === 0n ? sineFixed(r, bits, 1n) : sineFixed(r, bits, 0n);
  return { fixed: quadrant >= 2n ? -value : value, bits, scale: 0 };
}

function ratio(top: bigint, bottom: bigint, bits: number): Exact {
  return { fixed: (top << BigInt(bits)) / bottom, bits, scale: 0 };
}

const bits = 400;
const one = 1n << BigInt(bits);

/** Each at a finite double within the function's domain (and, for tanh, sigmoid and erf, of at most 700). */
export const exact = {
  exp: (x: number): Exact => expFixed(toFixed(x, bits), bits),
  expm1: (x: number): Exact => ({ fixed: plain(expFixed(toFixed(x, bits), bits)) - one, bits, scale: 0 }),
  log: (x: number): Exact => ({ fixed: logOf(x, bits), bits, scale: 0 }),
  log1p: (x: number): Exact => {
    const fixed = toFixed(x, bits);
    // Near 1 the sum's logarithm would lose its relative precision.
    const isNear = Math.abs(x) < 0.5;
    const value = isNear ? logRatio(fixed, 2n * one + fixed, bits) : logFixed(one + fixed, -bits, bits);
    return { fixed: value, bits, scale: 0 };
  },
  sin: (x: number): Exact => sineOf(x, 0n),
  cos: (x: number): Exact => sineOf(x, 1n),
  tanh: (x: number): Exact => {
    const power = plain(expFixed(2n * toFixed(x, bits), bits));
    return ratio(power - one, power + one, bits);
  },
  sigmoid: (x: number): Exact => {
    const power = expFixed(toFixed(-x, bits), bits);
    const wide = 1400;
    const divisor = shift(power.fixed, power.scale + wide - bits) + (1n << BigInt(wide));
    return { fixed: (1n << BigInt(2 * wide)) / divisor, bits: wide, scale: 0 };
  },
  erf: (x: number): Exact => {
    if (Math.abs(x) > 8) return { fixed: x < 0 ? -one : one, bits, scale: 0 };
    return { fixed: erfFixed(x, bits), bits, scale: 0 };
  },
  cbrt: (x: number): Exact => {
    // The root of |x| 2^(3 bits) is that of |x|, times 2^bits.
    const { mantissa, exponent } = parts(Math.abs(x));
    const root = cubeRoot(shift(mantissa, exponent + 3 * wideBits));
    return { fixed: x < 0 ? -root : root, bits: wideBits, scale: 0 };
  },
  pow: (x: number, y: number): Exact => {
    const { mantissa, exponent } = parts(y);
    return expFixed(shift(mantissa * logOf(x, bits), exponent), bits);
  },
} as const;

/** 2 / sqrt(pi) times the alternating series, and the integer square root of pi. */
function erfFixed(x: number, bits: number): bigint {
  const fixed = toFixed(x, bits);
  const square = (fixed * fixed) >> BigInt(bits);
  let term = fixed;
  let sum = fixed;
  for (let k = 1n; term !== 0n && term !== -1n; k++) {
    term = -((term * square) >> BigInt(bits)) / k;
    sum += term / (2n * k + 1n);
  }
  const root = squareRoot((2n * halfPi(bits)) << BigInt(bits));
  return ((2n * sum) << BigInt(bits)) / root;
}

/** Up to 32, where erfc is about 2^-1480 and the series has terms of about 2^1480. */
export function exactErfc(x: number): Exact {
  const bits = 3200;
  return { fixed: (1n << BigInt(bits)) - erfFixed(x, bits), bits, scale: 0 };
}

/** Enough that the cube root of the least normal number has 80 bits. */
const wideBits = 430;

/** The whole part of the cube root, by Newton's iteration from above. */
function cubeRoot(n: bigint): bigint {
  let guess = 1n << BigInt(Math.floor(n.toString(2).length / 3) + 1);
  for (;;) {
    const next = (2n * guess + n / (guess * guess)) / 3n;
    if (next >= guess) return guess;
    guess = next;
  }
}

function squareRoot(n: bigint): bigint {
  let guess = 1n << BigInt((n.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (guess + n / guess) >> 1n;
    if (next >= guess) return guess;
    guess = next;
  }
}

/** How many units in the last place (of the exact value, `precision` bits) a finite result is off. */
export function unitsOff(result: number, value: Exact, precision: 24 | 53): number {
  if (value.fixed === 0n) return result === 0 ? 0 : Number.POSITIVE_INFINITY;
  const magnitude = value.fixed < 0n ? -value.fixed : value.fixed;
  const top = magnitude.toString(2).length + value.scale - value.bits; // 2^(top-1) <= |value| < 2^top
  const { mantissa, exponent } = parts(result);
  // Both in units of 2^(top - precision - 64), so that the difference keeps 64 bits below the unit.
  const unit = top - precision - 64;
  const got = shift(mantissa, exponent - unit);
  const want = shift(value.fixed, value.scale - value.bits - unit);
  const difference = got > want ? got - want : want - got;
  return Number(difference) / 2 ** 64;
}

/** The magnitude of an exact value as a power of two: floor(log2). */
export function exponentOf(value: Exact): number {
  const magnitude = value.fixed < 0n ? -value.fixed : value.fixed;
  return magnitude === 0n ? Number.NEGATIVE_INFINITY : magnitude.toString(2).length - 1 + value.scale - value.bits;
}
