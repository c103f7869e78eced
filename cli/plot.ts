import type { TopLevelSpec } from "vega-lite";
import type { Tensor } from "../compiler/ir/tensor.js";
import { imageAxes, imagePixels, numbersOf } from "../runtime/events/observer.js";
import { writeFileAtomic } from "../runtime/files/atomic.js";
import { encodePng } from "../runtime/files/png.js";
import type { Fetched } from "../runtime/typed.js";
import { pngOf } from "../viewer/png.js";
import { UsageError } from "./failure.js";
import { elements } from "./json.js";
import type { PlotRequest } from "./plot_option.js";

/** Draws results into a file. Throws UsageError for results that do not fit the kind. */
export async function writePlot(request: PlotRequest, results: ReadonlyMap<string, Fetched>): Promise<void> {
  const tensors = request.names.map((name): Tensor => {
    const found = results.get(name);
    if (found === undefined || found.dtype === "string") {
      throw new UsageError(
        `--plot: \`${name}\` is no tensor among the results, which are ${[...results.keys()].join(", ")}`,
      );
    }
    return found;
  });
  if (request.kind === "images") {
    const [tensor] = tensors;
    if (tensor !== undefined) await writeFileAtomic(request.path, [imageGrid(request, tensor)]);
    return;
  }
  const svg = await vegaSvg(specOf(request, tensors));
  // Where a screen shows one pixel, a document may be printed at twice as many.
  const isPng = request.path.toLowerCase().endsWith(".png");
  await writeFileAtomic(request.path, [isPng ? pngOf(svg, 2) : Buffer.from(svg)]);
}

const gap = 2;

/** All images of a batch in about a square, white between them. */
function imageGrid({ names, path }: PlotRequest, tensor: Tensor): Uint8Array {
  const axes = imageAxes(tensor);
  const { images = 0, height = 0, width = 0, channels = 1 } = axes ?? {};
  if (axes === undefined || images * height * width === 0) {
    throw new UsageError(
      `--plot: \`${names[0]}\` is ${tensor.dtype}[${tensor.shape.join(", ")}], which holds no images`,
    );
  }
  const columns = Math.ceil(Math.sqrt(images));
  const rows = Math.ceil(images / columns);
  const [wide, high] = [columns * (width + gap) - gap, rows * (height + gap) - gap];
  const pixels = new Uint8Array(wide * high * channels).fill(255);
  for (let image = 0; image < images; image++) {
    const own = imagePixels(tensor, axes, image);
    const [left, top] = [(image % columns) * (width + gap), Math.floor(image / columns) * (height + gap)];
    for (let row = 0; row < height; row++) {
      const from = own.subarray(row * width * channels, (row + 1) * width * channels);
      pixels.set(from, ((top + row) * wide + left) * channels);
    }
  }
  const png = encodePng(wide, high, channels, pixels);
  if (path.toLowerCase().endsWith(".png")) return png;
  // Single pixels stay sharp when the drawing is enlarged.
  const scale = Math.max(1, Math.floor(640 / wide));
  const size = `width="${wide * scale}" height="${high * scale}"`;
  const source = `data:image/png;base64,${png.toString("base64")}`;
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" ${size}><image ${size} style="image-rendering:pixelated" href="${source}"/></svg>\n`,
  );
}

/** A Vega-Lite specification. Names of users are titles and values only, never fields or expressions. */
function specOf({ kind, names }: PlotRequest, tensors: readonly Tensor[]): TopLevelSpec {
  const columns = tensors.map((tensor, i) => vector(names[i] ?? "", tensor));
  const length = columns[0]?.length ?? 0;
  if (kind !== "line" && columns.some((column) => column.length !== length)) {
    throw new UsageError(
      `--plot ${kind}: ${names.join(" and ")} have ${columns.map((column) => column.length).join(" and ")} elements`,
    );
  }
  const [first = [], second = [], third] = columns;
  const [x = "", y = "", group = ""] = names;
  const common = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    background: "white",
    width: 420,
    height: 320,
  };
  if (kind === "line") {
    const values = columns.flatMap((column, i) => column.map((value, at) => ({ at, value, name: names[i] })));
    const colour =
      names.length === 1 ? {} : { color: { field: "name", type: "nominal" as const, title: null, sort: [...names] } };
    return {
      ...common,
      data: { values },
      mark: "line",
      encoding: {
        x: { field: "at", type: "quantitative", title: "element" },
        y: { field: "value", type: "quantitative", title: names.length === 1 ? x : null, scale: { zero: false } },
        ...colour,
      },
    };
  }
  if (kind === "scatter") {
    const values = first.map((value, i) => ({ x: value, y: second[i], group: third?.[i] }));
    return {
      ...common,
      data: { values },
      mark: "circle",
      encoding: {
        x: { field: "x", type: "quantitative", title: x, scale: { zero: false } },
        y: { field: "y", type: "quantitative", title: y, scale: { zero: false } },
        ...(third === undefined ? {} : { color: { field: "group", type: "nominal", title: group } }),
      },
    };
  }
  const counted = confusion(first, second);
  const axis = (field: string, title: string) => ({
    field,
    type: "ordinal" as const,
    title,
    axis: { labelAngle: 0, grid: false },
  });
  const encoding = { x: axis("column", y), y: axis("row", x) };
  const most = Math.max(1, ...counted.map(({ count }) => count));
  return {
    ...common,
    data: { values: counted.map((cell) => ({ ...cell, dark: cell.count > most / 2 })) },
    encoding,
    layer: [
      {
        mark: "rect",
        encoding: { color: { field: "count", type: "quantitative", scale: { scheme: "blues" }, legend: null } },
      },
      {
        mark: { type: "text" },
        encoding: {
          text: { field: "count", type: "quantitative" },
          color: { condition: { test: { field: "dark", equal: true }, value: "white" }, value: "black" },
        },
      },
    ],
  };
}

/** How often each pair occurs, with a cell for every pair of classes. */
export function confusion(
  rows: readonly number[],
  columns: readonly number[],
): readonly { readonly row: number; readonly column: number; readonly count: number }[] {
  const classes = [...new Set([...rows, ...columns])].sort((a, b) => a - b);
  if (classes.length > 100)
    throw new UsageError(`--plot confusion: ${classes.length} classes; 100 are the most that can be told apart`);
  const counted = new Map<string, number>();
  rows.forEach((row, i) => {
    const key = `${row} ${columns[i]}`;
    counted.set(key, (counted.get(key) ?? 0) + 1);
  });
  return classes.flatMap((row) =>
    classes.map((column) => ({ row, column, count: counted.get(`${row} ${column}`) ?? 0 })),
  );
}

/** The elements of [n], or of what has one axis longer than 1. */
function vector(name: string, tensor: Tensor): readonly number[] {
  if (tensor.shape.filter((size) => size !== 1).length > 1) {
    throw new UsageError(
      `--plot: \`${name}\` is ${tensor.dtype}[${tensor.shape.join(", ")}], and a row of numbers is needed`,
    );
  }
  return tensor.dtype === "bool" ? elements(tensor).map(Number) : numbersOf(tensor);
}

/** Vega is large and draws only here: it is no dependency of the package, and is loaded where it is installed. */
async function vegaSvg(spec: TopLevelSpec): Promise<string> {
  const [vega, lite] = await Promise.all([import("vega"), import("vega-lite")]).catch((error: unknown) => {
    throw new UsageError("--plot draws with vega and vega-lite, which are not installed: npm install vega vega-lite", {
      cause: error,
    });
  });
  const { spec: compiled } = lite.compile(spec);
  const view = new vega.View(vega.parse(compiled), { renderer: "none" });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}
