import type { TopLevelSpec } from "vega-lite";
import { isSymbolic, substituteDim } from "../compiler/ir/dim.js";
import { bindDims } from "../compiler/ir/specialise.js";
import type { TensorType } from "../compiler/ir/type.js";
import type { Program } from "../compiler/program.js";
import { cutLevels, greatestLevel, imageAxes, imagePixels } from "../runtime/events/observer.js";
import { writeFilesAtomic } from "../runtime/files/atomic.js";
import { encodePng } from "../runtime/files/png.js";
import { type Asked, checkFeeds } from "../runtime/requests.js";
import type { Feeds, Fetched } from "../runtime/typed.js";
import { pngOf, requirePng } from "../viewer/png.js";
import type { Console } from "./console.js";
import { UsageError } from "./failure.js";
import { countText, plural } from "./numbers.js";
import { gridOf, type PlotPart, partsOf, requirePlottable } from "./plot_check.js";
import type { PlotRequest } from "./plot_option.js";
import { confusionSpec, lineSpec, type PlotTensor, scatterSpec } from "./plot_specs.js";

/** A chart that is drawn and not yet written. */
export interface DrawnPlot {
  readonly path: string;
  readonly content: Uint8Array;
  /** What the picture itself does not tell of. */
  readonly remark: string | undefined;
}

/**
 * Sees before a run that its results fit what is to be drawn of them, with the sizes that the feeds give, and that there is what
 * draws. Throws UsageError; GraphError for feeds that don't fit, and G120 where a PNG can't be drawn here.
 */
export async function requirePlots(
  program: Program,
  asked: Asked,
  feeds: Feeds,
  requests: readonly PlotRequest[],
): Promise<void> {
  const prepared = await program.prepare(asked.selection);
  const results = new Map<string, TensorType | "string">([
    ...prepared.outputs.map(({ name, type }): [string, TensorType] => [name, type]),
    ...asked.strings.map(([name]): [string, "string"] => [name, "string"]),
  ]);
  const parts = requests.map((request) => partsOf(request, results));
  requests.forEach((request, i) => {
    requirePlottable(request, parts[i] ?? []);
  });
  if (parts.some((own) => own.some(({ type }) => type.shape.some(isSymbolic)))) {
    const dims = bindDims(program.graph, prepared.dims, checkFeeds(program, prepared, feeds));
    const bound = ({ name, type }: PlotPart): PlotPart => ({
      name,
      type: { ...type, shape: type.shape.map((size) => substituteDim(size, dims)) },
    });
    requests.forEach((request, i) => {
      requirePlottable(request, (parts[i] ?? []).map(bound));
    });
  }
  if (requests.some(({ kind }) => kind !== "images")) {
    await loadVega();
    if (requests.some((request) => request.kind !== "images" && isPng(request))) requirePng();
  }
}

/** Draws results, and writes nothing. Throws UsageError for results that do not fit the kind. */
export async function drawPlots(
  requests: readonly PlotRequest[],
  results: ReadonlyMap<string, Fetched>,
): Promise<readonly DrawnPlot[]> {
  const drawn: DrawnPlot[] = [];
  for (const request of requests) drawn.push({ path: request.path, ...(await drawPlot(request, results)) });
  return drawn;
}

/** Writes all charts or, where one cannot be written, none. */
export async function writePlots(console: Console, drawn: readonly DrawnPlot[]): Promise<void> {
  await writeFilesAtomic(drawn.map(({ path, content }) => ({ path, content: [content] })));
  for (const { path, remark } of drawn) console.note(`drew ${path}${remark === undefined ? "" : `: ${remark}`}`);
}

type Drawing = Omit<DrawnPlot, "path">;

