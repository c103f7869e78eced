/** Reading and writing at run-time positions. */
import { list, type Rule, type Rules, type View } from "../view.js";

const combiner = (n: View) => `combiner="${n.text("reduction", "none").replace("none", "set")}"`;

/** Indices may be fewer than the tensor's sizes along the other axes: only that part is read. */
function gatherElements(n: View): string {
  const axis = n.axis(0);
  const part = n.shape().map((size, i) => (i === axis || size === n.shape(1)[i] ? ":" : `0:${n.shape(1)[i]}`));
  return `take_along_axis(${n.in(0)}[${part.join(", ")}], ${n.in(1)}, axis=${axis})`;
}

const scatterElements: Rule = (n) =>
  `put_along_axis(${n.in(0)}, ${n.in(1)}, ${n.in(2)}, axis=${n.axis(0)}, ${combiner(n)})`;

function oneHot(n: View): string {
  const given = n.number("axis", -1);
  const axis = given < 0 ? given + n.rank() + 1 : given;
  const shape = [...n.shape().slice(0, axis), n.numbers(1)[0] ?? 0, ...n.shape().slice(axis)];
  return `between(${n.in(0)}, ${list(shape)}, ${axis}, ${n.in(2)})`;
}

export const indexing: Rules = {
  Gather: (n) => `gather(${n.in(0)}, ${n.in(1)}, axis=${n.axis(0)})`,
  GatherElements: gatherElements,
  GatherND: (n) => `gather_nd(${n.in(0)}, ${n.in(1)}, batch_axes=${n.number("batch_dims", 0)})`,
  Scatter: scatterElements,
  ScatterElements: scatterElements,
  ScatterND: (n) => `scatter_nd(${n.in(0)}, ${n.in(1)}, ${n.in(2)}, ${combiner(n)})`,
  OneHot: oneHot,
  Hardmax: (n) =>
    `one_hot(argmax(${n.in(0)}, axis=${n.axis(-1)}), ${n.shape()[n.axis(-1)]}, dtype=${n.dtype()}, axis=${n.axis(-1)})`,
};
