import { isFloat, isInteger } from "../../../compiler/ir/dtype.js";
import type { Value } from "../../../compiler/ir/node.js";
import { typeText } from "../../../compiler/ir/type.js";
import { opNamed } from "../../../compiler/ops/table.js";
import { foldFunction } from "../arithmetic.js";
import { broadcastAll, unify, unifyDTypes } from "../broadcast.js";
import { silence, toTensor } from "../convert.js";
import type { Arguments, Intrinsic, IntrinsicParameter } from "../intrinsic.js";
import { isLiteral, literalDType, type Meaning, tensor } from "../meaning.js";
import { refusal } from "../state.js";

/** Elementwise ops by name: the operands broadcast, and literals take the dtype of the tensors. */

const unaries = [
  "neg",
  "abs",
  "sign",
  "floor",
  "ceil",
  "round",
  "sqrt",
  "rsqrt",
  "exp",
  "expm1",
  "log",
  "log1p",
  "sin",
  "cos",
  "tanh",
  "sigmoid",
  "erf",
  "erfc",
  "cbrt",
  "popcnt",
  "count_leading_zeros",
  "is_finite",
] as const;

const binaries = [
  "add",
  "sub",
  "mul",
  "div",
  "floor_div",
  "mod",
  "pow",
  "shift_left",
  "shift_right_arithmetic",
  "shift_right_logical",
  "maximum",
  "minimum",
  "xor",
  "eq",
  "ne",
  "lt",
  "le",
  "gt",
  "ge",
] as const;

const x: IntrinsicParameter = { name: "x", kind: "tensor" };
const y: IntrinsicParameter = { name: "y", kind: "tensor" };

/** Binary ops whose operands have names of their own. */
const atan2Intrinsic: Intrinsic = {
  name: "atan2",
  doc: opNamed("atan2").doc,
  parameters: [y, x],
  result: "angle",
  build: (call) => {
    const site = call.site("y", "x");
    return tensor(call.apply("atan2", unify(call.env, [call.item("y"), call.item("x")], "and", site), {}, site));
  },
};

function unaryIntrinsic(name: string): Intrinsic {
  return { name, doc: opNamed(name).doc, parameters: [x], result: "y", build: (call) => unary(call, name) };
}

function unary(call: Arguments, name: string): Meaning {
  const item = call.item("x");
  silence(item.meaning);
  const folded = foldFunction(call.env, name, [item.meaning]);
  if (folded !== undefined) return folded;
  // `exp(1)` means a float: a literal takes what its place wants.
  const allowed = opNamed(name).operands[0]?.dtypes ?? [];
  const own = isLiteral(item.meaning) ? literalDType(item.meaning) : undefined;
  const wanted = own !== undefined && !allowed.includes(own) && allowed.includes("f32") ? "f32" : own;
  return tensor(call.apply(name, [toTensor(call.env, item, wanted)], {}, call.site("x")));
}

function binaryIntrinsic(name: string): Intrinsic {
  return { name, doc: opNamed(name).doc, parameters: [x, y], result: "z", build: (call) => binary(call, name) };
}

/** The operators `and`, `or` and `not` of the language are for bools; for integers the ops have names. */
function bitwise({ name, build, ...rest }: Intrinsic): Intrinsic {
  return {
    ...rest,
    name: `bitwise_${name}`,
    build: (call) => {
      for (const { name: parameter } of rest.parameters) {
        const { type } = call.tensor(parameter);
        if (type.dtype === "bool" || isInteger(type.dtype)) continue;
        const text = `\`${call.name}\` is for integers and bools, not for ${typeText(type)}`;
        throw refusal(call.env, "G024", call.spanOf(parameter), text);
      }
      return build(call);
    },
  };
}

function binary(call: Arguments, name: string): Meaning {
  const items = [call.item("x"), call.item("y")];
  for (const item of items) silence(item.meaning);
  const folded = foldFunction(
    call.env,
    name,
    items.map((item) => item.meaning),
  );
  if (folded !== undefined) return folded;
  const site = call.site("x", "y");
  return tensor(call.apply(name, unify(call.env, items, "and", site), {}, site));
}