async function drawPlot(request: PlotRequest, results: ReadonlyMap<string, Fetched>): Promise<Drawing> {
  const types = new Map([...results].map(([name, one]) => [name, one.dtype === "string" ? "string" : one] as const));
  const parts = partsOf(request, types);
  requirePlottable(request, parts);
  const tensors = parts.flatMap(({ name, type }): readonly PlotTensor[] => {
    const tensor = results.get(name);
    return tensor === undefined || tensor.dtype === "string" ? [] : [{ name, type, tensor }];
  });
  switch (request.kind) {
    case "images": {
      const [first] = tensors;
      if (first === undefined) return { content: new Uint8Array(), remark: undefined };
      return { content: imageGrid(request, first), remark: cutText(first) };
    }
    case "confusion":
      return chart(request, confusionSpec(tensors));
    case "line":
      return chart(request, lineSpec(tensors));
    case "scatter":
      return chart(request, scatterSpec(tensors));
  }
}

function isPng({ path }: PlotRequest): boolean {
  return path.toLowerCase().endsWith(".png");
}

/** A chart counts in its title; a picture has none. */
async function chart(request: PlotRequest, spec: TopLevelSpec): Promise<Drawing> {
  const svg = await vegaSvg(spec);
  // Where a screen shows one pixel, a document may be printed at twice as many.
  return { content: isPng(request) ? pngOf(svg, 2) : Buffer.from(svg), remark: undefined };
}

/** How many numbers are no level, where some are not. */
function cutText({ tensor }: PlotTensor): string | undefined {
  const axes = imageAxes(tensor);
  if (axes === undefined) return undefined;
  let [outside, notFinite] = [0, 0];
  for (let image = 0; image < axes.images; image++) {
    const cut = cutLevels(tensor, axes, image);
    outside += cut.outside;
    notFinite += cut.notFinite;
  }
  if (outside + notFinite === 0) return undefined;
  const counts = [
    ...(outside === 0 ? [] : [`${countText(outside)} outside 0 to ${greatestLevel(tensor)}`]),
    ...(notFinite === 0 ? [] : [`${countText(notFinite)} not finite`]),
  ];
  return `of ${plural(tensor.data.length, "number")} ${counts.join(" and ")}: cut to black or full brightness`;
}

/** All images of a batch, white between them. */
function imageGrid(request: PlotRequest, { tensor }: PlotTensor): Uint8Array {
  const axes = imageAxes(tensor) ?? { images: 0, height: 0, width: 0, channels: 1 };
  const { images, height, width, channels } = axes;
  const grid = gridOf(axes);
  const [wide, high] = [width * grid.factor + grid.gap, height * grid.factor + grid.gap];
  const row = grid.width * channels;
  const pixels = new Uint8Array(row * grid.height).fill(255);
  for (let image = 0; image < images; image++) {
    const own = imagePixels(tensor, axes, image);
    const start = Math.floor(image / grid.columns) * high * row + (image % grid.columns) * wide * channels;
    for (let y = 0; y < height * grid.factor; y++) {
      const source = Math.floor(y / grid.factor) * width;
      for (let x = 0; x < width * grid.factor; x++) {
        const from = (source + Math.floor(x / grid.factor)) * channels;
        for (let channel = 0; channel < channels; channel++)
          pixels[start + y * row + x * channels + channel] = own[from + channel] ?? 0;
      }
    }
  }
  const png = encodePng(grid.width, grid.height, channels, pixels);
  if (isPng(request)) return png;
  const size = `width="${grid.width}" height="${grid.height}"`;
  const source = `data:image/png;base64,${png.toString("base64")}`;
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} viewBox="0 0 ${grid.width} ${grid.height}"><image ${size} style="image-rendering:pixelated" href="${source}"/></svg>\n`,
  );
}

/** Vega is large and draws only here: it is no dependency of the package, and is loaded where it is installed. */
function loadVega() {
  return Promise.all([import("vega"), import("vega-lite")]).catch((error: unknown) => {
    throw new UsageError("--plot draws with vega and vega-lite, which are not installed: npm install vega vega-lite", {
      cause: error,
    });
  });
}

async function vegaSvg(spec: TopLevelSpec): Promise<string> {
  const [vega, lite] = await loadVega();
  const { spec: compiled } = lite.compile(spec);
  const view = new vega.View(vega.parse(compiled), { renderer: "none", logLevel: vega.Error });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}
