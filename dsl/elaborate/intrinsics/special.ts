import { type Dim, isSymbolic, productOfDims } from "../../../compiler/ir/dim.js";
import { isFloat } from "../../../compiler/ir/dtype.js";
import type { Value } from "../../../compiler/ir/node.js";
import { typeText } from "../../../compiler/ir/type.js";
import { outOfRange } from "../../../compiler/ops/messages.js";
import { opNamed } from "../../../compiler/ops/table.js";
import { unifyDTypes } from "../broadcast.js";
import { toShape } from "../convert.js";
import { consult, perform } from "../effects.js";
import type { Arguments, Intrinsic, IntrinsicParameter } from "../intrinsic.js";
import { knownValue } from "../known.js";
import { int, type Meaning, shape as shapeMeaning, tensor } from "../meaning.js";
import { matmul } from "../operators.js";
import { writer, writtenIn } from "../positions.js";
import { applyOp, originNote, refusal } from "../state.js";
import { sizeOver } from "./shapes.js";

const x: IntrinsicParameter = { name: "x", kind: "tensor" };
const y: IntrinsicParameter = { name: "y", kind: "tensor" };
const a: IntrinsicParameter = { name: "a", kind: "tensor" };
const b: IntrinsicParameter = { name: "b", kind: "tensor" };
const shape: IntrinsicParameter = { name: "shape", kind: "shape" };

/** What only the compiler knows: ints and dtypes, not edges. */
const questions: readonly Intrinsic[] = [
  {
    name: "shape",
    doc: "The shape of x, known when the graph is compiled.",
    parameters: [x],
    result: "shape",
    build: (call) => shapeMeaning(call.tensor("x").type.shape),
  },
  {
    name: "size",
    doc: "The number of elements along an axis, along several, or of the whole tensor: an int.",
    parameters: [x, { name: "axis", kind: "axes", default: "all axes" }],
    result: "int",
    build: (call) => {
      const value = call.tensor("x");
      return int(sizeOver(value.type.shape, call.axes("axis", value)));
    },
  },
  {
    name: "rank",
    doc: "The number of axes of x: an int.",
    parameters: [x],
    result: "int",
    build: (call) => int(call.tensor("x").type.shape.length),
  },
  {
    name: "dtype_of",
    doc: "The dtype of x.",
    parameters: [x],
    result: "dtype",
    build: (call) => ({ kind: "dtype", value: call.tensor("x").type.dtype }),
  },
  {
    name: "known",
    doc:
      "The number or bool that x is written as, where it is a literal, a constant or a size, or cheaply computed from such as in `min([0.1, 0.9])`; `otherwise` where x is computed in the " +
      "run, or is a size that hangs on a dim. For a `require` on a parameter that may be either.",
    parameters: [
      { name: "x", kind: "any" },
      { name: "otherwise", kind: "any" },
    ],
    result: "int, float or bool",
    build: (call) => {
      const { meaning } = call.item("otherwise");
      const otherwise = meaning.kind === "int" ? meaning : knownValue(meaning);
      if (otherwise === undefined)
        throw call.wrong("otherwise", "a number or a bool, known when the graph is compiled");
      return knownValue(call.item("x").meaning) ?? otherwise;
    },
  },
  {
    name: "fan_in",
    doc: "Inputs of one unit of a weight of this shape: all sizes but the last, multiplied.",
    parameters: [shape],
    result: "int",
    build: (call) => int(fan(toShape(call.env, call.item("shape")), 2)),
  },
  {
    name: "fan_out",
    doc: "Outputs that one input of a weight of this shape reaches: the last size, times the window of a convolution.",
    parameters: [shape],
    result: "int",
    build: (call) => int(fan(toShape(call.env, call.item("shape")), 1)),
  },
];

