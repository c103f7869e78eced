import { InternalError } from "../../ir/diagnostic.js";
import { randomFunctions } from "./random.js";
import { wholeFunctions } from "./whole.js";

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
    name: "is_number",
    calls: [],
    // A NaN is neither above nor below 0. Some devices let `x == x` pass for it, and their own functions make numbers of it.
    source: `function is_number(x) {
  if (x <= 0 || x > 0) { return 1; }
  return 0;
}`,
  },
  {
    name: "is_infinite",
    calls: [],
    // An infinity has no spelling that all devices know.
    source: `function is_infinite(x) {
  if (x == x * 0.5 && x != 0) { return 1; }
  return 0;
}`,
  },
  {
    name: "not_a_number",
    calls: [],
    // Of inf - inf and 0 / 0 some compilers make 0; a root is computed.
    source: `function not_a_number(x) {
  return Math.sqrt(-1 - Math.abs(x));
}`,
  },
  {
    name: "larger",
    calls: [],
    source: `function larger(x, y) {
  if (x >= y || !(x <= 0 || x > 0)) { return x; }
  return y;
}`,
  },
  {
    name: "smaller",
    calls: [],
    source: `function smaller(x, y) {
  if (x <= y || !(x <= 0 || x > 0)) { return x; }
  return y;
}`,
  },
  {
    name: "sign_of",
    calls: [],
    source: `function sign_of(x) {
  if (x > 0) { return 1; }
  if (x < 0) { return -1; }
  return x;
}`,
  },
  {
    name: "exponential",
    calls: [],
    source: `function exponential(x) {
  if (x <= 0 || x > 0) { return Math.exp(x); }
  return x;
}`,
  },
  {
    name: "arc_tangent_of_ratio",
    calls: [],
    // Mesa's own is off by 1e-5. From 0 to 1, by the polynomial of Cephes (Moshier, 1989), above tan(pi / 8) of (r - 1) / (r + 1).
    source: `function arc_tangent_of_ratio(r) {
  let s = r;
  let base = 0.0;
  if (r > 0.4142135623730950) {
    s = (r - 1) / (r + 1);
    base = 0.7853981633974483;
  }
  const z = s * s;
  return base + ((((0.0805374449538 * z - 0.138776856032) * z + 0.199777106478) * z - 0.333329491539) * z * s + s);
}`,
  },
  {
    name: "arc_tangent",
    calls: ["is_number", "is_infinite", "arc_tangent_of_ratio"],
    source: `function arc_tangent(y, x) {
  if (is_number(x) < 0.5) { return x; }
  if (is_number(y) < 0.5) { return y; }
  if (y == 0) {
    if (x > 0 || (x == 0 && 1 / x > 0)) { return y; }
    if (1 / y < 0) { return -3.1415927410125732; }
    return 3.1415927410125732;
  }
  const u = Math.abs(x);
  const v = Math.abs(y);
  let t = 0.0;
  if (is_infinite(u) > 0.5 && is_infinite(v) > 0.5) {
    t = 0.7853981633974483;
  } else if (v > u) {
    t = 1.5707963267948966 - arc_tangent_of_ratio(u / v);
  } else {
    t = arc_tangent_of_ratio(v / u);
  }
  if (x < 0) { t = 3.141592653589793 - t; }
  if (y < 0) { return -t; }
  return t;
}`,
  },
  {
    name: "sine_by_quadrant",
    calls: [],
    // Devices' own are off by 1e-4. Reduced by pi / 2 in three parts, polynomials of Cephes (Moshier, 1989).
    source: `function sine_by_quadrant(x, shift) {
  const k = Math.floor(x * 0.6366197723675814 + 0.5);
  const r = ((x - k * 1.5703125) - k * 0.0004837512969970703) - k * 7.549789954891882e-8;
  const z = r * r;
  const q = k + shift;
  const j = q - Math.floor(q * 0.25) * 4;
  let y = ((-0.00019515295891 * z + 0.0083321608736) * z - 0.16666654611) * z * r + r;
  if (j == 1 || j == 3) {
    y = ((0.00002443315711809948 * z - 0.001388731625493765) * z + 0.04166664568298827) * z * z - 0.5 * z + 1;
  }
  if (j >= 2) { return -y; }
  return y;
}`,
  },
  {
    name: "sine",
    calls: ["sine_by_quadrant"],
    source: `function sine(x) {
  if (Math.abs(x) < 8192) { return sine_by_quadrant(x, 0); }
  if (x <= 0 || x > 0) { return Math.sin(x); }
  return x;
}`,
  },
  {
    name: "cosine",
    calls: ["sine_by_quadrant"],
    source: `function cosine(x) {
  if (Math.abs(x) < 8192) { return sine_by_quadrant(x, 1); }
  if (x <= 0 || x > 0) { return Math.cos(x); }
  return x;
}`,
  },
  {
    name: "exp_less_one",
    calls: ["exponential"],
    // Its series near 0, where exp(x) - 1 cancels.
    source: `function exp_less_one(x) {
  if (Math.abs(x) < 0.35) {
    return x * (1 + x * (0.5 + x * (0.16666667 + x * (0.041666668 + x * (0.008333334 + x * (0.0013888889 + x * 0.0001984127))))));
  }
  return exponential(x) - 1;
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
  if (x < 0) { return Math.sqrt(x); }
  if (x == 0) { return -1 / Math.abs(x); }
  if (x > 0) { return Math.log(x); }
  return x;
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
    calls: ["exponential"],
    source: `function logistic(x) {
  if (x < 0) {
    const e = exponential(x);
    return e / (1 + e);
  }
  return 1 / (1 + exponential(-x));
}`,
  },
  {
    name: "complementary_error",
    calls: ["exponential"],
    // Chebyshev fit of Numerical Recipes (3rd edition, section 6.2.2), to the digits of f32. The square of 12 bits of z is exact.
    source: `function complementary_error(x) {
  const z = Math.abs(x);
  const t = 2 / (2 + z);
  const p = -1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806 + t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277))))))));
  let r = 0.0;
  const h = Math.floor(z * 256) / 256;
  if (!(z >= 10.5)) { r = t * exponential(-h * h) * exponential(p - (z - h) * (z + h)); }
  if (x < 0) { return 2 - r; }
  return r;
}`,
  },
  {
    name: "error_function",
    calls: ["complementary_error", "exponential"],
    // The series of Abramowitz and Stegun 7.1.6 near 0, where 1 - erfc cancels.
    source: `function error_function(x) {
  if (Math.abs(x) < 1) {
    const z = 2 * x * x;
    const s = 1 + z * (0.33333334 + z * (0.06666667 + z * (0.00952381 + z * (0.0010582011 + z * (0.0000962001 + z * (0.0000074 + z * (0.00000049333 + z * 0.000000029019)))))));
    return 1.1283792 * x * exponential(-x * x) * s;
  }
  return 1 - complementary_error(x);
}`,
  },
  {
    name: "cube_root",
    calls: ["exponential", "natural_log"],
    source: `function cube_root(x) {
  const z = Math.abs(x);
  if (z == z * 0.5) { return x; }
  let r = exponential(natural_log(z) / 3);
  r = r - (r - z / (r * r)) / 3;
  r = r - (r - z / (r * r)) / 3;
  if (x < 0) { return -r; }
  return r;
}`,
  },
  {
    name: "power",
    calls: ["is_number", "is_infinite"],
    source: `function power(x, y) {
  if (y == 0 || x == 1 || (x == -1 && is_infinite(y) > 0.5)) { return 1; }
  if (is_number(x) < 0.5) { return x; }
  if (is_number(y) < 0.5) { return y; }
  if (is_infinite(y) > 0.5) {
    if ((Math.abs(x) > 1 && y > 0) || (Math.abs(x) < 1 && y < 0)) { return Math.abs(y); }
    return 0;
  }
  if (x == 0 && y < 0) {
    if (y - Math.floor(y) == 0 && y - 2 * Math.floor(y / 2) == 1) { return 1 / x; }
    return 1 / Math.abs(x);
  }
  if (x == 0 && y < 1) { return Math.abs(x); }
  if (x >= 0 && is_infinite(x) < 0.5) { return Math.pow(x, y); }
  const m = Math.abs(x);
  let r = 0.0;
  if (is_infinite(x) < 0.5) {
    if (y - Math.floor(y) != 0) { return Math.sqrt(x); }
    r = Math.pow(m, y);
  } else if (y > 0) {
    r = m;
  }
  if (x < 0 && y - 2 * Math.floor(y / 2) == 1) { return -r; }
  return r;
}`,
  },
];

const byName: ReadonlyMap<string, KernelFunction> = new Map(
  [...functions, ...wholeFunctions, ...randomFunctions].map((one) => [one.name, one]),
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
