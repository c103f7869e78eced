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

/** erfc(x) e^(x^2) from 1 to 8 and beyond, as quotients of polynomials in x, lowest power first (Cephes, ndtr.c). */
const tails = {
  near: {
    top: [
      557.535335369399327526, 1027.55188689515710272, 934.52852717195760754, 526.445194995477358631,
      196.520832956077098242, 48.6371970985681366614, 7.46321056442269912687, 0.564189564831068821977,
      2.46196981473530512524e-10,
    ],
    bottom: [
      557.535340817727675546, 1656.66309194161350182, 2246.33760818710981792, 1823.90916687909736289,
      975.708501743205489753, 354.937778887819891062, 86.7072140885989742329, 13.2281951154744992508, 1,
    ],
  },
  far: {
    top: [
      2.9788666537210024067, 7.4097426995044893916, 6.16021097993053585195, 5.01905042251180477414,
      1.27536670759978104416, 0.564189583547755073984,
    ],
    bottom: [
      3.3690764510008151605, 9.60896809063285878198, 17.0814450747565897222, 12.0489539808096656605,
      9.39603524938001434673, 2.2605286322011727659, 1,
    ],
  },
} as const;

/** 1 - erf below 1, else the tail; in f64 for either precision. */
export function erfc(b: Builder, x: Value): Value {
  if (x.type.element === "f32") return b.resizeFloat(erfc(b, b.resizeFloat(x, "f64")), "f32");
  const constant = (value: number): Value => b.constant(x.type, value);
  // Beyond 28 the result is 0; a NaN stays.
  const a = b.min(b.abs(x), constant(28));
  const quotient = ({ top, bottom }: (typeof tails)["near" | "far"]): Value =>
    b.div(polynomial(b, a, top), polynomial(b, a, bottom));
  const ratio = b.select(b.compare("lt", a, constant(8)), quotient(tails.near), quotient(tails.far));
  // a = s + rest with an s whose square is exact: e^(-a^2) = e^(-s^2) e^((s - a)(s + a)), or the rounding of a^2 would show.
  const s = b.mul(b.roundEven(b.mul(a, constant(16))), constant(1 / 16));
  const power = b.mul(exp(b, b.neg(b.mul(s, s))), exp(b, b.mul(b.sub(s, a), b.add(s, a))));
  const tail = b.mul(power, ratio);
  const beyond = b.select(b.compare("lt", x, constant(0)), b.sub(constant(2), tail), tail);
  return b.select(b.compare("lt", a, constant(1)), b.sub(constant(1), erf(b, x)), beyond);
}
