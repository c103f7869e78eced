/** How every op of the table is written in a `.graph` file: by an operator, by its name, or, where it has none, by what means the same. */
import { dynamicCalls } from "./dynamic_calls.js";
import { ignoredBy, shapeText } from "./literals.js";
import { windowCalls } from "./window_calls.js";
import {
  beside,
  type Call,
  call,
  flag,
  input,
  listed,
  loose,
  numbers,
  operand,
  operands,
  shapeOf,
  tight,
  transposed,
  unless,
  type Writer,
  type Written,
} from "./written.js";

const infix: Readonly<Record<string, string>> = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  floor_div: "//",
  mod: "%",
  pow: "**",
  eq: "==",
  ne: "!=",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
};

/** Comparisons of bools other than == and != have names only. */
function binary(given: Call): Written {
  const { op, inputs } = given.node;
  const [x, y] = [operand(given, 0), operand(given, 1)];
  const sign = infix[op];
  const isOrder = ["lt", "le", "gt", "ge"].includes(op) && inputs[0]?.type.dtype === "bool";
  if (sign === undefined || isOrder || given.form(3) === 2) return call(op, [x, y]);
  return loose(`${beside(x)} ${sign} ${beside(y)}`);
}

function logical(given: Call): Written {
  const { op, inputs } = given.node;
  if (inputs[0]?.type.dtype !== "bool" || given.form(3) === 2) return call(`bitwise_${op}`, operands(given));
  if (op === "not") return loose(`not ${beside(operand(given, 0))}`);
  return loose(`${beside(operand(given, 0))} ${op} ${beside(operand(given, 1))}`);
}

const byName: Writer = (given) => call(given.node.op, operands(given));

function along(flags: readonly string[]): Writer {
  return (given) => {
    const { op, attributes } = given.node;
    return call(op, operands(given), {
      axis: String(attributes["axis"]),
      ...Object.fromEntries(flags.map((name) => [name, flag(attributes[name])])),
    });
  };
}

const reduction: Writer = (given) => {
  const { op, attributes } = given.node;
  const axes = numbers(attributes["axes"]);
  // Over no axes it is its operand.
  if (axes.length === 0) return operand(given, 0);
  const shape = shapeOf(input(given.node, 0));
  const isOfNothing = (op === "max" || op === "min") && axes.some((axis) => shape[axis] === 0);
  const initial = isOfNothing ? ignoredBy(op, input(given.node, 0).type) : undefined;
  const isWhole = axes.length === shape.length;
  return call(op, operands(given), { axis: isWhole && given.form(2) === 1 ? undefined : shapeText(axes), initial });
};

const broadcast: Writer = (given) => {
  const { attributes } = given.node;
  const [from, to, axes] = [shapeOf(input(given.node, 0)), numbers(attributes["shape"]), numbers(attributes["axes"])];
  const order = from.map((_, axis) => axis).sort((a, b) => (axes[a] as number) - (axes[b] as number));
  const x = transposed(operand(given, 0), order);
  const spread = to.map((_, axis) => from[axes.indexOf(axis)] ?? 1);
  const isAligned = axes.every((axis, i) => axis === to.length - axes.length + i);
  const wide = isAligned ? x : call("reshape", [x], { shape: shapeText(spread) });
  return call("broadcast_to", [wide, tight(shapeText(to))]);
};

/** `x[1:5:2, :]` */
const slice: Writer = (given) => {
  const { attributes } = given.node;
  const [start, limit, strides] = [
    numbers(attributes["start"]),
    numbers(attributes["limit"]),
    numbers(attributes["strides"]),
  ];
  const x = operand(given, 0);
  if (start.length === 0) return x;
  const parts = shapeOf(input(given.node, 0)).map((size, axis) => {
    const [from, to, step] = [start[axis] as number, limit[axis] as number, strides[axis] as number];
    const whole = `${from === 0 ? "" : from}:${to === size ? "" : to}`;
    return step === 1 ? whole : `${whole}:${step}`;
  });
  return tight(`${beside(x)}[${parts.join(", ")}]`);
};

