// Pictures of single pixels as PNG, which charts embed.
import { encodePng } from "../../dist/runtime/files/png.js";

/** A PNG file of rows of pixels from the top, each [red, green, blue] from 0 to 255. */
export function png(width, height, pixels) {
  return encodePng(width, height, 3, Uint8Array.from(pixels.flat()));
}

/** The same as the address of an image that a chart shows. */
export function pngAddress(width, height, pixels) {
  return `data:image/png;base64,${png(width, height, pixels).toString("base64")}`;
}

/** The colour at `share`, from 0 to 1, of a scale that goes through `stops`, evenly spaced [red, green, blue]. */
export function colourAt(share, stops) {
  const place = Math.min(1, Math.max(0, share)) * (stops.length - 1);
  const below = Math.min(stops.length - 2, Math.floor(place));
  return stops[below].map((from, i) => Math.round(from + (place - below) * (stops[below + 1][i] - from)));
}
