import {
  type Dim,
  dimEquals,
  dimText,
  floorDivideDims,
  isSymbolic,
  multiplyDims,
  productOfDims,
} from "../../../compiler/ir/dim.js";
import { type Hint, insert } from "../../../compiler/ir/fix.js";
import type { Value } from "../../../compiler/ir/node.js";
import { shapeText, tensorType, typeText } from "../../../compiler/ir/type.js";
import { fill } from "../../../compiler/ops/build.js";
import { opNamed } from "../../../compiler/ops/table.js";
import { expand, requireEqual } from "../broadcast.js";
import { toTensor } from "../convert.js";
import type { Arguments, Intrinsic, IntrinsicParameter } from "../intrinsic.js";
import { type Meaning, tensor } from "../meaning.js";
import { originNote, refusal } from "../state.js";
import { padMode, padModes, padWithElements } from "./padding.js";

const x: IntrinsicParameter = { name: "x", kind: "tensor" };
const shape: IntrinsicParameter = { name: "shape", kind: "shape" };

function reshape(call: Arguments): Meaning {
  const value = call.tensor("x");
  const wanted = call.shape("shape");
  const total = productOfDims(value.type.shape);
  const holes = wanted.filter((dim) => dim === -1).length;
  const details = { notes: [originNote(call.env, value, call.spanOf("x"))] };
  if (holes > 1) throw refusal(call.env, "G027", call.spanOf("shape"), "`-1` stands once in a shape", details);
  const target = holes === 0 ? wanted : fillHole(call, value, wanted, total);
  const elements = productOfDims(target);
  if (!dimEquals(total, elements)) {
    if (!isSymbolic(total) && !isSymbolic(elements)) {
      throw refusal(
        call.env,
        "G027",
        call.span,
        `${typeText(value.type)} has ${total} elements, and ${shapeText(target)} holds ${elements}`,
        { ...details, hint: "a reshape keeps all elements; one size may be `-1`, which stands for what is left" },
      );
    }
    requireEqual(call.env, total, elements, call.span, {
      ...details,
      label: `${typeText(value.type)} to ${shapeText(target)}`,
    });
  }
  return tensor(call.apply("reshape", [value], { shape: target }, call.site("x")));
}

function fillHole(call: Arguments, value: Value, wanted: readonly Dim[], total: Dim): readonly Dim[] {
  const rest = productOfDims(wanted.filter((dim) => dim !== -1));
  const fits = rest !== 0 && (isSymbolic(total) || isSymbolic(rest) || total % rest === 0);
  if (!fits) {
    const text = `\`-1\` in ${shapeText(wanted)} has no size: ${typeText(value.type)} has ${dimText(total)} elements, and the rest holds ${dimText(rest)}`;
    throw refusal(call.env, "G027", call.spanOf("shape"), text, {
      notes: [originNote(call.env, value, call.spanOf("x"))],
    });
  }
  const size = floorDivideDims(total, rest);
  return wanted.map((dim) => (dim === -1 ? size : dim));
}

function transpose(call: Arguments): Meaning {
  const value = call.tensor("x");
  const rank = value.type.shape.length;
  if (!call.has("permutation")) {
    const permutation = Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
    return tensor(call.apply("transpose", [value], { permutation }, call.site("x")));
  }
  const permutation = call.integers("permutation").map((axis) => (axis < 0 ? axis + rank : axis));
  return tensor(call.apply("transpose", [value], { permutation }, call.site("x")));
}

function concatenate(call: Arguments): Meaning {
  const values = call.tensors("tensors");
  const [first] = values;
  if (first === undefined) throw refusal(call.env, "G031", call.spanOf("tensors"), "the list of tensors is empty");
  const axis = call.has("axis") ? call.axis("axis", first) : 0;
  const { meaning, span } = call.item("tensors");
  const operands = meaning.kind === "list" ? meaning.items.map((item) => item.span) : [span];
  const site = { span: call.span, operands, hint: fittingAxisHint(call, values, axis) };
  return tensor(call.apply("concatenate", values, { axis }, site));
}

function fittingAxisHint(call: Arguments, values: readonly Value[], axis: number): Hint | undefined {
  const other = fittingAxis(values);
  if (other === undefined || other === axis) return undefined;
  const words = `\`axis=${other}\` fits: their other sizes are equal`;
  return call.has("axis") ? words : insert(`, axis=${other}`, words, call.spanOf("tensors"));
}

