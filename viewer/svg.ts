import { type ColourMode, paintOf } from "./colours.js";
import { describeBox } from "./describe.js";
import { drawElements, escapeMarkup } from "./draw.js";
import type { ProgramModel, ViewModel } from "./model.js";
import type { Placed } from "./placed.js";
import { diagramStyle } from "./style.js";

export interface SvgOptions {
  readonly title: string;
  readonly colour: ColourMode;
  /** `both` follows the reader's system. */
  readonly themes: "light" | "dark" | "both";
}

/** Stands where a graph without boxes would be a blank. */
export const nothingText = "There is nothing to show: this graph has no ops.";

/** A picture as a file of its own: its style is in it, and it loads nothing. */
export function svgText(placed: Placed, view: ViewModel, program: ProgramModel, options: SvgOptions): string {
  const isEmpty = placed.boxes.length === 0;
  const [width, height] = isEmpty ? [400, 80] : [Math.ceil(placed.width), Math.ceil(placed.height)];
  const body = isEmpty
    ? `<text class="text" x="${width / 2}" y="${height / 2 + 4}" text-anchor="middle">${nothingText}</text>`
    : drawElements(placed, {
        paint: (box) => paintOf(box, options.colour, view, program),
        describe: (box) => describeBox(box, view),
        isInteractive: false,
      });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">\n` +
    `<title>${escapeMarkup(options.title)}</title>\n<style>${diagramStyle(options.themes)}</style>\n` +
    `<rect class="page" width="${width}" height="${height}" rx="8"/>\n${body}\n</svg>\n`
  );
}
