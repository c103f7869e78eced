import {
  boxHeight,
  type Caption,
  captionOf,
  captionWithin,
  characterWidth,
  edgeWidth,
  lengthOf,
  lineHeight,
  linesOf,
  titlePadding,
} from "./boxes.js";
import { frameClass, type Paint } from "./colours.js";
import type { Placed, PlacedBox, PlacedEdge, Point, Rectangle } from "./placed.js";
import type { Box } from "./visible.js";

/** Text between tags and in attributes, whatever a user named. Characters that XML has no place for become U+FFFD. */
export function escapeMarkup(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be written.
      .replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, "\uFFFD")
      .replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, "\uFFFD")
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
  );
}

/** How a picture is drawn besides its coordinates. */
export interface Drawing {
  readonly paint: (box: Box) => Paint;
  /** Names the boxes for the page's own handlers and for assistive technology. */
  readonly isInteractive: boolean;
  readonly describe: (box: Box) => string;
}

/** The elements of a picture: areas, then edges, then boxes. All numbers have at most one decimal. */
export function drawElements(placed: Placed, drawing: Drawing): string {
  const areas = placed.boxes.filter(({ box }) => box.isOpen).map((one) => drawArea(one, drawing));
  const edges = placed.edges.map((edge) => drawEdge(edge, drawing));
  const boxes = placed.boxes.filter(({ box }) => !box.isOpen).map((one) => drawBox(one, drawing));
  const titles = placed.boxes.map((one) => drawTitle(one, drawing)).filter((one) => one !== "");
  const labels = placed.edges.map((edge) => drawLabel(edge, drawing)).filter((one) => one !== "");
  return [...areas, ...edges, ...labels, ...titles, ...boxes].join("\n");
}

function handles({ box }: PlacedBox, drawing: Drawing): string {
  if (!drawing.isInteractive) return "";
  const expanded = box.group === undefined ? "" : ` aria-expanded="${box.isOpen}"`;
  return ` data-box="${box.id}" role="button" tabindex="-1" aria-label="${escapeMarkup(drawing.describe(box))}"${expanded}`;
}

function drawArea(one: PlacedBox, drawing: Drawing): string {
  const { box, x, y, width, height } = one;
  const frame = box.group === undefined ? undefined : frameClass(box.group);
  return (
    `<g class="box open role-${box.role}"${handles(one, drawing)}>${title(box, drawing)}` +
    `<rect class="area${frame === undefined ? "" : ` ${frame}`}" x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" rx="8"/></g>`
  );
}

function drawTitle({ box, title: ground }: PlacedBox, drawing: Drawing): string {
  if (ground === undefined) return "";
  const { x, y, width, height } = ground;
  const caption = linesOf(captionOf(box))
    .map((line, i) => captionText(x + titlePadding, y + 14 + i * lineHeight, captionWithin(line, width)))
    .join("");
  if (!drawing.isInteractive) return caption;
  // What can be pressed is more than the letters.
  const pressed = `<rect class="pressed" x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" rx="4"/>`;
  return `<g class="title" data-title="${box.id}">${pressed}${caption}</g>`;
}

function drawBox(one: PlacedBox, drawing: Drawing): string {
  const { box, x, y, width } = one;
  const { name: tint } = drawing.paint(box);
  const lines = linesOf(captionOf(box)).map((line, i) =>
    captionText(x + (width - lengthOf(line) * characterWidth) / 2, y + 19 + i * lineHeight, line),
  );
  const inverse = tint === "output" ? " inverse" : /^h\d$/.test(tint) ? " heat" : "";
  return (
    `<g class="box role-${box.role}${inverse}"${handles(one, drawing)}>${title(box, drawing)}` +
    `${outline(one, tint)}${lines.join("")}</g>`
  );
}

/** Each kind of box has its own outline, so that colour is not all that tells them apart. */
function outline({ box, ...at }: PlacedBox, tint: string): string {
  const { x, y, width, height } = at;
  const rect = (dx: number, radius: number, extra = ""): string =>
    `<rect class="${tint}" x="${n(x + dx)}" y="${n(y + dx)}" width="${n(width - 2 * dx)}" height="${n(height - 2 * dx)}" rx="${radius}"${extra}/>`;
  if (box.group?.kind === "transfers") return hexagon({ ...at, x: x + 4, y: y + 4 }, tint) + hexagon(at, tint);
  if (box.group !== undefined) {
    const behind = `<rect class="${tint}" x="${n(x + 4)}" y="${n(y + 4)}" width="${n(width - 1)}" height="${n(height - 1)}" rx="6"/>`;
    return behind + (box.group.kind === "state" ? rect(0, 4) + rect(3, 2) : rect(0, 6));
  }
  switch (box.node?.kind) {
    case "placeholder":
    case "output":
      return rect(0, boxHeight / 2);
    case "variable":
    case "assign":
      return rect(0, 4) + rect(3, 2);
    case "constant":
    case "parameter":
      return rect(0, 4, ' stroke-dasharray="4 3"');
    case "transfer":
      return hexagon(at, tint);
    case "op":
    case undefined:
      return rect(0, 6);
  }
}