/** The one axis along which tensors differ in size. */
function fittingAxis(values: readonly Value[]): number | undefined {
  const [first, ...others] = values.map(({ type }) => type.shape);
  if (first === undefined || others.some((shape) => shape.length !== first.length)) return undefined;
  const differing = first.flatMap((dim, axis) => {
    return others.every((shape) => dimEquals(shape[axis] as Dim, dim)) ? [] : [axis];
  });
  return differing.length === 1 ? differing[0] : undefined;
}

function knownToDiffer(a: readonly Dim[], b: readonly Dim[]): boolean {
  return (
    a.length !== b.length ||
    a.some((dim, axis) => {
      const other = b[axis];
      return typeof dim === "number" && typeof other === "number" && dim !== other;
    })
  );
}

function stack(call: Arguments): Meaning {
  const values = call.tensors("tensors");
  const [first] = values;
  if (first === undefined) throw refusal(call.env, "G031", call.spanOf("tensors"), "the list of tensors is empty");
  const rank = first.type.shape.length + 1;
  const given = call.has("axis") ? call.integer("axis") : 0;
  const axis = given < 0 ? given + rank : given;
  if (axis < 0 || axis >= rank) throw refusal(call.env, "G025", call.spanOf("axis"), `the stack has no axis ${given}`);
  const { meaning, span } = call.item("tensors");
  const operands = meaning.kind === "list" ? meaning.items.map((item) => item.span) : [span];
  values.forEach((value, i) => {
    if (!knownToDiffer(first.type.shape, value.type.shape)) return;
    const message = `stack takes tensors of one shape, not ${typeText(first.type)} and ${typeText(value.type)}`;
    throw refusal(call.env, "G020", operands[i] ?? span, message, {
      notes: [originNote(call.env, first, operands[0] ?? span), originNote(call.env, value, operands[i] ?? span)],
      hint: "`concatenate` joins them along an axis that they have",
    });
  });
  const rows = values.map((value) => {
    const at = Math.min(axis, value.type.shape.length);
    return call.apply(
      "reshape",
      [value],
      { shape: [...value.type.shape.slice(0, at), 1, ...value.type.shape.slice(at)] },
      call.site("tensors"),
    );
  });
  return tensor(call.apply("concatenate", rows, { axis }, { span: call.span, operands }));
}

function broadcastTo(call: Arguments): Meaning {
  const value = call.tensor("x");
  const wanted = call.shape("shape");
  const offset = wanted.length - value.type.shape.length;
  const fits =
    offset >= 0 &&
    value.type.shape.every((dim, axis) => {
      const to = wanted[axis + offset] as Dim;
      return dim === 1 || dimEquals(dim, to) || isSymbolic(dim) || isSymbolic(to);
    });
  if (!fits) {
    throw refusal(call.env, "G020", call.span, `${typeText(value.type)} does not broadcast to ${shapeText(wanted)}`, {
      notes: [originNote(call.env, value, call.spanOf("x"))],
      hint: "sizes broadcast from the right: equal, or 1 to any",
    });
  }
  value.type.shape.forEach((dim, axis) => {
    const to = wanted[axis + offset] as Dim;
    if (dim !== 1)
      requireEqual(call.env, dim, to, call.span, { label: `${typeText(value.type)} to ${shapeText(wanted)}` });
  });
  return tensor(expand(call.env, value, wanted, call.span));
}

function pad(call: Arguments): Meaning {
  const value = call.tensor("x");
  const rank = value.type.shape.length;
  const each = (parameter: string): readonly number[] => {
    if (!call.has(parameter)) return Array.from({ length: rank }, () => 0);
    const given = call.integers(parameter);
    return call.item(parameter).meaning.kind === "int" ? Array.from({ length: rank }, () => given[0] ?? 0) : given;
  };
  const mode = padMode(call);
  if (mode !== undefined) return tensor(padWithElements(call, value, mode, each("low"), each("high")));
  const filler = call.has("value") ? call.tensor("value", value.type.dtype) : fill(tensorType(value.type.dtype), 0);
  const attributes = { low: each("low"), high: each("high"), interior: each("interior") };
  return tensor(call.apply("pad", [value, filler], attributes, call.site("x", "value")));
}

