import type { KernelFunction } from "./math.js";

/**
 * An op on the bits of integers up to 2^24 either way, by halves of 12 and 14 bits as two's complement has them: gpu.js has no such
 * ops of negative numbers on GL, and f32 would lose the last bit of a number with a 25th.
 */
function bitwise(name: string, sign: "&" | "|" | "^"): KernelFunction {
  return {
    name,
    calls: [],
    source: `function ${name}(x, y) {
  let u = Math.floor(x / 4096);
  let v = Math.floor(y / 4096);
  const low = (x - u * 4096) ${sign} (y - v * 4096);
  if (u < 0) { u = u + 16384; }
  if (v < 0) { v = v + 16384; }
  let high = u ${sign} v;
  if (high >= 8192) { high = high - 16384; }
  return high * 4096 + low;
}`,
  };
}

/** Whole numbers as f32: quotients, remainders, roundings, and the ways of narrow integers. */
export const wholeFunctions: readonly KernelFunction[] = [
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
    calls: ["exact_rest", "is_infinite", "is_number"],
    // The rounded quotient may be the whole number above the exact one. Beyond 2^23 every f32 is whole, and stands.
    source: `function floor_quotient(u, v) {
  if (is_number(u) < 0.5) { return u; }
  if (is_number(v) < 0.5) { return v; }
  let q = Math.floor(u / v);
  if (is_infinite(v) > 0.5 && is_infinite(u) < 0.5) {
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
    calls: ["not_a_number"],
    // Long division, of which each step is exact: |x| less the divisor times each power of two that fits.
    source: `function far_remainder(x, d) {
  if (d == 0) { return not_a_number(x); }
  if (!(Math.abs(x) <= 3.4028234663852886e38) || !(Math.abs(d) <= 3.4028234663852886e38)) { return not_a_number(x); }
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
    calls: ["floor_quotient", "far_remainder", "is_infinite", "is_number"],
    // The sign of the divisor, as Python has it.
    source: `function float_modulo(x, d) {
  if (is_number(x) < 0.5) { return x; }
  if (is_number(d) < 0.5) { return d; }
  if (is_infinite(d) > 0.5 && is_infinite(x) < 0.5) {
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
  bitwise("bit_and", "&"),
  bitwise("bit_or", "|"),
  bitwise("bit_xor", "^"),
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
