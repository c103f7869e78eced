import { isInteger, type NumericDType } from "../../ir/dtype.js";
import { isTensor, type Node, type Value } from "../../ir/node.js";
import { elementCount } from "../../ir/tensor.js";
import { staticShape } from "../../ir/type.js";
import { numericDType } from "../../ops/precision.js";
import { exactIntegers } from "./form.js";
import { boundsInside, ofRegions } from "./loop_ranges.js";

/** The least and the greatest value that an integer may take; bools are 0 or 1. */
export interface IntegerRange {
  readonly min: number;
  readonly max: number;
}

const dtypeRanges: ReadonlyMap<NumericDType, IntegerRange> = new Map([
  ["bool", { min: 0, max: 1 }],
  ["u8", { min: 0, max: 255 }],
  ["i8", { min: -128, max: 127 }],
  ["i32", { min: -(2 ** 31), max: 2 ** 31 - 1 }],
  ["i64", { min: -(2 ** 63), max: 2 ** 63 - 1 }],
]);

/** Whether f32 holds each integer of a range. */
export function isExact({ min, max }: IntegerRange): boolean {
  return min >= -exactIntegers && max <= exactIntegers;
}

/** Ranges of the integers of a graph, each found once. */
export class Ranges {
  readonly #known = new Map<Value, IntegerRange>();

  /** Undefined for floats. */
  of(value: Value): IntegerRange | undefined {
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const dtype = numericDType(value.type.dtype);
    const whole = dtypeRanges.get(dtype);
    if (whole === undefined) return undefined;
    const found = this.#find(value, whole);
    // What wraps round may be anything.
    const range = found === undefined || found.min < whole.min || found.max > whole.max ? whole : found;
    this.#known.set(value, range);
    return range;
  }

  /** What is known of a region's parameters from the node's operands. */
  bind(parameter: Value, range: IntegerRange | undefined): void {
    if (range !== undefined) this.#known.set(parameter, range);
  }

  /** Tells a node's regions what their operands, the position of a scan and the carries of a loop may be. */
  enter(node: Node): void {
    boundsInside(node, (operand) => this.of(operand)).forEach((range, parameter) => {
      this.bind(parameter, range);
    });
  }

  #find(value: Value, whole: IntegerRange): IntegerRange | undefined {
    const { node } = value;
    const inputs = node.inputs.map((input) => this.of(input));
    const [a, b] = inputs;
    switch (node.op) {
      case "constant": {
        const literal = node.attributes["value"];
        return literal !== undefined && isTensor(literal) ? rangeOfData(literal.data) : whole;
      }
      case "iota": {
        const shape = staticShape(value.type);
        return { min: 0, max: Math.max(0, (shape[Number(node.attributes["axis"])] ?? 1) - 1) };
      }
      case "argmax":
      case "argmin": {
        const input = node.inputs[0];
        const size = input === undefined ? 1 : (staticShape(input.type)[Number(node.attributes["axis"])] ?? 1);
        return { min: 0, max: Math.max(0, size - 1) };
      }
      case "check_index":
      case "wrap_index": {
        const [size] = node.attributes["size"] as readonly number[];
        return { min: 0, max: Math.max(0, (size ?? 1) - 1) };
      }
      case "cast":
        return a ?? whole;
      case "reshape":
      case "broadcast_in_dim":
      case "transpose":
      case "slice":
      case "reverse":
      case "gather":
      case "dynamic_slice":
      case "max":
      case "min":
      case "windows":
        return a;
      case "argsort": {
        const input = node.inputs[0];
        const size = input === undefined ? 1 : (staticShape(input.type)[Number(node.attributes["axis"])] ?? 1);
        return { min: 0, max: Math.max(0, size - 1) };
      }
      case "scan":
      case "while":
      case "if":
        return ofRegions(value, (operand) => this.of(operand));
      case "concatenate":
      case "pad":
      case "dynamic_update_slice":
        return inputs.slice(0, node.op === "concatenate" ? undefined : 2).reduce(union);
      case "select":
        return union(inputs[1], inputs[2]);
      case "maximum":
      case "minimum":
        return a && b && (node.op === "maximum" ? bounds(Math.max, a, b) : bounds(Math.min, a, b));
      case "neg":
        return a && { min: -a.max, max: -a.min };
      case "abs":
        return a && { min: 0, max: Math.max(Math.abs(a.min), Math.abs(a.max)) };
      case "sign":
        return { min: -1, max: 1 };
      case "add":
        return a && b && { min: a.min + b.min, max: a.max + b.max };
      case "sub":
        return a && b && { min: a.min - b.max, max: a.max - b.min };
      case "mul": {
        if (a === undefined || b === undefined) return undefined;
        const corners = [a.min * b.min, a.min * b.max, a.max * b.min, a.max * b.max];
        return { min: Math.min(...corners), max: Math.max(...corners) };
      }
      case "floor_div":
        if (a === undefined || b === undefined || b.min < 1) return undefined;
        return {
          min: Math.floor(Math.min(a.min / b.min, a.min / b.max)),
          max: Math.floor(Math.max(a.max / b.min, a.max / b.max)),
        };
      case "mod":
        return b !== undefined && b.min >= 1 ? { min: 0, max: b.max - 1 } : undefined;
      case "sum": {
        const [operand] = node.inputs;
        if (a === undefined || operand === undefined) return undefined;
        const terms = elementCount(staticShape(operand.type)) / Math.max(1, elementCount(staticShape(value.type)));
        return { min: Math.min(0, a.min * terms), max: Math.max(0, a.max * terms) };
      }
      case "not":
        return isInteger(value.type.dtype) && a ? { min: -1 - a.max, max: -1 - a.min } : whole;
      default:
        return undefined;
    }
  }
}

export function union(a: IntegerRange | undefined, b: IntegerRange | undefined): IntegerRange | undefined {
  return a && b && { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
}

function bounds(pick: (a: number, b: number) => number, a: IntegerRange, b: IntegerRange): IntegerRange {
  return { min: pick(a.min, b.min), max: pick(a.max, b.max) };
}

function rangeOfData(data: Iterable<number | bigint> & { readonly length: number }): IntegerRange {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const element of data) {
    const x = Number(element);
    min = Math.min(min, x);
    max = Math.max(max, x);
  }
  return data.length === 0 ? { min: 0, max: 0 } : { min, max };
}
