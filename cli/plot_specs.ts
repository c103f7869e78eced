import type { TopLevelSpec } from "vega-lite";
import { isFloat } from "../compiler/ir/dtype.js";
import type { Tensor } from "../compiler/ir/tensor.js";
import { numbersOf } from "../runtime/events/observer.js";
import { UsageError } from "./failure.js";
import { longAxes, type PlotPart, scatterParts } from "./plot_check.js";
import { linePlaces, standsAlone, visiblePoints } from "./plot_thin.js";

/** A result with its name, as it fits the chart. */
export interface PlotTensor extends PlotPart {
  readonly tensor: Tensor;
}

/** Dark enough to be told from white, and apart from one another. Beyond these, lines are dashed and points on a scale. */
const palette = [
  "#0969da",
  "#bc4c00",
  "#1a7f37",
  "#8250df",
  "#cf222e",
  "#0e7490",
  "#9a6700",
  "#bf3989",
  "#57606a",
  "#1f2328",
] as const;
const dashes: readonly (readonly number[])[] = [
  [1, 0],
  [6, 3],
];
const mostClasses = 100;

// Names of users are titles and values only, never fields or expressions.
const common = {
  $schema: "https://vega.github.io/schema/vega-lite/v6.json",
  background: "white",
  width: 480,
  height: 320,
  padding: 12,
  config: {
    view: { stroke: "#c9d1d9" },
    axis: {
      gridColor: "#e6eaef",
      domainColor: "#8c959f",
      tickColor: "#8c959f",
      labelColor: "#1f2328",
      titleColor: "#1f2328",
      labelFontSize: 11,
      titleFontSize: 12,
      titleLimit: 0,
      labelLimit: 0,
      titlePadding: 8,
    },
    legend: { labelColor: "#1f2328", titleColor: "#1f2328", labelFontSize: 11, titleFontSize: 12, labelLimit: 0 },
    title: { anchor: "start" as const, color: "#1f2328", subtitleColor: "#57606a", fontSize: 12, subtitleFontSize: 11 },
  },
} satisfies Partial<TopLevelSpec>;

/** What is not finite has no place; a chart says so. */
function leftOut(count: number, of: string): object {
  if (count === 0) return {};
  const text = `${count.toLocaleString("en")} ${of} not finite: left out`;
  return { title: { text, fontWeight: "normal" as const } };
}

/** Where all numbers are one, the axis would have no length. */
function rangeOf(numbers: Iterable<number | null>): { readonly domain: [number, number] } | { readonly zero: false } {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const one of numbers) {
    if (one === null) continue;
    least = Math.min(least, one);
    most = Math.max(most, one);
  }
  if (least < most) return { zero: false };
  if (least > most) return { domain: [0, 1] };
  const room = Math.abs(least) / 10 || 1;
  return { domain: [least - room, most + room] };
}

/** Between whole numbers there is nothing to mark, and of very large or small ones a mark has its exponent. */
function marksOf(parts: readonly PlotPart[], numbers: Iterable<number | null>): object {
  let greatest = 0;
  for (const one of numbers) greatest = Math.max(greatest, Math.abs(one ?? 0));
  const isWhole = parts.every(({ type }) => !isFloat(type.dtype));
  return {
    axis: {
      ...(isWhole ? { tickMinStep: 1 } : {}),
      ...(greatest !== 0 && (greatest >= 1e7 || greatest < 1e-3) ? { format: ".4~g" } : {}),
    },
  };
}

const longestTitle = 44;

/** A long path stands in lines: an axis is no longer than its chart. */
function titleOf(name: string): string | string[] {
  if (name.length <= longestTitle) return name;
  const lines: string[] = [];
  for (const piece of name.match(/[^./]+[./]?/g) ?? [name]) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + piece.length <= longestTitle) lines[lines.length - 1] = last + piece;
    else lines.push(piece);
  }
  return lines;
}

