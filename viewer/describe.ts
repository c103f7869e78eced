import { contentOf } from "./boxes.js";
import type { ViewModel } from "./model.js";
import type { Box } from "./visible.js";

/** A box in words, for tooltips and for those who hear the picture. */
export function describeBox(box: Box, view: ViewModel): string {
  return box.on === undefined ? wordsOf(box, view) : `${wordsOf(box, view)}, on ${box.on}`;
}

function wordsOf(box: Box, view: ViewModel): string {
  const { node, group } = box;
  if (group !== undefined) {
    if (group.kind === "transfers") return `${group.name}, sent ${group.text}`;
    if (group.kind === "state") return `variables of ${group.name}: ${group.text}`;
    if (group.kernel !== undefined)
      return `${group.name}, ${group.text}, number ${group.kernel.order} of a run, ${contentOf(box)}`;
    const what =
      group.kind !== "part"
        ? group.text
        : group.text === "part"
          ? "part of the graph"
          : `part of the graph, ${group.text}`;
    return `${group.name}, ${what}, ${contentOf(box)}`;
  }
  if (node === undefined) return "";
  const types = node.outputs.map((type) => view.types[type]?.text ?? "").join(", ");
  switch (node.kind) {
    case "output":
      return `output ${node.name}: ${types}`;
    case "assign":
      return `new value of the variable ${node.name}: ${types}`;
    case "placeholder":
    case "variable":
      return `${node.kind} ${node.name}: ${types}`;
    case "transfer":
      return `${node.name} is sent ${node.text}: ${types}`;
    case "op":
    case "constant":
      return `${node.name === "" ? "" : `${node.name} = `}${node.text}: ${types}`;
    case "parameter":
      return `${node.name === "" ? "" : `${node.name}, `}${node.text}: ${types}`;
  }
}
