import { edgeWidth, wholeCaptionOf } from "./boxes.js";
import { sideTint } from "./colours.js";
import type { Direction } from "./placed.js";
import { light } from "./style.js";
import type { Box, Visible } from "./visible.js";

/** The boxes and edges in the language of Graphviz; open groups are clusters. */
export function dotText(visible: Visible, name: string, direction: Direction): string {
  const children = new Map<string | undefined, Box[]>();
  for (const box of visible.boxes) {
    const list = children.get(box.parent);
    if (list === undefined) children.set(box.parent, [box]);
    else list.push(box);
  }
  const lines = (parent: string | undefined, indent: string): readonly string[] =>
    (children.get(parent) ?? []).flatMap((box) => {
      const { name: title, text } = wholeCaptionOf(box);
      const isState = box.group?.kind === "state";
      const words = isState ? [box.name, ...(box.group?.text ?? "").split(", ")] : [title, text];
      const whole = words.filter((part) => part !== "").join(isState ? "\n" : " ");
      const wrapped = isState ? whole : linesOf(whole).join("\n");
      const label = quoted(wrapped);
      // In a label of several lines a name is hard to read, and can't be copied.
      const tooltip = wrapped.length > 0 && wrapped !== whole ? `, tooltip=${quoted(whole)}` : "";
      if (!box.isOpen) return [`${indent}${box.id} [label=${label}${tooltip}, ${shapeOf(box)}];`];
      return [
        `${indent}subgraph cluster_${box.id} {`,
        `${indent}  label=${label}${tooltip.replace(", ", "; ")};`,
        ...(box.group?.kind === "side" ? [`${indent}  ${sideStyle(box.group.name)}`] : []),
        ...lines(box.id, `${indent}  `),
        `${indent}}`,
      ];
    });
  // An edge of an open group is one of a loop's own box in it.
  const edges = visible.edges.map(
    ({ from, to, label, bytes }) => `  ${from} -> ${to} [label=${quoted(label)}, penwidth=${edgeWidth(bytes)}];`,
  );
  return [
    `digraph ${quoted(name)} {`,
    `  rankdir=${direction === "down" ? "TB" : "LR"};`,
    '  node [shape=box, style=rounded, fontname="monospace", fontsize=11];',
    '  edge [fontname="monospace", fontsize=9];',
    ...lines(undefined, "  "),
    ...edges,
    "}",
    "",
  ].join("\n");
}

function shapeOf(box: Box): string {
  if (box.group?.kind === "transfers") return 'shape=hexagon, peripheries=2, style=""';
  if (box.group?.kind === "state") return 'shape=cylinder, style=""';
  if (box.group !== undefined) return 'shape=box3d, style=""';
  switch (box.node?.kind) {
    case "placeholder":
    case "output":
      return "shape=oval";
    case "variable":
    case "assign":
      return 'shape=cylinder, style=""';
    case "constant":
    case "parameter":
      return 'style="dashed"';
    case "transfer":
      return 'shape=hexagon, style=""';
    case "op":
    case undefined:
      return "shape=box";
  }
}

/** A side stands out from the groups in it. */
function sideStyle(name: string): string {
  const { fill, stroke } = light.tints[sideTint(name)] ?? light.area;
  return `style="rounded,filled"; fillcolor="${fill}"; color="${stroke}"; penwidth=2; fontname="monospace bold";`;
}

/** Characters of a line of a label. */
const mostInLine = 40;

/** Lines that a label is read in, broken behind what parts names. */
function linesOf(text: string): readonly string[] {
  const lines: string[] = [""];
  for (const part of text.match(/[^\s/_.,·]*[\s/_.,·]*/g) ?? []) {
    const last = lines.length - 1;
    if (`${lines[last]}${part}`.trimEnd().length <= mostInLine || lines[last] === "") lines[last] += part;
    else lines.push(part);
  }
  return lines.map((line) => line.trimEnd());
}

/** A quoted string of DOT, in which a backslash begins an escape of labels, an ampersand an entity, and a line break ends nothing. */
function quoted(text: string): string {
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replace(/&(?=#?\w+;)/g, "&amp;");
  return `"${escaped.replaceAll("\n", "\\n").replaceAll("\r", "")}"`;
}
