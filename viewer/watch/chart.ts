import type { WatchPoint } from "../watch_messages.js";

const width = 440;
const height = 200;
const box = { left: 48, right: 432, top: 10, bottom: 176 };
const namespace = "http://www.w3.org/2000/svg";

interface Place {
  readonly step: number;
  readonly value: number;
}

/** A metric over the steps: a line for the training, dots for the validations. */
export function drawChart(
  svg: SVGSVGElement,
  name: string,
  curves: {
    readonly training: readonly WatchPoint[];
    readonly validation: readonly WatchPoint[];
  },
  wantsLogarithm: boolean,
): void {
  const training = valuesOf(curves.training, name);
  const validation = valuesOf(curves.validation, name);
  const finite = [...training, ...validation].flatMap(({ value }) => (value === null ? [] : [value]));
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `${name} over the steps`);
  svg.replaceChildren();
  if (finite.length === 0) return;
  const isLogarithmic = wantsLogarithm && finite.every((value) => value > 0);
  const scaled = (value: number): number => (isLogarithmic ? Math.log10(value) : value);
  const [least, most] = [Math.min(...finite.map(scaled)), Math.max(...finite.map(scaled))];
  const room = most > least ? (most - least) * 0.05 : Math.max(Math.abs(most) * 0.1, 1e-9);
  const [low, high] = [least - room, most + room];
  const y = (value: number): number => box.bottom - ((scaled(value) - low) / (high - low)) * (box.bottom - box.top);
  const last = Math.max(...training.map(({ step }) => step), ...validation.map(({ step }) => step), 1);
  const x = (step: number): number => box.left + (step / last) * (box.right - box.left);
  for (const mark of marks(low, high)) {
    const at = box.bottom - ((mark - low) / (high - low)) * (box.bottom - box.top);
    add(svg, "path", { class: "grid", d: `M${box.left} ${at}H${box.right}` });
    add(svg, "text", { x: box.left - 6, y: at + 4, "text-anchor": "end" }, short(isLogarithmic ? 10 ** mark : mark));
  }
  for (const share of [0, 0.5, 1]) {
    const anchor = share === 0 ? "start" : share === 1 ? "end" : "middle";
    const at = box.left + share * (box.right - box.left);
    add(svg, "text", { x: at, y: height - 6, "text-anchor": anchor }, short(Math.round(share * last)));
  }
  add(svg, "path", { class: "training", d: pathOf(training, x, y) });
  add(svg, "path", { class: "validation-line", d: pathOf(validation, x, y) });
  for (const { step, value } of validation) {
    if (value !== null) add(svg, "circle", { class: "validation", cx: x(step), cy: y(value), r: 3 });
  }
}

function valuesOf(points: readonly WatchPoint[], name: string): readonly { step: number; value: number | null }[] {
  return points.flatMap(({ step, metrics }) => {
    const value = Object.hasOwn(metrics, name) ? metrics[name] : undefined;
    return value === undefined ? [] : [{ step, value }];
  });
}

/** A value that is not finite breaks the line. */
function pathOf(
  points: readonly { step: number; value: number | null }[],
  x: (step: number) => number,
  y: (value: number) => number,
): string {
  let path = "";
  let before: Place | undefined;
  for (const { step, value } of points) {
    if (value !== null) path += `${before === undefined ? "M" : "L"}${x(step).toFixed(1)} ${y(value).toFixed(1)}`;
    before = value === null ? undefined : { step, value };
  }
  return path;
}

/** Round numbers between two ends, about four. */
function marks(low: number, high: number): readonly number[] {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? rough;
  const found: number[] = [];
  for (let mark = Math.ceil(low / step) * step; mark <= high; mark += step) found.push(mark);
  return found;
}

export function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return value.toExponential(1);
  if (size >= 1000) return value.toLocaleString("en");
  return size > 0 && size < 1e-3 ? value.toExponential(1) : String(Number(value.toPrecision(4)));
}

function add(svg: SVGSVGElement, tag: string, attributes: Readonly<Record<string, string | number>>, text = ""): void {
  const made = document.createElementNS(namespace, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.textContent = text;
  svg.append(made);
}