function select(call: Arguments): Meaning {
  const condition = call.item("condition");
  silence(condition.meaning);
  const items = [call.item("x"), call.item("y")];
  for (const item of items) silence(item.meaning);
  const site = call.site("x", "y");
  if (condition.meaning.kind === "bool") {
    const known = chooseKnown(condition.meaning.value, items[0]?.meaning, items[1]?.meaning);
    if (known !== undefined) return known;
    // Both sides are typed in both modes, so that a program that trains also predicts.
    const [chosen, other] = unify(call.env, items, "and", site) as readonly [Value, Value];
    return tensor(condition.meaning.value ? chosen : other);
  }
  const mask = toTensor(call.env, condition);
  if (mask.type.dtype !== "bool") {
    throw refusal(call.env, "G024", condition.span, `a condition is bool, not ${typeText(mask.type)}`, {
      hint: "compare: `x != 0`",
    });
  }
  const branches = unifyDTypes(call.env, items, site);
  const all = call.site("condition", "x", "y");
  return tensor(call.apply("select", broadcastAll(call.env, [mask, ...branches], "and", all), {}, all));
}

/** What only the compiler knows stays so: a chosen dtype is a dtype, a chosen number a literal that takes its place's dtype. */
function chooseKnown(condition: boolean, x: Meaning | undefined, y: Meaning | undefined): Meaning | undefined {
  const chosen = condition ? x : y;
  const other = condition ? y : x;
  switch (chosen?.kind) {
    case "dtype":
    case "shape":
    case "string":
    case "bool":
      return other?.kind === chosen.kind ? chosen : undefined;
    case "float":
      return other?.kind === "float" || other?.kind === "int" ? chosen : undefined;
    case "int":
      if (other?.kind === "int") return chosen;
      // Of an int and a float the type is a float, whichever is chosen.
      return other?.kind === "float" && typeof chosen.value === "bigint"
        ? { kind: "float", value: Number(chosen.value) }
        : undefined;
    default:
      return undefined;
  }
}

const selection: readonly IntrinsicParameter[] = [{ name: "condition", kind: "tensor" }, x, y];

export const elementwise: readonly Intrinsic[] = [
  ...unaries.map(unaryIntrinsic),
  ...binaries.map(binaryIntrinsic),
  bitwise(unaryIntrinsic("not")),
  bitwise(binaryIntrinsic("and")),
  bitwise(binaryIntrinsic("or")),
  atan2Intrinsic,
  {
    name: "select",
    doc: `${opNamed("select").doc} A condition known when the graph is compiled, such as \`training\`, chooses one side, which may then be a dtype, a shape or a literal; the other is typed and not computed. Of two tensors the result has the shape that they broadcast to, whichever is chosen.`,
    parameters: selection,
    result: "z",
    build: select,
  },
  {
    name: "where",
    doc: "Another name of `select`.",
    parameters: selection,
    result: "z",
    build: select,
  },
  {
    name: "cast",
    doc: `${opNamed("cast").doc} A literal takes a float's dtype at once: \`cast(0.1, to=f64)\` has all its digits.`,
    parameters: [x, { name: "to", kind: "dtype" }],
    result: "y",
    build: (call) => {
      const to = call.dtype("to", "f32");
      const item = call.item("x");
      const number = isLiteral(item.meaning) && literalDType(item.meaning) !== "bool";
      const value = toTensor(call.env, item, number && isFloat(to) ? to : undefined);
      return tensor(value.type.dtype === to ? value : call.apply("cast", [value], { to }, call.site("x")));
    },
  },
  {
    name: "stop_gradient",
    doc: opNamed("stop_gradient").doc,
    parameters: [x],
    result: "y",
    build: (call) => tensor(call.apply("stop_gradient", [call.tensor("x")], {}, call.site("x"))),
  },
];