/** The channel axis counted from the end (1 = out, 2 = in), times the window sizes before the two. */
function fan(dims: readonly Dim[], channel: number): Dim {
  if (dims.length < 2) return dims[0] ?? 1;
  return productOfDims([...dims.slice(0, -2), dims[dims.length - channel] as Dim]);
}

function randomUniform(call: Arguments): Meaning {
  const dims = call.shape("shape");
  const dtype = call.dtype("dtype", "f32");
  const { env } = call;
  const path = env.binding;
  const what = `draws ${path}`;
  const index = consult(env.state, what, ({ draws }) => draws.get(path) ?? 0);
  perform(env.state, ({ draws }) => draws.set(path, index + 1), what);
  const state = call.apply("run_state", [], {}, call.site());
  return tensor(
    call.apply(
      "random_uniform",
      [state, ...(env.region?.loopIndices() ?? [])],
      { path, index, dtype, shape: dims },
      call.site(),
    ),
  );
}

/** The element of the run's state that is the step. */
function globalStep(call: Arguments): Meaning {
  const state = call.apply("run_state", [], {}, call.site());
  const element = call.apply("slice", [state], { start: [1], limit: [2], strides: [1] }, call.site());
  return tensor(call.apply("reshape", [element], { shape: [] }, call.site()));
}

function gradients(call: Arguments): Meaning {
  const target = call.tensor("y");
  const sources = call.tensors("xs");
  const { meaning, span } = call.item("xs");
  const spans = meaning.kind === "list" ? meaning.items.map((item) => item.span) : [span];
  if (sources.length === 0) throw refusal(call.env, "G031", span, "the list of tensors is empty");
  const check = (value: Value, at: typeof span): void => {
    if (isFloat(value.type.dtype)) return;
    throw refusal(call.env, "G051", at, `only floats have gradients, not ${typeText(value.type)}`, {
      notes: [originNote(call.env, value, at)],
      hint: "declare what is learnt as a float, such as f32; a cast from integers has no slope",
    });
  };
  check(target, call.spanOf("y"));
  sources.forEach((value, i) => {
    check(value, spans[i] ?? span);
  });
  const site = { span: call.span, operands: [call.spanOf("y"), ...spans] };
  const outputs = applyOp(call.env, "gradients", [target, ...sources], {}, site).map(tensor);
  const [only] = outputs;
  return outputs.length === 1 && only !== undefined ? only : { kind: "many", outputs, callee: "gradients" };
}

/** What is written in the file is checked now, the rest by the run. */
function checkIndex(call: Arguments): Meaning {
  const size = call.dim("size");
  const x = call.tensor("x");
  const outside = writtenIn(x).find((index) => index < 0n || (!isSymbolic(size) && index >= size));
  if (outside !== undefined && !isSymbolic(size) && size >= 0) {
    const { sources } = call.env.state.shared;
    throw refusal(call.env, "G026", call.spanOf("x"), outOfRange(String(outside), size, 0), {
      notes: [{ span: sources.spansOf(writer(x.node))[0], message: `${outside} is written here` }],
    });
  }
  return tensor(call.apply("check_index", [x], { size: [size] }, call.site("x")));
}

function solve(call: Arguments): Meaning {
  const site = call.site("a", "b");
  return tensor(call.apply("solve", unifyDTypes(call.env, [call.item("a"), call.item("b")], site), {}, site));
}

function triangularSolve(call: Arguments): Meaning {
  const site = call.site("a", "b");
  const attributes = {
    lower: call.bool("lower", true),
    transpose: call.bool("transpose", false),
    unit_diagonal: call.bool("unit_diagonal", false),
  };
  return tensor(
    call.apply("triangular_solve", unifyDTypes(call.env, [call.item("a"), call.item("b")], site), attributes, site),
  );
}

/** An op of one matrix with several outputs. */
function factors(name: string, result: string): Intrinsic {
  return {
    name,
    doc: opNamed(name).doc,
    parameters: [a],
    result,
    build: (call) => ({
      kind: "many",
      outputs: applyOp(call.env, name, [call.tensor("a")], {}, call.site("a")).map(tensor),
      callee: name,
    }),
  };
}

