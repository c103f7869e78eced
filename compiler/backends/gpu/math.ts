import { InternalError } from "../../ir/diagnostic.js";
import { randomFunctions } from "./random.js";

/**
 * Functions that kernels call, in the kernels' language (one function each, numbers alone, two-argument max). What devices have
 * of their own is too coarse: `expm1` and `log1p` there cancel, `tanh` overflows, `pow` of a negative number is NaN.
 */
export interface KernelFunction {
  readonly name: string;
  readonly calls: readonly string[];
  readonly source: string;
}

const functions: readonly KernelFunction[] = [
  {
    name: "quotient",
    calls: [],
    // Division is not exact everywhere: the remainder says by how much the quotient is off. Exact for integers below 2^24.
    source: `function quotient(x, d) {
  let q = Math.floor(x / d);
  const r = x - q * d;
  if (r < 0) { q = q - 1; }
  if (r >= d) { q = q + 1; }
  return q;
}`,
  },
  {
    name: "floor_division",
    calls: [],
    source: `function floor_division(x, d) {
  let q = Math.floor(x / d);
  const r = x - q * d;
  if (d > 0) {
    if (r < 0) { q = q - 1; }
    if (r >= d) { q = q + 1; }
  } else {
    if (r > 0) { q = q - 1; }
    if (r <= d) { q = q + 1; }
  }
  return q;
}`,
  },
  {
    name: "integer_modulo",
    calls: ["floor_division"],
    source: `function integer_modulo(x, d) {
  return x - floor_division(x, d) * d;
}`,
  },
  {
    name: "exact_rest",
    calls: [],
    // x - q d without the rounding of the product, whose error is found by splitting both factors (Dekker, 1971).
    source: `function exact_rest(x, q, d) {
  if (q == 0) { return x; }
  const p = q * d;
  const cq = 4097 * q;
  const qh = cq - (cq - q);
  const ql = q - qh;
  const cd = 4097 * d;
  const dh = cd - (cd - d);
  const dl = d - dh;
  const e = ((qh * dh - p) + qh * dl + ql * dh) + ql * dl;
  return (x - p) - e;
}`,
  },
  {
    name: "floor_quotient",
    calls: ["exact_rest"],
    // The rounded quotient may be the whole number above the exact one. Beyond 2^23 every f32 is whole, and stands.
    source: `function floor_quotient(u, v) {
  let q = Math.floor(u / v);
  if (Math.abs(v) == Infinity && Math.abs(u) < Infinity) {
    if ((u < 0 && v > 0) || (u > 0 && v < 0)) { return -1; }
    return q;
  }
  if (Math.abs(q) < 8388608) {
    let x = u;
    let d = v;
    if (Math.abs(v) > 1e30) {
      x = u * 9.313225746154785e-10;
      d = v * 9.313225746154785e-10;
    }
    let r = exact_rest(x, q, d);
    if (q == 0) { r = u; }
    if (d > 0) {
      if (r < 0) { q = q - 1; }
      if (r >= d && exact_rest(x, q + 1, d) >= 0) { q = q + 1; }
    } else {
      if (r > 0) { q = q - 1; }
      if (r <= d && exact_rest(x, q + 1, d) <= 0) { q = q + 1; }
    }
  }
  return q;
}`,
  },
  {
    name: "far_remainder",
    calls: [],
    // Long division, of which each step is exact: |x| less the divisor times each power of two that fits.
    source: `function far_remainder(x, d) {
  if (d == 0) { return (x - x) / d; }
  if (!(Math.abs(x) < Infinity) || !(Math.abs(d) < Infinity)) { return (x - x) + (d - d); }
  const m = Math.abs(d);
  let r = Math.abs(x);
  let t = m;
  for (let i = 0; i < 280; i++) {
    if (t * 2 <= r) { t = t * 2; }
  }
  for (let j = 0; j < 280; j++) {
    if (t >= m) {
      if (r >= t) { r = r - t; }
      t = t * 0.5;
    }
  }
  if (x < 0) { return -r; }
  return r;
}`,
  },
  {
    name: "float_modulo",
    calls: ["floor_quotient", "far_remainder"],
    // The sign of the divisor, as Python has it.
    source: `function float_modulo(x, d) {
  if (Math.abs(d) == Infinity && Math.abs(x) < Infinity) {
    if ((x < 0 && d > 0) || (x > 0 && d < 0)) { return d; }
    return x;
  }
  const q = floor_quotient(x, d);
  if (Math.abs(q) < 8388608 && Math.abs(d) < 1e30) { return exact_rest(x, q, d); }
  const r = far_remainder(x, d);
  if (r != 0 && ((r < 0 && d > 0) || (r > 0 && d < 0))) { return r + d; }
  return r;
}`,
  },
  {
    name: "round_even",
    calls: [],
    source: `function round_even(x) {
  const f = Math.floor(x);
  const d = x - f;
  if (d < 0.5) { return f; }
  if (d > 0.5) { return f + 1; }
  if (f - 2 * Math.floor(f / 2) == 0) { return f; }
  return f + 1;
}`,
  },
  {
    name: "truncate",
    calls: [],
    source: `function truncate(x) {
  if (x < 0) { return -Math.floor(-x); }
  return Math.floor(x);
}`,
  },
  {
    name: "to_integer",
    calls: ["truncate"],
    // NaN compares with nothing, and gives 0.
    source: `function to_integer(x, low, high) {
  if (x <= low) { return low; }
  if (x >= high) { return high; }
  if (x <= 0 || x > 0) { return truncate(x); }
  return 0;
}`,
  },
  {
    name: "wrap",
    calls: [],
    // Into [low, low + size), as integers of few bits wrap round.
    source: `function wrap(x, low, size) {
  const y = x - low;
  return y - Math.floor(y / size) * size + low;
}`,
  },
  {
    name: "exp_less_one",
    calls: [],
    // Its series near 0, where exp(x) - 1 cancels.
    source: `function exp_less_one(x) {
  if (Math.abs(x) < 0.35) {
    return x * (1 + x * (0.5 + x * (0.16666667 + x * (0.041666668 + x * (0.008333334 + x * (0.0013888889 + x * 0.0001984127))))));
  }
  return Math.exp(x) - 1;
}`,
  },
  {
    name: "log_of_one_more",
    calls: ["natural_log"],
    // 2 artanh(x / (2 + x)) near 0: no digit of x is lost to the 1.
    source: `function log_of_one_more(x) {
  if (Math.abs(x) < 0.35) {
    const s = x / (2 + x);
    const z = s * s;
    return 2 * s * (1 + z * (0.33333334 + z * (0.2 + z * (0.14285715 + z * 0.11111111))));
  }
  return natural_log(1 + x);
}`,
  },
  {
    name: "natural_log",
    calls: [],
    // Devices' own is off by 2 % near 1.
    source: `function natural_log(x) {
  if (x > 0.7 && x < 1.4) {
    const s = (x - 1) / (x + 1);
    const z = s * s;
    return 2 * s * (1 + z * (0.33333334 + z * (0.2 + z * (0.14285715 + z * (0.11111111 + z * 0.09090909)))));
  }
  return Math.log(x);
}`,
  },
  {
    name: "hyperbolic_tangent",
    calls: ["exp_less_one"],
    // Beyond 9 it is 1 to the last bit; (e^2x - 1) / (e^2x + 1) would be inf / inf.
    source: `function hyperbolic_tangent(x) {
  if (x > 9.1) { return 1; }
  if (x < -9.1) { return -1; }
  const e = exp_less_one(2 * Math.abs(x));
  const t = e / (e + 2);
  if (x < 0) { return -t; }
  if (x == 0) { return x; }
  return t;
}`,
  },
  {
    name: "logistic",
    calls: [],
    source: `function logistic(x) {
  if (x < 0) {
    const e = Math.exp(x);
    return e / (1 + e);
  }
  return 1 / (1 + Math.exp(-x));
}`,
  },
  {
    name: "complementary_error",
    calls: [],
    // Chebyshev fit of Numerical Recipes (3rd edition, section 6.2.2), to the digits of f32.
    source: `function complementary_error(x) {
  const z = Math.abs(x);
  const t = 2 / (2 + z);
  const p = -1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806 + t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277))))))));
  let r = 0.0;
  if (!(z >= 10.5)) { r = t * Math.exp(p - z * z); }
  if (x < 0) { return 2 - r; }
  return r;
}`,
  },
  {
    name: "error_function",
    calls: ["complementary_error"],
    // The series of Abramowitz and Stegun 7.1.6 near 0, where 1 - erfc cancels.
    source: `function error_function(x) {
  if (Math.abs(x) < 1) {
    const z = 2 * x * x;
    const s = 1 + z * (0.33333334 + z * (0.06666667 + z * (0.00952381 + z * (0.0010582011 + z * (0.0000962001 + z * (0.0000074 + z * (0.00000049333 + z * 0.000000029019)))))));
    return 1.1283792 * x * Math.exp(-x * x) * s;
  }
  return 1 - complementary_error(x);
}`,
  },
  {
    name: "cube_root",
    calls: [],
    source: `function cube_root(x) {
  const z = Math.abs(x);
  if (z == 0 || z == Infinity) { return x; }
  let r = Math.exp(Math.log(z) / 3);
  r = r - (r - z / (r * r)) / 3;
  r = r - (r - z / (r * r)) / 3;
  if (x < 0) { return -r; }
  return r;
}`,
  },
  {
    name: "power",
    calls: [],
    source: `function power(x, y) {
  if (y == 0 || x == 1 || (x == -1 && Math.abs(y) == Infinity)) { return 1; }
  if (Math.abs(y) == Infinity) { return Math.pow(Math.abs(x), y); }
  if (x >= 0 || y - Math.floor(y) != 0) { return Math.pow(x, y); }
  const r = Math.pow(-x, y);
  if (y - 2 * Math.floor(y / 2) == 0) { return r; }
  return -r;
}`,
  },
  {
    name: "in_range",
    calls: [],
    source: `function in_range(x, limit) {
  if (x >= 0 && x < limit) { return x; }
  return 0;
}`,
  },
  {
    name: "from_end",
    calls: [],
    source: `function from_end(x, limit) {
  if (x < 0) { return x + limit; }
  return x;
}`,
  },
];

const byName: ReadonlyMap<string, KernelFunction> = new Map(
  [...functions, ...randomFunctions].map((one) => [one.name, one]),
);

/** The sources of functions and of all that they call, callees first. */
export function sourcesOf(names: Iterable<string>): readonly string[] {
  const found = new Map<string, string>();
  const visit = (name: string): void => {
    if (found.has(name)) return;
    const known = byName.get(name);
    if (known === undefined) throw new InternalError(`kernels have no function ${name}`);
    for (const callee of known.calls) visit(callee);
    found.set(name, known.source);
  };
  for (const name of names) visit(name);
  return [...found.values()];
}