const dotGeneral: Writer = (given) => {
  const { attributes } = given.node;
  const [lhs, rhs] = [shapeOf(input(given.node, 0)), shapeOf(input(given.node, 1))];
  const lists = ["lhs_contract", "rhs_contract", "lhs_batch", "rhs_batch"].map((name) => numbers(attributes[name]));
  const [left, right, batches] = lists as [readonly number[], readonly number[], readonly number[]];
  const isMatrix = lhs.length >= 1 && lhs.length <= 2 && rhs.length >= 1 && rhs.length <= 2 && batches.length === 0;
  const isProduct = isMatrix && left.join() === String(lhs.length - 1) && right.join() === "0";
  if (isProduct && given.form(3) < 2) return loose(`${beside(operand(given, 0))} @ ${beside(operand(given, 1))}`);
  return call("dot_general", operands(given), {
    lhs_contract: shapeText(left),
    rhs_contract: shapeText(right),
    lhs_batch: batches.length === 0 ? undefined : shapeText(batches),
    rhs_batch: batches.length === 0 ? undefined : shapeText(lists[3] as readonly number[]),
  });
};

const pad: Writer = (given) => {
  const { attributes } = given.node;
  const each = (name: string): string | undefined => unless(numbers(attributes[name]), 0);
  return call("pad", [operand(given, 0)], {
    low: each("low"),
    high: each("high"),
    interior: each("interior"),
    value: operand(given, 1).text,
  });
};

const writers: Readonly<Record<string, Writer>> = {
  ...Object.fromEntries([...Object.keys(infix), "maximum", "minimum", "xor"].map((op) => [op, binary])),
  ...Object.fromEntries(["and", "or", "not"].map((op) => [op, logical])),
  ...Object.fromEntries(["sum", "prod", "max", "min", "all", "any"].map((op) => [op, reduction])),
  ...Object.fromEntries(
    ["argmax", "argmin", "cummax", "cummin", "linear_recurrence"].map((op) => [op, along(["reverse"])]),
  ),
  ...Object.fromEntries(["cumsum", "cumprod"].map((op) => [op, along(["reverse", "exclusive"])])),
  argsort: along(["descending"]),
  neg: (given) => (given.form(3) === 2 ? byName(given) : loose(`-${beside(operand(given, 0))}`)),
  cast: (given) => call("cast", operands(given), { to: String(given.node.attributes["to"]) }),
  select: byName,
  concatenate: (given) =>
    call("concatenate", [listed(operands(given))], { axis: String(given.node.attributes["axis"]) }),
  pad,
  iota: ({ node: { attributes } }) =>
    call("iota", [tight(shapeText(numbers(attributes["shape"])))], {
      axis: String(attributes["axis"]),
      dtype: String(attributes["dtype"]),
    }),
  broadcast_in_dim: broadcast,
  reshape: (given) => call("reshape", operands(given), { shape: shapeText(numbers(given.node.attributes["shape"])) }),
  transpose: (given) => transposed(operand(given, 0), numbers(given.node.attributes["permutation"])),
  slice,
  reverse: (given) => {
    const axes = numbers(given.node.attributes["axes"]);
    return axes.length === 0 ? operand(given, 0) : call("reverse", operands(given), { axis: shapeText(axes) });
  },
  dot_general: dotGeneral,
  triangular_solve: (given) => {
    const { attributes } = given.node;
    return call("triangular_solve", operands(given), {
      lower: attributes["lower"] === true ? undefined : "false",
      transpose: flag(attributes["transpose"]),
      unit_diagonal: flag(attributes["unit_diagonal"]),
    });
  },
  gradients: (given) => call("gradients", [operand(given, 0), listed(operands(given).slice(1))]),
  random_uniform: ({ node: { attributes } }) =>
    call("random_uniform", [tight(shapeText(numbers(attributes["shape"])))], {
      dtype: attributes["dtype"] === "f32" ? undefined : String(attributes["dtype"]),
    }),
  ...Object.fromEntries(
    [
      ...["sqrt", "rsqrt", "exp", "expm1", "log", "log1p", "tanh", "sigmoid", "erf", "erfc", "cbrt", "abs", "sign"],
      ...["floor", "ceil", "round", "sin", "cos", "atan2", "is_finite", "popcnt", "count_leading_zeros"],
      ...["shift_left", "shift_right_arithmetic", "shift_right_logical", "stop_gradient"],
      ...["solve", "cholesky", "qr", "svd", "eigh", "det", "slogdet"],
    ].map((op) => [op, byName]),
  ),
  ...dynamicCalls,
  ...windowCalls,
};

/** Throws where the language has no words for the op. */
export function written(given: Call): Written {
  const writer = writers[given.node.op];
  if (writer === undefined) throw new TypeError(`${given.node.op} is not written`);
  return writer(given);
}
