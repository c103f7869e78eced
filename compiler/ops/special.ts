/**
 * The error function in double precision (below 1 ulp), after s_erf.c of FreeBSD's msun (fdlibm):
 *   Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved.
 *   Developed at SunPro, a Sun Microsystems, Inc. business. Permission to use, copy, modify, and distribute this software
 *   is freely granted, provided that this notice is preserved.
 * Rational approximations on |x| < 0.84375, < 1.25, < 1/0.35, < 6; the coefficients are those of the original, lowest first.
 */
const efx = 1.2837916709551258632e-1; // 2 / sqrt(pi) - 1
const erx = 8.45062911510467529297e-1; // erf(1), rounded to float

const pp = [
  1.28379167095512558561e-1, -3.2504210724700149937e-1, -2.84817495755985104766e-2, -5.77027029648944159157e-3,
  -2.37630166566501626084e-5,
];
const qq = [
  1, 3.97917223959155352819e-1, 6.50222499887672944485e-2, 5.08130628187576562776e-3, 1.32494738004321644526e-4,
  -3.9602282787753681232e-6,
];
const pa = [
  -2.36211856075265944077e-3, 4.14856118683748331666e-1, -3.72207876035701323847e-1, 3.18346619901161753674e-1,
  -1.10894694282396677476e-1, 3.54783043256182359371e-2, -2.166375594868790843e-3,
];
const qa = [
  1, 1.06420880400844228286e-1, 5.40397917702171048937e-1, 7.18286544141962662868e-2, 1.26171219808761642112e-1,
  1.36370839120290507362e-2, 1.1984499846799107417e-2,
];
const ra = [
  -9.86494403484714822705e-3, -6.93858572707181764372e-1, -1.05586262253232909814e1, -6.23753324503260060396e1,
  -1.62396669462573470355e2, -1.84605092906711035994e2, -8.12874355063065934246e1, -9.81432934416914548592,
];
const sa = [
  1, 1.96512716674392571292e1, 1.376577541435190426e2, 4.34565877475229228821e2, 6.45387271733267880336e2,
  4.29008140027567833386e2, 1.08635005541779435134e2, 6.57024977031928170135, -6.04244152148580987438e-2,
];
const rb = [
  -9.86494292470009928597e-3, -7.99283237680523006574e-1, -1.77579549177547519889e1, -1.60636384855821916062e2,
  -6.37566443368389627722e2, -1.02509513161107724954e3, -4.83519191608651397019e2,
];
const sb = [
  1, 3.03380607434824582924e1, 3.25792512996573918826e2, 1.53672958608443695994e3, 3.19985821950859553908e3,
  2.55305040643316442583e3, 4.74528541206955367215e2, -2.24409524465858183362e1,
];

/**
 * erfc, for code that computes it as this evaluator does: of magnitudes a from 0.84375 to 1.25 it is 1 - erx - P(a - 1) / Q(a - 1), from
 * there on exp(-a^2 - 0.5625 + P(1 / a^2) / Q(1 / a^2)) / a, with one pair of polynomials to 1 / 0.35 and another to 28.
 */
export const complementTable = {
  erx,
  middle: { from: 0.84375, top: pa, bottom: qa },
  near: { from: 1.25, top: ra, bottom: sa },
  far: { from: 1 / 0.35, top: rb, bottom: sb },
} as const;

const words = new DataView(new ArrayBuffer(8));

/** erf(x): odd, 1 and -1 at the infinities, NaN at NaN. */
export function erf(x: number): number {
  if (Number.isNaN(x)) return Number.NaN;
  const magnitude = Math.abs(x);
  if (magnitude < 0.84375) {
    if (magnitude < 2 ** -28) return x + efx * x;
    const z = x * x;
    return x + x * (polynomial(pp, z) / polynomial(qq, z));
  }
  const sign = x < 0 ? -1 : 1;
  if (magnitude < 1.25) {
    const s = magnitude - 1;
    return sign * (erx + polynomial(pa, s) / polynomial(qa, s));
  }
  return magnitude >= 6 ? sign : sign * (1 - upperTail(magnitude));
}

/** 1 - erf(x), to about 1 ulp wherever it is. */
export function erfc(x: number): number {
  if (Number.isNaN(x)) return Number.NaN;
  if (x < 0.25) return 1 - erf(x);
  if (x < 0.84375) {
    const z = x * x;
    return 0.5 - (x * (polynomial(pp, z) / polynomial(qq, z)) + (x - 0.5));
  }
  if (x < 1.25) return 1 - erx - polynomial(pa, x - 1) / polynomial(qa, x - 1);
  return x >= 28 ? 0 : upperTail(x);
}

/** 1 - erf(x) from 1.25 on. */
function upperTail(magnitude: number): number {
  const s = 1 / (magnitude * magnitude);
  const ratio = magnitude < 1 / 0.35 ? polynomial(ra, s) / polynomial(sa, s) : polynomial(rb, s) / polynomial(sb, s);
  const head = upperHalf(magnitude);
  // exp(-x^2) in two factors, so that x^2 is not rounded before exp: (head - x)(head + x) is the rest of -x^2.
  const tail = Math.exp(-head * head - 0.5625) * Math.exp((head - magnitude) * (head + magnitude) + ratio);
  return tail / magnitude;
}

/** x with the low 32 bits of its significand cleared. */
function upperHalf(x: number): number {
  words.setFloat64(0, x);
  words.setUint32(4, 0);
  return words.getFloat64(0);
}

function polynomial(coefficients: readonly number[], x: number): number {
  let sum = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) sum = sum * x + (coefficients[i] as number);
  return sum;
}
