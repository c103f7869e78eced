import type { Box } from "./visible.js";

/** The diagrams are written in a monospaced face: what it shows is code, and its widths are known without a font. */
export const characterWidth = 7.3;
export const labelWidth = 6.1;
export const fontSize = 12;
export const labelSize = 10;
export const boxHeight = 30;
export const headerHeight = 30;

/** The two texts of a box: what it is called, and what it is. */
export interface Caption {
  readonly name: string;
  readonly text: string;
}

const mostName = 32;
const mostText = 36;

export function captionOf(box: Box): Caption {
  const { node, group } = box;
  if (group !== undefined) {
    const many = box.count === 1 ? "1 op" : `${box.count.toLocaleString("en-US")} ops`;
    const what = group.kind === "part" || group.text === group.name ? "" : group.text;
    const text = box.isOpen ? what : what === "" ? many : `${what} · ${many}`;
    return { name: shortened(group.name, mostName), text: shortened(text, mostText) };
  }
  if (node === undefined) return { name: "", text: "" };
  const name = shortened(box.name, mostName);
  const text = shortened(node.text, mostText);
  switch (node.kind) {
    case "placeholder":
    case "variable":
      return { name, text: "" };
    case "assign":
      return { name: `${name} :=`, text: "" };
    case "output":
    case "op":
    case "constant":
    case "parameter":
      return { name, text };
  }
}

/** Cuts a long text in its middle, where both ends tell something. */
export function shortened(text: string, most: number): string {
  const characters = [...text];
  if (characters.length <= most) return text;
  const head = Math.ceil((most - 1) / 2);
  return `${characters.slice(0, head).join("")}…${characters.slice(characters.length - (most - 1 - head)).join("")}`;
}

export function widthOf({ name, text }: Caption): number {
  const gap = name !== "" && text !== "" ? 1 : 0;
  return Math.max(44, Math.ceil(([...name].length + gap + [...text].length) * characterWidth) + 24);
}
