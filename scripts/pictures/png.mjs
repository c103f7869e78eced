// Pictures of single pixels as PNG, which charts embed.
import { crc32, deflateSync } from "node:zlib";

/** One chunk of a PNG file: length, name, data, and the check sum of the latter two (PNG specification, 5.3). */
function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** A PNG file of rows of pixels from the top, each [red, green, blue] from 0 to 255. */
export function png(width, height, pixels) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8); // 8 bits a colour; deflated, filtered by rows, not interlaced.
  // Each row starts with the number of its filter: 0, as it is.
  const rows = Buffer.alloc((3 * width + 1) * height);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      rows.set(pixels[row * width + column], row * (3 * width + 1) + 1 + 3 * column);
    }
  }
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
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
