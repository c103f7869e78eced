import { InternalError } from "../ir/diagnostic.js";
import { isTensor, type Node, type Value } from "../ir/node.js";

const splats = new WeakMap<Node, { readonly element: number | bigint | undefined }>();

/** The raw element that all elements of a constant equal bit for bit; undefined for another node or when they differ. */
export function splatOf(value: Value): number | bigint | undefined {
  if (value.node.op !== "constant") return undefined;
  const known = splats.get(value.node);
  if (known !== undefined) return known.element;
  const literal = value.node.attributes["value"];
  if (literal === undefined || !isTensor(literal)) throw new InternalError("a constant without a value");
  const { data } = literal;
  const first = data[0];
  let element: number | bigint | undefined = first ?? (literal.dtype === "i64" ? 0n : 0);
  for (let i = 1; i < data.length; i++) {
    if (!Object.is(data[i], first)) {
      element = undefined;
      break;
    }
  }
  splats.set(value.node, { element });
  return element;
}
