import { addDims, type Dim, dimEquals, isSymbolic } from "../../../compiler/ir/dim.js";
import type { Value } from "../../../compiler/ir/node.js";
import { shapeText, typeText } from "../../../compiler/ir/type.js";
import { broadcastAll, expand, requireEqual } from "../broadcast.js";
import type { Arguments, Intrinsic, IntrinsicParameter } from "../intrinsic.js";
import { type Meaning, tensor } from "../meaning.js";
import { gatherAt, positions, requireIntegers, scatterAt } from "../positions.js";
import { originNote, refusal } from "../state.js";

/** Reading and writing at positions that the run decides. Everything is made of gather, scatter and the dynamic slices. */

const x: IntrinsicParameter = { name: "x", kind: "tensor" };
const indices: IntrinsicParameter = { name: "indices", kind: "tensor" };
const updates: IntrinsicParameter = { name: "updates", kind: "tensor" };
const axis = (value: string): IntrinsicParameter => ({ name: "axis", kind: "int", default: value });
const combiner: IntrinsicParameter = {
  name: "combiner",
  kind: "string",
  default: '"set"',
  strings: ["set", "add", "mul", "max", "min"],
  doc: "`set`, `add`, `mul`, `max` or `min`",
};

const negatives = "Negative indices count from the end; one outside fails the run.";
const order = "Updates are taken in row-major order: of several at one place the last one is set.";

/** The places of `indices` along one axis of x. */
function alongAxis(call: Arguments, value: Value): { readonly at: number; readonly places: Map<number, Value> } {
  const at = call.axis("axis", value, 0);
  const index = positions(call.env, call.item("indices"), value.type.shape[at] as Dim, at, value);
  return { at, places: new Map([[at, index]]) };
}

function gather(call: Arguments): Meaning {
  const value = call.tensor("x");
  const { at, places } = alongAxis(call, value);
  return tensor(gatherAt(call.env, value, places, at, call.site("x", "indices")));
}

function scatter(call: Arguments): Meaning {
  const value = call.tensor("x");
  const { at, places } = alongAxis(call, value);
  const points = [...places.values()][0]?.type.shape ?? [];
  const shape = [...value.type.shape.slice(0, at), ...points, ...value.type.shape.slice(at + 1)];
  const given = updatesOf(call, value, shape);
  return tensor(scatterAt(call.env, value, given, places, at, combinerOf(call), call.site("x", "updates", "indices")));
}

/** The updates, repeated to the shape that is written. */
function updatesOf(call: Arguments, value: Value, shape: readonly Dim[]): Value {
  const given = call.tensor("updates", value.type.dtype);
  const offset = shape.length - given.type.shape.length;
  const fits =
    offset >= 0 &&
    given.type.shape.every((dim, i) => {
      const to = shape[i + offset] as Dim;
      return dim === 1 || dimEquals(dim, to) || isSymbolic(dim) || isSymbolic(to);
    });
  if (!fits) {
    const text = `\`${call.name}\` writes ${shapeText(shape)}, and ${typeText(given.type)} does not broadcast to that`;
    throw refusal(call.env, "G020", call.spanOf("updates"), text, {
      notes: [originNote(call.env, value, call.spanOf("x")), originNote(call.env, given, call.spanOf("updates"))],
    });
  }
  given.type.shape.forEach((dim, i) => {
    if (dim !== 1) requireEqual(call.env, dim, shape[i + offset] as Dim, call.spanOf("updates"), { label: "updates" });
  });
  return expand(call.env, given, shape, call.spanOf("updates"));
}

function combinerOf(call: Arguments): string {
  if (!call.has("combiner")) return "set";
  const { meaning } = call.item("combiner");
  if (meaning.kind === "string") return meaning.value;
  throw call.wrong("combiner", 'a string such as `"add"`');
}

/** The rows of the last axis of `indices` as one tensor for each of the axes that they name. */
function rowsOf(call: Arguments, value: Value, first: number): ReadonlyMap<number, Value> {
  const given = call.tensor("indices");
  requireIntegers(call.env, given, call.spanOf("indices"));
  const points = given.type.shape.slice(0, -1);
  const count = given.type.shape.at(-1);
  const rank = value.type.shape.length - first;
  if (count === undefined || typeof count !== "number" || count < 1 || count > rank) {
    const text = `the last axis of \`indices\` has an index for each of 1 to ${rank} axes, not ${typeText(given.type)}`;
    throw refusal(call.env, "G025", call.spanOf("indices"), text, {
      notes: [originNote(call.env, value, call.spanOf("x"))],
    });
  }
  const site = call.site("indices");
  return new Map(
    Array.from({ length: count }, (_, i) => {
      const start = [...points.map(() => 0), i];
      const limit = [...points, i + 1];
      const cut = { start, limit, strides: start.map(() => 1) };
      const column = call.apply("reshape", [call.apply("slice", [given], cut, site)], { shape: points }, site);
      const item = { meaning: tensor(column), span: call.spanOf("indices") };
      return [first + i, positions(call.env, item, value.type.shape[first + i] as Dim, first + i, value)] as const;
    }),
  );
}

