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
const mostStage = 56;

/** What a box says, with what is long cut in its middle. */
export function captionOf(box: Box): Caption {
  const [name, what, ...others] = partsOf(box);
  const isStage = box.group?.kind === "phase" || box.group?.kind === "stage";
  const left = (isStage ? mostStage : mostText) - others.reduce((sum, part) => sum + part.length + between.length, 0);
  const isState = box.group?.kind === "state";
  const text = isState ? stateText(what) : shortened(what, Math.max(mostText / 2, left));
  return { name: shortened(name, mostName), text: joined([text, ...others]) };
}

/** The same, whole. */
export function wholeCaptionOf(box: Box): Caption {
  const [name, ...texts] = partsOf(box);
  return { name, text: joined(texts) };
}

const between = " · ";

function joined(texts: readonly string[]): string {
  return texts.filter((text) => text !== "").join(between);
}

/** What a box is called, what it is, where it is placed, and how much is in it. */
function partsOf(box: Box): readonly [name: string, what: string, ...others: readonly string[]] {
  const { node, group, name } = box;
  const place = placeText(box);
  if (group !== undefined) {
    if (group.kind === "state" || group.kind === "phase" || group.kind === "stage") return [name, group.text];
    const own = group.kind === "part" || group.text === group.name ? "" : group.text;
    const what = group.kernel === undefined ? own : `#${group.kernel.order} ${own}`.trimEnd();
    const isWhole = box.isOpen || group.kind === "transfers";
    return [name, what, ...[place, isWhole ? "" : contentOf(box)].filter((text) => text !== "")];
  }
  switch (node?.kind) {
    case "placeholder":
    case "variable":
      return [name, ""];
    case "assign":
      return [`${name} :=`, ""];
    case "output":
    case "op":
    case "transfer":
    case "constant":
    case "parameter":
      return [name, node.text, ...(place === "" ? [] : [place])];
    case undefined:
      return ["", ""];
  }
}

function placeText({ on }: Box): string {
  return on === undefined ? "" : `on ${on}`;
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