export function lineSpec(parts: readonly PlotTensor[]): TopLevelSpec {
  const lines = parts.flatMap(linesOf);
  const places = lines.map(({ values }) => linePlaces(values));
  const lost = lines.reduce((sum, { values }) => sum + values.filter((value) => !Number.isFinite(value)).length, 0);
  const names = lines.map(({ name }) => name);
  const [first] = parts;
  const values = places.flatMap((own, line) =>
    own.map((place, i) => ({ ...place, name: names[line], isAlone: standsAlone(own, i) })),
  );
  const scale = { domain: names };
  const colour = { field: "name", type: "nominal" as const, title: null };
  const isMany = names.length > palette.length;
  const dash = {
    ...colour,
    scale: { ...scale, range: names.map((_, i) => [...(dashes[Math.floor(i / palette.length)] ?? [1, 0])]) },
  };
  const x = {
    field: "at",
    type: "quantitative" as const,
    title: "position",
    axis: { tickMinStep: 1, format: ",d" },
    scale: places.some((own) => own.length > 1) ? { nice: false } : rangeOf([0]),
  };
  const y = {
    field: "value",
    type: "quantitative" as const,
    title: parts.length === 1 && first !== undefined ? titleOf(first.name) : null,
    scale: rangeOf(values.map(({ value }) => value)),
    ...marksOf(
      parts,
      values.map(({ value }) => value),
    ),
  };
  const shades = { ...colour, scale: { ...scale, range: names.map((_, i) => palette[i % palette.length] ?? "") } };
  const symbol = { symbolType: "stroke" as const, symbolStrokeWidth: 2, symbolSize: 300 };
  return {
    ...common,
    ...leftOut(lost, lost === 1 ? "value that is" : "values that are"),
    data: { values },
    encoding: {
      x,
      y,
      color: names.length === 1 ? { value: palette[0] } : { ...shades, legend: symbol },
    },
    layer: [
      {
        mark: { type: "line", strokeWidth: 1.8, strokeJoin: "round" },
        encoding: isMany ? { strokeDash: { ...dash, legend: symbol } } : {},
      },
      { transform: [{ filter: { field: "isAlone", equal: true } }], mark: { type: "circle", size: 30, opacity: 1 } },
    ],
  };
}

/** A vector as one line, a matrix as one for each column, by its name in the language. */
function linesOf({ name, tensor, type }: PlotTensor): readonly { name: string; values: readonly number[] }[] {
  const all = numbersOf(tensor);
  const long = longAxes(type);
  if (long.length < 2) return [{ name, values: all }];
  const columns = Number(long[1]);
  const last = tensor.shape.lastIndexOf(columns);
  return Array.from({ length: columns }, (_, column) => ({
    name: columnName(name, tensor, last, column),
    values: all.filter((_, i) => i % columns === column),
  }));
}

function columnName(name: string, { shape }: Tensor, axis: number, column: number): string {
  return `${name}[${shape.map((size, i) => (i === axis ? String(column) : size === 1 ? "0" : ":")).join(", ")}]`;
}

export function scatterSpec(parts: readonly PlotTensor[]): TopLevelSpec {
  const { points, colour } = scatterParts(parts);
  const axes = points.flatMap((part) => axesOf(parts, part));
  const [x, y] = axes;
  const given = colour === undefined ? undefined : parts.find(({ name }) => name === colour.name);
  const groups = given === undefined ? undefined : numbersOf(given.tensor);
  const classes = [...new Set(groups)].sort((a, b) => a - b);
  const isScale = classes.length > palette.length || (given !== undefined && isFloat(given.type.dtype));
  const placeOf = new Map(classes.map((one, place) => [one, place]));
  const [xs, ys] = [x?.values ?? [], y?.values ?? []];
  const { shown, lost } = visiblePoints(
    xs,
    isScale ? xs.map((_, i) => (Number.isFinite(groups?.[i]) ? (ys[i] ?? 0) : Number.NaN)) : ys,
    (i) => (isScale || groups === undefined ? 0 : (placeOf.get(groups[i] ?? 0) ?? 0)),
  );
  const areBools = given?.type.dtype === "bool";
  const classText = (group: number): string => (areBools ? String(group === 1) : String(group));
  const values = shown.map((i) => {
    const group = groups?.[i] ?? 0;
    return { x: xs[i] ?? 0, y: ys[i] ?? 0, group: isScale ? group : classText(group) };
  });
  const axis = (field: "x" | "y", part: PlotPart | undefined, title: string) => ({
    field,
    type: "quantitative" as const,
    title: titleOf(title),
    scale: { padding: 8, ...rangeOf(values.map((one) => one[field])) },
    ...marksOf(
      part === undefined ? [] : [part],
      values.map((one) => one[field]),
    ),
  });
  const title = titleOf(colour?.name ?? "");
  const nominal = {
    field: "group",
    type: "nominal" as const,
    title,
    scale: { domain: classes.map(classText), range: classes.map((_, i) => palette[i] ?? palette[0]) },
  };
  // Black to a yellow that is still seen on white.
  const scaled = {
    field: "group",
    type: "quantitative" as const,
    title,
    scale: { scheme: { name: "viridis" as const, extent: [0, 0.85] } },
  };
  const isCrowd = shown.length > 1000;
  return {
    ...common,
    ...leftOut(lost, lost === 1 ? "point that is" : "points that are"),
    data: { values },
    mark: { type: "circle", opacity: isCrowd ? 0.6 : 0.85, size: isCrowd ? 10 : 36 },
    encoding: {
      x: axis("x", points[0], x?.name ?? ""),
      y: axis("y", points.at(-1), y?.name ?? ""),
      color: given === undefined ? { value: palette[0] } : isScale ? scaled : nominal,
    },
  };
}