/** Leading axes that x and the indices share: a count along each. */
function batchPlaces(call: Arguments, value: Value, batch: number): ReadonlyMap<number, Value> {
  if (batch === 0) return new Map();
  const given = call.tensor("indices");
  const rank = Math.min(value.type.shape.length, given.type.shape.length - 1);
  if (batch < 0 || batch > rank) {
    throw refusal(call.env, "G025", call.spanOf("batch_axes"), `\`batch_axes\` is 0 to ${rank} here, not ${batch}`);
  }
  const shape = given.type.shape.slice(0, -1);
  return new Map(
    Array.from({ length: batch }, (_, i) => {
      requireEqual(call.env, value.type.shape[i] as Dim, given.type.shape[i] as Dim, call.span, {
        label: `axis ${i} of ${typeText(value.type)} and of ${typeText(given.type)}`,
      });
      return [i, call.apply("iota", [], { dtype: "i64", shape, axis: i }, call.site())] as const;
    }),
  );
}

function placesOfRows(call: Arguments, value: Value): ReadonlyMap<number, Value> {
  const batch = call.has("batch_axes") ? call.integer("batch_axes") : 0;
  return new Map([...batchPlaces(call, value, batch), ...rowsOf(call, value, batch)]);
}

function scatterNd(call: Arguments): Meaning {
  const value = call.tensor("x");
  const places = placesOfRows(call, value);
  const points = [...places.values()][0]?.type.shape ?? [];
  const shape = [...points, ...value.type.shape.slice(places.size)];
  const given = updatesOf(call, value, shape);
  return tensor(scatterAt(call.env, value, given, places, 0, combinerOf(call), call.site("x", "updates", "indices")));
}

/** x and, along its other axes as long, the indices along one axis: every other axis counts. */
function elementPlaces(call: Arguments): {
  readonly value: Value;
  readonly places: ReadonlyMap<number, Value>;
  readonly shape: readonly Dim[];
} {
  const value = call.tensor("x");
  const at = call.axis("axis", value);
  const index = positions(call.env, call.item("indices"), value.type.shape[at] as Dim, at, value);
  const rank = value.type.shape.length;
  if (index.type.shape.length !== rank) {
    const text = `\`indices\` has as many axes as x, ${rank}, not ${typeText(index.type)}`;
    throw refusal(call.env, "G025", call.spanOf("indices"), text, {
      notes: [originNote(call.env, value, call.spanOf("x"))],
    });
  }
  const others = (of: Value): Value => {
    const shape = of.type.shape.filter((_, i) => i !== at);
    return call.apply("iota", [], { dtype: "i64", shape: [...shape, 1], axis: shape.length }, call.site());
  };
  // The axes beside it broadcast; what they come to is found on tensors of just these axes.
  const [first] = broadcastAll(call.env, [others(value), others(index)], "with", call.site("x", "indices"));
  const common = (first?.type.shape ?? []).slice(0, -1);
  const around = (size: Dim): readonly Dim[] => [...common.slice(0, at), size, ...common.slice(at)];
  const shape = around(index.type.shape[at] as Dim);
  const wide = expand(call.env, value, around(value.type.shape[at] as Dim), call.spanOf("x"));
  const spread = expand(call.env, index, shape, call.spanOf("indices"));
  const places = new Map(
    shape.map((_, i) => [
      i,
      i === at ? spread : call.apply("iota", [], { dtype: "i64", shape, axis: i }, call.site("indices")),
    ]),
  );
  return { value: wide, places, shape };
}

function takeAlongAxis(call: Arguments): Meaning {
  const { value, places } = elementPlaces(call);
  return tensor(gatherAt(call.env, value, places, 0, call.site("x", "indices")));
}

function putAlongAxis(call: Arguments): Meaning {
  const { value, places, shape } = elementPlaces(call);
  const given = updatesOf(call, value, shape);
  return tensor(scatterAt(call.env, value, given, places, 0, combinerOf(call), call.site("x", "updates", "indices")));
}

