import { isFloat, type NumericDType } from "../../../ir/dtype.js";
import type { Builder } from "../builder.js";
import { i64, typeOf } from "../types.js";
import type { Value } from "../value.js";
import { statusWords } from "./block.js";
import { signednessOf } from "./scalar.js";

/**
 * Records a failed check where any lane of `bad` is set, unless one of a lower number is recorded: numbers follow the order of the
 * graph, so that what is reported is the cause and not its consequence. One of the offending values is left beside it.
 */
export function emitFailure(
  b: Builder,
  status: Value,
  failure: number,
  bad: Value,
  value: Value,
  dtype: NumericDType,
): void {
  const slot = (word: number): Value => b.offsetElements(status, "i64", word);
  b.ifElse(b.anyLane(bad), () => {
    const earlier = b.load(i64, slot(statusWords.failure));
    // Less one, as unsigned numbers: no failure becomes the largest.
    const none = b.sub(earlier, b.index(1));
    b.ifElse(b.compare("gt", none, b.index(failure), "unsigned"), () => {
      b.store(b.index(failure + 1), slot(statusWords.failure));
      b.store(offending(b, bad, value, dtype), slot(statusWords.value));
    });
  });
}

/** The largest of the offending values; of floats, the bits of one of them as f64. */
function offending(b: Builder, bad: Value, value: Value, dtype: NumericDType): Value {
  const wide = isFloat(dtype)
    ? b.bitsOf(b.resizeFloat(value, "f64"))
    : dtype === "i64"
      ? value
      : b.resizeInteger(value, "i64", signednessOf(dtype));
  const least = b.constant(typeOf("i64", wide.type.lanes), -(2n ** 63n));
  return b.reduce("max", b.select(bad, wide, least));
}