/** The two columns of pairs, or a vector. */
function axesOf(parts: readonly PlotTensor[], part: PlotPart): readonly { name: string; values: readonly number[] }[] {
  const found = parts.find(({ name }) => name === part.name);
  if (found === undefined) return [];
  const all = numbersOf(found.tensor);
  if (scatterParts(parts).points.length > 1) return [{ name: found.name, values: all }];
  return [0, 1].map((column) => ({
    name: columnName(found.name, found.tensor, 1, column),
    values: all.filter((_, i) => i % 2 === column),
  }));
}

export function confusionSpec([rows, columns]: readonly PlotTensor[]): TopLevelSpec {
  if (rows === undefined || columns === undefined) return { ...common, data: { values: [] }, mark: "rect" };
  const areBools = rows.type.dtype === "bool" && columns.type.dtype === "bool";
  const text = (value: number): string => (areBools ? String(value === 1) : String(value));
  const counted = confusion(numbersOf(rows.tensor), numbersOf(columns.tensor));
  const classes = [...new Set(counted.map(({ row }) => row))].map(text);
  const most = Math.max(1, ...counted.map(({ count }) => count));
  const total = counted.reduce((sum, { count }) => sum + count, 0);
  const equal = counted.reduce((sum, { row, column, count }) => sum + (row === column ? count : 0), 0);
  const share = ((100 * equal) / total).toFixed(1);
  // A cell holds its digits.
  const cell = Math.max(24, 8 + 7 * String(most).length, Math.min(64, Math.floor(420 / classes.length)));
  const longest = Math.max(0, ...classes.map((name) => name.length));
  const axis = (field: "row" | "column", title: string) => ({
    field,
    type: "ordinal" as const,
    title: titleOf(title),
    sort: classes,
    axis: {
      labelAngle: field === "column" && longest * 7 > cell ? -90 : 0,
      grid: false,
      ticks: false,
      labelPadding: 6,
    },
  });
  return {
    ...common,
    width: { step: cell },
    height: { step: cell },
    title: { text: `${equal.toLocaleString("en")} of ${total.toLocaleString("en")} equal (${share} %)` },
    data: {
      values: counted.map(({ row, column, count }) => ({
        row: text(row),
        column: text(column),
        count,
        ...shades(count / most),
      })),
    },
    encoding: { x: axis("column", columns.name), y: axis("row", rows.name) },
    layer: [
      {
        mark: { type: "rect", stroke: "#ffffff" },
        encoding: { color: { field: "fill", type: "nominal", scale: null } },
      },
      {
        mark: { type: "text" },
        encoding: {
          text: { field: "count", type: "quantitative" },
          color: { field: "ink", type: "nominal", scale: null },
        },
      },
    ],
  };
}

/** From near white to dark blue, and the ink that is read on it. */
function shades(share: number): { readonly fill: string; readonly ink: string } {
  const light = [241, 246, 252];
  const dark = [8, 60, 130];
  const mixed = light.map((level, i) => Math.round(level + share * ((dark[i] ?? 0) - level)));
  const linear = mixed.map((level) =>
    level / 255 <= 0.04045 ? level / 255 / 12.92 : ((level / 255 + 0.055) / 1.055) ** 2.4,
  );
  const luminance = [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => sum + weight * (linear[i] ?? 0), 0);
  // Where black and white have the same contrast (WCAG 2).
  return { fill: `rgb(${mixed.join(",")})`, ink: luminance > 0.179 ? "#000000" : "#ffffff" };
}

/** How often each pair occurs, with a cell for every pair of classes. */
export function confusion(
  rows: readonly number[],
  columns: readonly number[],
): readonly { readonly row: number; readonly column: number; readonly count: number }[] {
  const classes = [...new Set([...rows, ...columns])].sort((a, b) => a - b);
  if (classes.length > mostClasses) {
    throw new UsageError(
      `--plot confusion: there are ${classes.length} classes among the results, and ${mostClasses} are the most that can be told apart`,
    );
  }
  const counted = new Map<string, number>();
  rows.forEach((row, i) => {
    const key = `${row} ${columns[i]}`;
    counted.set(key, (counted.get(key) ?? 0) + 1);
  });
  return classes.flatMap((row) =>
    classes.map((column) => ({ row, column, count: counted.get(`${row} ${column}`) ?? 0 })),
  );
}