/** One scalar for each axis: a list of ints and scalars, or one tensor that holds them. */
function startsOf(call: Arguments): readonly Value[] {
  const { meaning } = call.item("starts");
  const starts =
    meaning.kind === "tensor"
      ? elementsOf(call, meaning.value)
      : call.tensors("starts").map((start) => {
          requireIntegers(call.env, start, call.spanOf("starts"));
          return start;
        });
  const dtypes = new Set(starts.map((start) => start.type.dtype));
  if (dtypes.size <= 1) return starts;
  return starts.map((start) =>
    start.type.dtype === "i64" ? start : call.apply("cast", [start], { to: "i64" }, call.site("starts")),
  );
}

function elementsOf(call: Arguments, value: Value): readonly Value[] {
  requireIntegers(call.env, value, call.spanOf("starts"));
  const [count, ...others] = value.type.shape;
  if (count === undefined) return [value];
  if (typeof count !== "number" || others.length > 0) {
    const text = `\`starts\` holds one number for each axis, not ${typeText(value.type)}`;
    throw refusal(call.env, "G025", call.spanOf("starts"), text);
  }
  const site = call.site("starts");
  return Array.from({ length: count }, (_, i) => {
    const cut = { start: [i], limit: [addDims(i, 1)], strides: [1] };
    return call.apply("reshape", [call.apply("slice", [value], cut, site)], { shape: [] }, site);
  });
}

export const indexing: readonly Intrinsic[] = [
  {
    name: "gather",
    doc: `The elements of x along an axis at \`indices\`, a tensor of any shape, which stands in the place of the axis. ${negatives}`,
    parameters: [x, indices, axis("0")],
    result: "y",
    build: gather,
  },
  {
    name: "gather_nd",
    doc:
      "The elements of x at rows of indices: the last axis of `indices` has an index for each of the first axes of x. The first " +
      `\`batch_axes\` axes of both run side by side. ${negatives}`,
    parameters: [x, indices, { name: "batch_axes", kind: "int", default: "0" }],
    result: "y",
    build: (call) => {
      const value = call.tensor("x");
      return tensor(gatherAt(call.env, value, placesOfRows(call, value), 0, call.site("x", "indices")));
    },
  },
  {
    name: "take_along_axis",
    doc: `Element [..., i, ...] is x[..., indices[..., i, ...], ...]: x and \`indices\` run side by side along all other axes, and broadcast. ${negatives}`,
    parameters: [x, indices, { name: "axis", kind: "int" }],
    result: "y",
    build: takeAlongAxis,
  },
  {
    name: "scatter",
    doc: `x with \`updates\` (which broadcast) combined into it along an axis at \`indices\`: what \`gather\` reads is written. ${order} ${negatives}`,
    parameters: [x, indices, updates, axis("0"), combiner],
    result: "y",
    build: scatter,
  },
  {
    name: "scatter_nd",
    doc: `x with \`updates\` (which broadcast) combined into it at rows of indices: what \`gather_nd\` reads is written. ${order} ${negatives}`,
    parameters: [x, indices, updates, combiner],
    result: "y",
    build: scatterNd,
  },
  {
    name: "put_along_axis",
    doc: `x with \`updates\` (which broadcast) combined into it: what \`take_along_axis\` reads is written. ${order} ${negatives}`,
    parameters: [x, indices, updates, { name: "axis", kind: "int" }, combiner],
    result: "y",
    build: putAlongAxis,
  },
  {
    name: "dynamic_slice",
    doc:
      "A box of x of a fixed shape that starts where `starts` says: an int or an integer scalar for each axis, or a vector of them, counted " +
      "from 0. A box that is not wholly inside fails the run.",
    parameters: [x, { name: "starts", kind: "list" }, { name: "sizes", kind: "shape" }],
    result: "y",
    build: (call) =>
      tensor(
        call.apply(
          "dynamic_slice",
          [call.tensor("x"), ...startsOf(call)],
          { sizes: call.shape("sizes") },
          call.site("x", "starts"),
        ),
      ),
  },
  {
    name: "dynamic_update_slice",
    doc: "x with the box that `dynamic_slice` would read replaced by `updates`.",
    parameters: [x, updates, { name: "starts", kind: "list" }],
    result: "y",
    build: (call) => {
      const value = call.tensor("x");
      const given = call.tensor("updates", value.type.dtype);
      return tensor(
        call.apply("dynamic_update_slice", [value, given, ...startsOf(call)], {}, call.site("x", "updates", "starts")),
      );
    },
  },
];
