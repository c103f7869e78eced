import { edgeWidth, wholeCaptionOf, wrapped } from "./boxes.js";
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
  const boxLines = (parent: string | undefined, indent: string): readonly string[] =>
    (children.get(parent) ?? []).flatMap((box) => {
      const { name: title, text } = wholeCaptionOf(box);
      const isState = box.group?.kind === "state";
      const words = isState ? [box.name, ...(box.group?.text ?? "").split(", ")] : [title, text];
      const whole = words.filter((part) => part !== "").join(isState ? "\n" : " ");
      const lines = isState ? [whole] : wrapped(whole, mostInLine);
      const shown = lines.map((line) => line.trimEnd()).join("\n");
      const label = quoted(shown);
      // In a label of several lines a name is hard to read, and can't be copied.
      const tooltip = shown.length > 0 && shown !== whole ? `, tooltip=${quoted(whole)}` : "";
      if (!box.isOpen) return [`${indent}${box.id} [label=${label}${tooltip}, ${shapeOf(box)}];`];
      return [
        `${indent}subgraph cluster_${box.id} {`,
        `${indent}  label=${label}${tooltip.replace(", ", "; ")};`,
        ...(box.group?.kind === "side" ? [`${indent}  ${sideStyle(box.group.name)}`] : []),
        ...boxLines(box.id, `${indent}  `),
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
    ...boxLines(undefined, "  "),
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

/** A quoted string of DOT, in which a backslash begins an escape of labels, an ampersand an entity, and a line break ends nothing. */
function quoted(text: string): string {
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replace(/&(?=#?\w+;)/g, "&amp;");
  return `"${escaped.replaceAll("\n", "\\n").replaceAll("\r", "")}"`;
}
