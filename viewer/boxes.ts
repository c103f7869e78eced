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

/** Characters of a caption in one line, and of each line of one that is longer. */
const mostInOne = 60;
const mostInLine = 40;
/** Below one line of a box. */
export const lineHeight = 15;
/** Characters of a constant: it may be any text. */
const mostText = 36;
/** Characters of a name or text at most: eight lines. */
const mostWhole = 320;

/** What a box says: names and calls whole, a constant cut in its middle, and many variables counted. */
export function captionOf(box: Box): Caption {
  const [name, what, ...others] = partsOf(box);
  const isState = box.group?.kind === "state";
  const text = isState ? stateText(what) : shortened(what, box.node?.kind === "constant" ? mostText : mostWhole);
  return { name: shortened(name, mostWhole), text: joined([text, ...others]) };
}

/** The lines that a caption is read in: one where it is not long. Each has a part of the name, of the text, or the end of the one and the begin of the other. */
export function linesOf(caption: Caption): readonly Caption[] {
  const { name, text } = caption;
  if (lengthOf(caption) <= mostInOne) return [caption];
  const length = [...name].length;
  let from = 0;
  return wrapped(joinedName(caption), mostInLine).map((line) => {
    // All of the name comes before all of the text, with a blank between them.
    const characters = [...line];
    const ofName = Math.min(characters.length, Math.max(0, length - from));
    from += characters.length;
    return {
      name: characters.slice(0, ofName).join("").trimEnd(),
      text: text === "" ? "" : characters.slice(ofName).join("").trim(),
    };
  });
}

/** Name and text as one. */
export function joinedName({ name, text }: Caption): string {
  return [name, text].filter((part) => part !== "").join(" ");
}

/** A text in lines, broken behind what parts names; the blanks at the ends of lines are kept. A word that is longer than a line is cut. */
export function wrapped(text: string, most: number): readonly string[] {
  const lines: string[] = [""];
  const words = text.match(/[^\s/_.,·]*[\s/_.,·]*/gu) ?? [];
  for (const part of words.flatMap((word) => cutAt(word, most))) {
    const last = lines.length - 1;
    if ([...`${lines[last]}${part}`.trimEnd()].length <= most || lines[last] === "") lines[last] += part;
    else lines.push(part);
  }
  return lines;
}

function cutAt(word: string, most: number): readonly string[] {
  const characters = [...word];
  const pieces: string[] = [];
  for (let at = 0; at < characters.length; at += most) pieces.push(characters.slice(at, at + most).join(""));
  return pieces;
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
    const isSaid = group.text === group.name || (group.kind === "part" && group.text === "part");
    const own = isSaid ? "" : group.text;
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
  return Math.max(44, Math.ceil(longestOf(caption) * characterWidth) + 24);
}

export function heightOf(caption: Caption): number {
  return boxHeight + extraHeightOf(caption);
}

/** What the lines after the first take. */
export function extraHeightOf(caption: Caption): number {
  return (linesOf(caption).length - 1) * lineHeight;
}

function longestOf(caption: Caption): number {
  return Math.max(...linesOf(caption).map(lengthOf));
}

/** Of a title, with the space around its text. */
export function titleWidthOf(caption: Caption): number {
  return Math.ceil(longestOf(caption) * characterWidth) + 2 * titlePadding;
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