/** What crosses from one memory to another. */
function hexagon({ x, y, width, height }: Rectangle, tint: string): string {
  const [right, middle, bottom, cut] = [x + width, y + height / 2, y + height, 9];
  return (
    `<path class="${tint}" d="M${n(x)} ${n(middle)}L${n(x + cut)} ${n(y)}H${n(right - cut)}L${n(right)} ${n(middle)}` +
    `L${n(right - cut)} ${n(bottom)}H${n(x + cut)}Z"/>`
  );
}

function captionText(x: number, y: number, { name, text }: Caption): string {
  const parts = [
    ...(name === "" ? [] : [`<tspan class="name">${escapeMarkup(name)}</tspan>`]),
    ...(text === "" ? [] : [`<tspan class="text">${escapeMarkup(text)}</tspan>`]),
  ];
  return `<text x="${n(x)}" y="${n(y)}" xml:space="preserve">${parts.join(" ")}</text>`;
}

function title(box: Box, drawing: Drawing): string {
  return `<title>${escapeMarkup(drawing.describe(box))}</title>`;
}

function drawEdge({ edge, points }: PlacedEdge, drawing: Drawing): string {
  const width = edgeWidth(edge.bytes);
  const size = 5 + width;
  const end = points.at(-1) as Point;
  const before = points.at(-2) ?? end;
  const tip = arrow(before, end, size);
  const cut = [...points.slice(0, -1), towards(before, end, size - 1)];
  const handle = drawing.isInteractive ? ` data-edge="${edge.id}"` : "";
  const hint = drawing.isInteractive ? `<title>${escapeMarkup(edge.label)}</title>` : "";
  return (
    `<g class="wire"${handle}>${hint}<path class="edge" stroke-width="${width}" d="${roundedPath(cut)}"/>` +
    `<path class="head" d="${tip}"/></g>`
  );
}

function towards(from: Point, to: Point, back: number): Point {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  return { x: to.x - ((to.x - from.x) / length) * back, y: to.y - ((to.y - from.y) / length) * back };
}

function arrow(from: Point, to: Point, size: number): string {
  const base = towards(from, to, size);
  const [dx, dy] = [(to.x - base.x) / size, (to.y - base.y) / size];
  const half = size * 0.5;
  return `M${n(to.x)} ${n(to.y)}L${n(base.x - dy * half)} ${n(base.y + dx * half)}L${n(base.x + dy * half)} ${n(base.y - dx * half)}Z`;
}

const cornerRadius = 6;

/** Right-angled lines with rounded corners. */
function roundedPath(points: readonly Point[]): string {
  const [start, ...rest] = points;
  if (start === undefined) return "";
  let path = `M${n(start.x)} ${n(start.y)}`;
  let previous = start;
  rest.forEach((point, i) => {
    const next = rest[i + 1];
    if (next === undefined) path += `L${n(point.x)} ${n(point.y)}`;
    else {
      const room = Math.min(
        cornerRadius,
        Math.hypot(point.x - previous.x, point.y - previous.y) / 2,
        Math.hypot(next.x - point.x, next.y - point.y) / 2,
      );
      const [into, out] = [towards(previous, point, room), towards(next, point, room)];
      path += `L${n(into.x)} ${n(into.y)}Q${n(point.x)} ${n(point.y)} ${n(out.x)} ${n(out.y)}`;
    }
    previous = point;
  });
  return path;
}

function drawLabel({ edge, label }: PlacedEdge, drawing: Drawing): string {
  if (label === undefined || edge.label === "") return "";
  const handle = drawing.isInteractive ? ` data-edge="${edge.id}"` : "";
  const { x, y, width } = label;
  return `<text class="label"${handle} text-anchor="middle" x="${n(x + width / 2)}" y="${n(y + 10.5)}">${escapeMarkup(edge.label)}</text>`;
}

function n(value: number): string {
  return String(Math.round(value * 10) / 10);
}
