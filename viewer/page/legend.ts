import { type ColourMode, paintOf } from "../colours.js";
import { hasTimes } from "../heat.js";
import { element } from "./dom.js";
import type { Pane } from "./pane.js";

/** What the colours of the boxes in the pictures in sight mean, one of a program or several. */
export function legendOf(panes: readonly Pane[], colour: ColourMode): readonly HTMLElement[] {
  if (colour === "time" && !panes.some(({ program }) => hasTimes(program)))
    return [element("li", {}, "Times need a profile.")];
  const labels = new Map<string, string>();
  // Outlines tell apart what has no colour of its own.
  const dashed = new Set<string>();
  for (const { index, program, placed } of panes)
    for (const { box } of placed.boxes) {
      if (box.isOpen) continue;
      const { name, label } = paintOf(box, colour, index.view, program);
      if (label !== "" && !labels.has(label)) labels.set(label, name);
      const isGiven = box.node?.kind === "constant" || box.node?.kind === "parameter";
      if (colour === "structure" && isGiven) dashed.add(label);
    }
  const svg = (label: string, name: string): SVGSVGElement => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    made.setAttribute("viewBox", "0 0 14 14");
    const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    for (const [key, value] of Object.entries({ x: "1", y: "1", width: "12", height: "12", rx: "3", class: name }))
      rect.setAttribute(key, value);
    if (dashed.has(label)) rect.setAttribute("stroke-dasharray", "3 2");
    made.append(rect);
    return made;
  };
  // Steps of a scale stand in their order.
  const isScale = [...labels.values()].every((name) => name.startsWith("h"));
  const entries = isScale ? [...labels].sort((a, b) => (a[1] < b[1] ? 1 : -1)) : [...labels];
  const items = entries.map(([label, name]) => element("li", {}, svg(label, name), label));
  const notes = new Set(panes.map((pane) => noteOf(pane, colour)).filter((note) => note !== undefined));
  return [...items, ...[...notes].map((note) => element("li", {}, note))];
}

/** What the colours of groups mean, where that is not plain. */
function noteOf({ index, placed }: Pane, colour: ColourMode): string | undefined {
  const isCarried = index.view.kind !== "kernels";
  const hasClosed = placed.boxes.some(({ box }) => box.group !== undefined && !box.isOpen);
  switch (colour) {
    case "structure":
      return undefined;
    case "scope":
    case "dtype":
      return hasClosed ? "a closed group: what most of its bytes are" : undefined;
    case "device":
      return isCarried ? "the device of the kernels that it went into" : undefined;
    case "time":
      return isCarried ? "the time of the kernel that it went into" : undefined;
    case "memory":
      return hasClosed ? "a closed group: the largest value in it" : undefined;
  }
}