function iota(call: Arguments): Meaning {
  const sizes = call.shape("shape");
  const dtype = call.dtype("dtype", "i64");
  const given = call.has("axis") ? call.integer("axis") : sizes.length - 1;
  const axis = given < 0 ? given + sizes.length : given;
  return tensor(call.apply("iota", [], { dtype, shape: sizes, axis }, { span: call.span, operands: [] }));
}

function full(call: Arguments): Meaning {
  const sizes = call.shape("shape");
  const { meaning } = call.item("value");
  const dtype = meaning.kind === "tensor" && !call.has("dtype") ? meaning.value.type.dtype : call.dtype("dtype", "f32");
  const value = toTensor(call.env, call.item("value"), dtype);
  if (value.type.shape.length > 0) {
    throw refusal(call.env, "G025", call.spanOf("value"), `\`full\` repeats a scalar, not ${typeText(value.type)}`, {
      hint: "`broadcast_to(x, shape)` repeats a tensor",
    });
  }
  return tensor(expand(call.env, value, sizes, call.span));
}

function like(name: string, value: number): Intrinsic {
  return {
    name,
    doc: `${value === 0 ? "Zeros" : "Ones"} of the shape and dtype of x.`,
    parameters: [x],
    result: "y",
    build: (call) => {
      const { type } = call.tensor("x");
      return tensor(expand(call.env, fill(tensorType(type.dtype), value), type.shape, call.span));
    },
  };
}

export const shapes: readonly Intrinsic[] = [
  {
    name: "reshape",
    doc: "The same elements, in row-major order, in another shape. One size may be -1: it takes what is left.",
    parameters: [x, shape],
    result: "y",
    build: reshape,
  },
  {
    name: "transpose",
    doc: "The axes in another order: axis i of the result is axis `permutation[i]` of x; reversed without a permutation.",
    parameters: [x, { name: "permutation", kind: "axes", default: "reversed" }],
    result: "y",
    build: transpose,
  },
  {
    name: "concatenate",
    doc: opNamed("concatenate").doc,
    parameters: [
      { name: "tensors", kind: "list" },
      { name: "axis", kind: "int", default: "0" },
    ],
    result: "y",
    build: concatenate,
  },
  {
    name: "stack",
    doc: "Tensors of one type along a new axis.",
    parameters: [
      { name: "tensors", kind: "list" },
      { name: "axis", kind: "int", default: "0" },
    ],
    result: "y",
    build: stack,
  },
  {
    name: "broadcast_to",
    doc: "x repeated to a shape, by NumPy's rules.",
    parameters: [x, shape],
    result: "y",
    build: broadcastTo,
  },
  {
    name: "pad",
    doc:
      `${opNamed("pad").doc} An int stands for all axes. Instead of a constant, \`mode\` puts there the elements mirrored at the ends ` +
      '("reflect"), the ends themselves ("edge"), or what lies at the other end ("wrap").',
    parameters: [
      x,
      { name: "low", kind: "axes", default: "0" },
      { name: "high", kind: "axes", default: "0" },
      { name: "interior", kind: "axes", default: "0" },
      { name: "value", kind: "tensor", default: "0" },
      { name: "mode", kind: "string", default: '"constant"', strings: padModes },
    ],
    result: "y",
    build: pad,
  },
  {
    name: "reverse",
    doc: opNamed("reverse").doc,
    parameters: [x, { name: "axis", kind: "axes", default: "all axes" }],
    result: "y",
    build: (call) => {
      const value = call.tensor("x");
      return tensor(call.apply("reverse", [value], { axes: call.axes("axis", value) }, call.site("x")));
    },
  },
  {
    name: "iota",
    doc: "0, 1, 2, ... along an axis. `iota(n)` is a vector.",
    parameters: [
      shape,
      { name: "axis", kind: "int", default: "the last" },
      { name: "dtype", kind: "dtype", default: "i64" },
    ],
    result: "y",
    build: iota,
  },
  {
    name: "full",
    doc: "One number in every element.",
    parameters: [shape, { name: "value", kind: "tensor" }, { name: "dtype", kind: "dtype", default: "f32" }],
    result: "y",
    build: full,
  },
  like("zeros_like", 0),
  like("ones_like", 1),
];

/** The product of some sizes of a shape. */
export function sizeOver(dims: readonly Dim[], axes: readonly number[]): Dim {
  return axes.reduce<Dim>((product, axis) => multiplyDims(product, dims[axis] ?? 1), 1);
}