function product(call: Arguments): Meaning {
  return tensor(matmul(call.env, [call.item("x"), call.item("y")], call.site("x", "y"), call.span));
}

const flag = (name: string, value: string): IntrinsicParameter => ({ name, kind: "bool", default: value });

export const special: readonly Intrinsic[] = [
  ...questions,
  {
    name: "matmul",
    doc: "x @ y: the last axis of x with the last but one of y; leading axes are batches that broadcast.",
    parameters: [x, y],
    result: "z",
    build: product,
  },
  {
    name: "dot_general",
    doc: opNamed("dot_general").doc,
    parameters: [
      { name: "lhs", kind: "tensor" },
      { name: "rhs", kind: "tensor" },
      { name: "lhs_contract", kind: "axes" },
      { name: "rhs_contract", kind: "axes" },
      { name: "lhs_batch", kind: "axes", default: "[]" },
      { name: "rhs_batch", kind: "axes", default: "[]" },
    ],
    result: "y",
    build: (call) => {
      const site = call.site("lhs", "rhs");
      const values = unifyDTypes(call.env, [call.item("lhs"), call.item("rhs")], site) as readonly [Value, Value];
      const axes = (parameter: string, of: number): readonly number[] => {
        const rank = values[of]?.type.shape.length ?? 0;
        return call.has(parameter) ? call.integers(parameter).map((axis) => (axis < 0 ? axis + rank : axis)) : [];
      };
      const attributes = {
        lhs_batch: axes("lhs_batch", 0),
        rhs_batch: axes("rhs_batch", 1),
        lhs_contract: axes("lhs_contract", 0),
        rhs_contract: axes("rhs_contract", 1),
      };
      return tensor(call.apply("dot_general", values, attributes, site));
    },
  },
  {
    name: "random_uniform",
    doc: "Uniform numbers in [0, 1), fresh in each run; the same bits on every back end.",
    parameters: [shape, { name: "dtype", kind: "dtype", default: "f32" }],
    result: "y",
    build: randomUniform,
  },
  {
    name: "global_step",
    doc: "How many steps have been done before this run, as i64: 0 in the first run that assigns a variable, then 1. It is kept in checkpoints, so that a schedule goes on where it was.",
    parameters: [],
    result: "step",
    build: globalStep,
  },
  {
    name: "gradients",
    doc: "The gradients of y (summed where it is no scalar) in each of xs.",
    parameters: [y, { name: "xs", kind: "list" }],
    result: "one for each of xs",
    build: gradients,
  },
  {
    name: "check_index",
    doc: "The operand itself; the run fails, and nothing is assigned, where an element is below 0 or not below `size`.",
    parameters: [x, { name: "size", kind: "int" }],
    result: "y",
    build: checkIndex,
  },
  { name: "solve", doc: opNamed("solve").doc, parameters: [a, b], result: "x", build: solve },
  {
    name: "triangular_solve",
    doc: opNamed("triangular_solve").doc,
    parameters: [a, b, flag("lower", "true"), flag("transpose", "false"), flag("unit_diagonal", "false")],
    result: "x",
    build: triangularSolve,
  },
  {
    name: "cholesky",
    doc: opNamed("cholesky").doc,
    parameters: [a],
    result: "l",
    build: (call) => tensor(call.apply("cholesky", [call.tensor("a")], {}, call.site("a"))),
  },
  factors("qr", "q, r"),
  factors("svd", "u, s, vt"),
  factors("eigh", "w, v"),
  factors("slogdet", "sign, logarithm"),
  {
    name: "det",
    doc: opNamed("det").doc,
    parameters: [a],
    result: "y",
    build: (call) => tensor(call.apply("det", [call.tensor("a")], {}, call.site("a"))),
  },
];
