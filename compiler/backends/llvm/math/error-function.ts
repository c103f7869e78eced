import type { Builder } from "../builder.js";
import type { Value } from "../value.js";
import { formatOf, polynomial } from "./common.js";
import { expInRange } from "./exponential.js";

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
      0.12837916649984844784, -0.37612632444143535706, 0.11283676102523890062, -0.0268583437448652172,
      0.0051984623035955478264, -0.00081140445772875316545, 0.000082509888969160676049,
    ],
    large: [
      -1.1286484854474035009, -0.63515133273054254117, -0.10623685719398970783, 0.023762052038212833485,
      -0.0036424575365416679452, 0.00032280446991921018885, -0.000011231469466156179513,
    ],
    centre: 0,
    limit: 4,
  },
  f64: {
    split: 1,
    small: [
      0.12837916709551256464, -0.37612638903183493479, 0.11283791670943082585, -0.02686617064293022528,
      0.0052239776045942853933, -0.00085483258547362791458, 0.0001205529130758100076, -0.000014924668056623876274,
      1.6446578571067073451e-6, -1.6202030316458073287e-7, 1.3692263991947666599e-8, -7.7442113361050510342e-10,
    ],
    large: [
      -3.1227261090909043095, -0.89198185675821928972, -0.020764750706535620109, 0.0039626711872737058716,
      -0.00071887771368099139477, 0.00011917806246752574604, -0.000016858906994383181815, 1.6412203311992168847e-6,
      5.1107597803892370529e-8, -8.282051657800375284e-8, 2.8085958440910122033e-8, -6.8690076671023740213e-9,
      1.339928787687265485e-9, -1.9631027940576125945e-10, 1.5070734765058368937e-11, 2.5193537483246010003e-12,
      -1.994854529896541691e-12, 7.6998598692220534574e-13, -1.5959547606999917371e-13, 1.3215837406729921621e-14,
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
