import { complementTable } from "../../../ops/special.js";
import type { Builder } from "../builder.js";
import type { Value } from "../value.js";
import { formatOf, polynomial } from "./common.js";
import { exp, expInRange } from "./exponential.js";

interface ErrorFunctionTable {
  /** Up to it the odd series serves. */
  readonly split: number;
  /** (erf x - x) / x in powers of x^2 on |x| < split: minimax, relative. */
  readonly small: readonly number[];
  /** log(1 - erf t) / t in powers of t - centre, for t between split and limit: minimax, relative to erf t. */
  readonly large: readonly number[];
  readonly centre: number;
  /** From it on the result rounds to 1. */
  readonly limit: number;
}

const tables: Readonly<Record<"f32" | "f64", ErrorFunctionTable>> = {
  f32: {
    split: 0.93,
    small: [
      0.12837916649984846, -0.37612632444143534, 0.1128367610252389, -0.026858343744865218, 0.005198462303595548,
      -0.0008114044577287532, 8.250988896916067e-5,
    ],
    large: [
      -1.1286484854474035, -0.6351513327305426, -0.1062368571939897, 0.023762052038212834, -0.003642457536541668,
      0.0003228044699192102, -1.123146946615618e-5,
    ],
    centre: 0,
    limit: 4,
  },
  f64: {
    split: 1,
    small: [
      0.12837916709551256, -0.37612638903183493, 0.11283791670943083, -0.026866170642930225, 0.0052239776045942855,
      -0.0008548325854736279, 0.00012055291307581001, -1.4924668056623877e-5, 1.6446578571067073e-6,
      -1.6202030316458073e-7, 1.3692263991947667e-8, -7.744211336105051e-10,
    ],
    large: [
      -3.1227261090909044, -0.8919818567582193, -0.02076475070653562, 0.003962671187273706, -0.0007188777136809914,
      0.00011917806246752574, -1.685890699438318e-5, 1.6412203311992169e-6, 5.110759780389237e-8, -8.282051657800376e-8,
      2.808595844091012e-8, -6.869007667102374e-9, 1.3399287876872654e-9, -1.9631027940576125e-10,
      1.507073476505837e-11, 2.519353748324601e-12, -1.9948545298965416e-12, 7.699859869222054e-13,
      -1.5959547606999918e-13, 1.3215837406729922e-14,
    ],
    centre: 2.5,
    limit: 6,
  },
};

/** erf by its odd series for small |x|, else 1 - e^(t Q(t)), whose second term is small where its exponent is rough. */
export function erf(b: Builder, x: Value): Value {
  const table = tables[formatOf(x).element];
  const constant = (value: number): Value => b.constant(x.type, value);
  const series = polynomial(b, b.mul(x, x), table.small);
  // Where x times the series would be flushed to zero, only the fused sum is right; without it the factor is summed first.
  const small = b.target.fma ? b.fma(x, series, x) : b.mul(x, b.add(series, constant(1)));
  const magnitude = b.abs(x);
  const bounded = b.min(magnitude, constant(table.limit));
  const offset = table.centre === 0 ? bounded : b.sub(bounded, constant(table.centre));
  const exponent = b.mul(bounded, polynomial(b, offset, table.large));
  const large = b.copySign(b.sub(constant(1), expInRange(b, exponent)), x);
  const isLarge = b.compare("ge", magnitude, constant(table.split));
  return b.select(isLarge, large, small);
}

/** As the reference's, after fdlibm (`ops/special.ts`), but for the series of erf near 0; in f64 for either precision. */
export function erfc(b: Builder, x: Value): Value {
  if (x.type.element === "f32") return b.resizeFloat(erfc(b, b.resizeFloat(x, "f64")), "f32");
  const { erx, middle, near, far } = complementTable;
  const constant = (value: number): Value => b.constant(x.type, value);
  // Beyond 28 the result is 0; a NaN stays.
  const a = b.min(b.abs(x), constant(28));
  const isFrom = ({ from }: { readonly from: number }): Value => b.compare("ge", a, constant(from));
  const [fromMiddle, fromNear, fromFar] = [isFrom(middle), isFrom(near), isFrom(far)];

  const inverse = b.div(constant(1), b.mul(a, a));
  const place = b.sub(a, constant(1));
  const chosen = (part: "top" | "bottom"): Value => {
    const tail = b.select(fromFar, polynomial(b, inverse, far[part]), polynomial(b, inverse, near[part]));
    return b.select(fromNear, tail, polynomial(b, place, middle[part]));
  };
  const ratio = b.div(chosen("top"), chosen("bottom"));

  // 1 - x is exact from 1/2 on, and below the rest is small.
  const series = polynomial(b, b.mul(a, a), tables.f64.small);
  const small = b.sub(b.sub(constant(1), a), b.mul(a, series));
  const medium = b.sub(constant(1 - erx), ratio);

  // a = s + rest, with an s of 26 bits whose square is exact, and a rest that is so small that its rounding does not show.
  const s = b.mul(b.roundEven(b.mul(a, constant(2 ** 21))), constant(2 ** -21));
  const head = exp(b, b.sub(b.neg(b.mul(s, s)), constant(0.5625)));
  const rest = exp(b, b.fma(b.sub(s, a), b.add(s, a), ratio));
  const large = b.div(b.mul(head, rest), a);

  const beyond = b.select(b.compare("ge", a, constant(28)), constant(0), large);
  const complement = b.select(fromNear, beyond, b.select(fromMiddle, medium, small));
  return b.select(b.compare("lt", x, constant(0)), b.sub(constant(2), complement), complement);
}
