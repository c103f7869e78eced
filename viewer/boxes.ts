import type { Box } from "./visible.js";

/** The diagrams are written in a monospaced face: what it shows is code, and its widths are known without a font. */
export const characterWidth = 7.3;
export const labelWidth = 6.1;
export const fontSize = 12;
export const labelSize = 10;
export const boxHeight = 30;
export const headerHeight = 30;
/** Around the whole picture. */
export const pagePadding = 16;

/** The two texts of a box: what it is called, and what it is. */
export interface Caption {
  readonly name: string;
  readonly text: string;
}

const mostName = 32;
const mostText = 36;
/** A stage says what it calls, which kernels it has, and their share. */
const mostStage = 48;

export function captionOf(box: Box): Caption {
  const { node, group } = box;
  if (group !== undefined) {
    const many = contentOf(box);
    const name = shortened(box.name, mostName);
    if (group.kind === "state") return { name, text: stateText(group.text) };
    if (group.kind === "phase" || group.kind === "stage") return { name, text: shortened(group.text, mostStage) };
    const own = group.kind === "part" || group.text === group.name ? "" : group.text;
    const what = group.kernel === undefined ? own : `#${group.kernel.order} ${own}`.trimEnd();
    const isWhole = box.isOpen || group.kind === "transfers";
    const text = isWhole ? what : what === "" ? many : `${what} · ${many}`;
    return { name, text: shortened(text, mostText) };
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
    case "transfer":
    case "constant":
    case "parameter":
      return { name, text };
  }
}

/** What a group holds, counted: its ops, or its variables where it has nothing else. */
export function contentOf({ count, variables }: Pick<Box, "count" | "variables">): string {
  const [many, what] = count === 0 && variables > 0 ? [variables, "variable"] : [count, "op"];
  return `${many.toLocaleString("en-US")} ${what}${many === 1 ? "" : "s"}`;
}

/** The names of variables, counted where they are many. */
function stateText(names: string): string {
  if (names.length <= mostText) return names;
  const count = names.split(", ").length;
  return names.endsWith(":=") ? `${count} new values` : `${count} variables`;
}

/** Cuts a long text in its middle, where both ends tell something. */
export function shortened(text: string, most: number): string {
  const characters = [...text];
  if (characters.length <= most) return text;
  const head = Math.ceil((most - 1) / 2);
  return `${characters.slice(0, head).join("")}…${characters.slice(characters.length - (most - 1 - head)).join("")}`;
}

/** Characters of a caption, with the blank between its parts. */
export function lengthOf({ name, text }: Caption): number {
  return [...name].length + (name !== "" && text !== "" ? 1 : 0) + [...text].length;
}

export function widthOf(caption: Caption): number {
  return Math.max(44, Math.ceil(lengthOf(caption) * characterWidth) + 24);
}

/** Of a title, with the space around its text. */
export function titleWidthOf(caption: Caption): number {
  return Math.ceil(lengthOf(caption) * characterWidth) + 2 * titlePadding;
}

export const titlePadding = 6;

/** What of a title's caption a width has room for. */
export function captionWithin({ name, text }: Caption, width: number): Caption {
  const most = Math.floor((width - 2 * titlePadding) / characterWidth + 0.01);
  const left = most - [...name].length - 1;
  if (lengthOf({ name, text }) <= most) return { name, text };
  return left > 2 ? { name, text: shortened(text, left) } : { name: most > 2 ? shortened(name, most) : "", text: "" };
}

/** Wider for more bytes: each step is four times as many. */
export function edgeWidth(bytes: number | undefined): number {
  if (bytes === undefined || bytes <= 0) return 1;
  return Math.round(10 * Math.min(6, 1 + Math.max(0, Math.log2(bytes / 64)) / 4)) / 10;
}
