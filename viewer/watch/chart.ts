import uPlot from "uplot";
import { element } from "../page/dom.js";
import {
  clockText,
  csvText,
  extremesWithin,
  isJoined,
  nearestIndex,
  positive,
  short,
  smoothed,
  unitOf,
  valueText,
} from "../watch_curves.js";
import type { WatchCurve } from "../watch_messages.js";
import type { Settings } from "./settings.js";

/** A part of the x axis, in steps or seconds. */
export interface Zoom {
  readonly from: number;
  readonly to: number;
}

/** What all charts have in common, and how one of them changes it. */
export interface ChartHost {
  readonly settings: () => Settings;
  readonly zoom: () => Zoom | undefined;
  readonly setZoom: (zoom: Zoom | undefined) => void;
  readonly toggleLogarithmic: (name: string) => void;
}

const height = 250;
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });
/** Places of the series in uPlot's data; 0 is x. */
const series = { least: 1, greatest: 2, mean: 3, smooth: 4, validation: 5 };
const isSynced = (type: string): boolean => type === "mousemove" || type === "mouseleave";

/** A metric over the steps or the time: the training's curve, smoothed, and that of the validations. */
export class Chart {
  readonly figure: HTMLElement;
  readonly #name: string;
  readonly #host: ChartHost;
  readonly #place = element("div", { class: "plot" });
  readonly #readout = element("output", { class: "readout", attributes: { "aria-live": "off" } });
  readonly #remark = element("p", { class: "remark" });
  readonly #logarithmic: HTMLButtonElement;
  #curves: readonly WatchCurve[] = [];
  #plot: uPlot | undefined;
  #isLogarithmic = false;
  /** What the drawn numbers are divided by. */
  #unit = 1;
  /** Where the reader looks, on the x axis. */
  #at: number | undefined;

  constructor(name: string, host: ChartHost) {
    this.#name = name;
    this.#host = host;
    const press = (label: string, title: string, onclick: () => void) =>
      element("button", { class: "small", title, onclick, attributes: { type: "button", "aria-label": title } }, label);
    this.#logarithmic = press("log", `${name}: logarithmic y axis`, () => host.toggleLogarithmic(name));
    const download = press("CSV", `${name}: download as CSV`, () => this.#download());
    this.figure = element(
      "figure",
      { attributes: { "aria-label": name } },
      element("figcaption", {}, element("h2", {}, name), this.#logarithmic, download),
      this.#readout,
      this.#place,
      this.#remark,
    );
    this.#place.tabIndex = 0;
    this.#place.setAttribute("role", "application");
    this.#place.setAttribute("aria-roledescription", "chart");
    this.#place.addEventListener("keydown", (event) => this.#key(event));
    this.#place.addEventListener("focus", () => this.#readout.setAttribute("aria-live", "polite"));
    this.#place.addEventListener("blur", () => this.#readout.setAttribute("aria-live", "off"));
    new ResizeObserver(() => {
      if (this.#place.clientWidth > 0) this.#plot?.setSize({ width: this.#place.clientWidth, height });
    }).observe(this.#place);
  }

  /** Draws what has come, or what is to be seen otherwise. */
  update(curves: readonly WatchCurve[]): void {
    this.#curves = curves;
    this.draw();
  }

  draw(): void {
    const { settings } = this.#host;
    const wanted = settings().logarithmic.includes(this.#name);
    const isLogarithmic =
      wanted && this.#curves.some(({ greatest }) => greatest.some((one) => one !== null && one > 0));
    this.#logarithmic.setAttribute("aria-pressed", String(wanted));
    const data = this.#data(isLogarithmic);
    if (this.#plot === undefined || isLogarithmic !== this.#isLogarithmic) {
      this.#plot?.destroy();
      this.#isLogarithmic = isLogarithmic;
      this.#plot = new uPlot(this.#options(isLogarithmic), data, this.#place);
    } else this.#plot.setData(data);
    const axis = settings().axis === "step" ? "steps" : "time";
    this.#place.setAttribute(
      "aria-label",
      `${this.#name} over the ${axis}. Left and right read values, plus and minus zoom, Escape shows all.`,
    );
    this.#read();
    this.#remarkOn(wanted, isLogarithmic);
  }

  /** Colours are read anew: the system's may have changed. */
  repaint(): void {
    this.#plot?.redraw(false, true);
    this.#read();
  }

  #curve(...kinds: readonly WatchCurve["kind"][]): WatchCurve | undefined {
    return this.#curves.find(({ kind }) => kinds.includes(kind));
  }

  #xs(curve: WatchCurve | undefined): readonly number[] {
    return (this.#host.settings().axis === "step" ? curve?.steps : curve?.seconds) ?? [];
  }

  /** The extremes of the points that the zoom leaves. */
  #seen(curve: WatchCurve): readonly (number | null)[] {
    const { from, to } = this.#host.zoom() ?? { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
    return this.#xs(curve).flatMap((x, i) =>
      x < from || x > to ? [] : [curve.least[i] ?? null, curve.greatest[i] ?? null],
    );
  }

  #data(isLogarithmic: boolean): uPlot.AlignedData {
    const { smoothing } = this.#host.settings();
    const [main, validation] = [this.#curve("training", "rate"), this.#curve("validation")];
    this.#unit = unitOf(this.#curves.flatMap((curve) => this.#seen(curve)));
    const shown = (values: readonly (number | null)[] = []) =>
      (isLogarithmic ? positive(values) : values).map((value) => (value === null ? null : value / this.#unit));
    const band = main !== undefined && isJoined(main);
    const none = (main?.means ?? []).map(() => null);
    const tables: uPlot.AlignedData[] = [
      [
        [...this.#xs(main)],
        band ? shown(main?.least) : none,
        band ? shown(main?.greatest) : none,
        shown(main?.means),
        smoothing > 0 ? shown(smoothed(main?.means ?? [], smoothing)) : none,
      ],
      [[...this.#xs(validation)], shown(validation?.means)],
    ];
    return uPlot.join(tables);
  }

  #options(isLogarithmic: boolean): uPlot.Options {
    const host = this.#host;
    const faint = (): number => (host.settings().smoothing > 0 ? 0.35 : 1);
    const main = (): string => colour(this.#curve("rate") === undefined ? "--training" : "--rate");
    const axis = { stroke: () => colour("--muted"), grid: { stroke: () => colour("--grid"), width: 1 } };
    const ticks = { stroke: () => colour("--line"), width: 1, size: 5 };
    const hidden = { stroke: "transparent", width: 0, points: { show: false } };
    return {
      width: Math.max(200, this.#place.clientWidth),
      height,
      padding: [10, 22, 0, 0],
      legend: { show: false },
      scales: {
        x: { time: false, range: (_, least, greatest) => this.#rangeOf(least, greatest) },
        y: isLogarithmic ? { distr: 3, log: 10 } : { range: (plot) => this.#heightsOf(plot) },
      },
      axes: [
        { ...axis, ticks, size: 32, space: 70, values: (_, splits) => splits.map((split) => this.#xText(split)) },
        {
          ...axis,
          ticks,
          size: 62,
          ...(isLogarithmic
            ? { splits: (_, __, least, greatest) => decades(least, greatest), filter: (_, splits) => splits }
            : {}),
          values: (_, splits) => splits.map((split) => (split === null ? "" : short(split * this.#unit))),
        },
      ],
      series: [
        {},
        hidden,
        hidden,
        { stroke: () => translucent(main(), faint()), width: 1.4, points: { show: false } },
        { stroke: main, width: 2, points: { show: false } },
        {
          stroke: () => colour("--validation"),
          width: 1.6,
          dash: [5, 4],
          points: { show: true, size: 6, fill: () => colour("--validation"), stroke: () => colour("--validation") },
        },
      ],
      bands: [{ series: [series.greatest, series.least], fill: () => translucent(main(), 0.18) }],
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: true, y: false, setScale: false, dist: 4 },
        sync: {
          key: "graphc",
          setSeries: false,
          scales: ["x", null],
          filters: { pub: isSynced, sub: isSynced },
        },
        bind: {
          dblclick: () => () => {
            host.setZoom(undefined);
            return null;
          },
        },
      },
      hooks: {
        setCursor: [
          (plot) => {
            const left = plot.cursor.left ?? -1;
            this.#at = left < 0 ? undefined : plot.posToVal(left, "x");
            this.#read();
          },
        ],
        setSelect: [
          (plot) => {
            const { left, width } = plot.select;
            if (width > 0) host.setZoom({ from: plot.posToVal(left, "x"), to: plot.posToVal(left + width, "x") });
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          },
        ],
        draw: [(plot) => this.#mark(plot)],
      },
    };
  }

  #rangeOf(least: number | null, greatest: number | null): [number, number] {
    const zoom = this.#host.zoom();
    if (zoom !== undefined) return [zoom.from, zoom.to];
    if (least === null || greatest === null) return [0, 1];
    return least < greatest ? [least, greatest] : [least - 0.5, greatest + 0.5];
  }

  /** The y axis holds what is seen, also where a line leaves the zoom. The plot's x scale is not set yet when it asks. */
  #heightsOf({ data: [xs = [], ...lines] }: uPlot): uPlot.Range.MinMax {
    const { from, to } = this.#host.zoom() ?? { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
    const [least, greatest] = extremesWithin(Array.from(xs), lines, from, to);
    return least > greatest ? [null, null] : uPlot.rangeNum(least, greatest, 0.1, true);
  }

  #xText(x: number): string {
    return this.#host.settings().axis === "step" ? compact.format(x) : clockText(x);
  }

  /** A triangle at the foot for each point that has numbers that are not finite. */
  #mark(plot: uPlot): void {
    const { ctx: context, bbox } = plot;
    const size = 5 * devicePixelRatio;
    context.save();
    context.fillStyle = colour("--lost");
    for (const curve of this.#curves) {
      this.#xs(curve).forEach((x, i) => {
        if ((curve.lost[i] ?? 0) === 0) return;
        const at = plot.valToPos(x, "x", true);
        if (at < bbox.left || at > bbox.left + bbox.width) return;
        const foot = bbox.top + bbox.height;
        context.beginPath();
        context.moveTo(at - size, foot);
        context.lineTo(at + size, foot);
        context.lineTo(at, foot - 1.6 * size);
        context.fill();
      });
    }
    context.restore();
  }

  /** Says the values where the reader looks, else the last ones. */
  #read(): void {
    const { smoothing } = this.#host.settings();
    const main = this.#curve("training", "rate");
    const found = this.#curves.map((curve) => {
      const xs = this.#xs(curve);
      return { curve, i: this.#at === undefined ? xs.length - 1 : nearestIndex(xs, this.#at) };
    });
    const [first] = found;
    if (first === undefined || first.i < 0) return;
    const step = first.curve.steps[first.i] ?? 0;
    const where = element(
      "span",
      {},
      `step ${step.toLocaleString("en")} · ${clockText(first.curve.seconds[first.i] ?? 0)}`,
    );
    this.#readout.replaceChildren(
      where,
      ...found.map(({ curve, i }) => {
        const isMain = curve === main;
        const smooth = isMain && smoothing > 0 ? smoothed(curve.means.slice(0, i + 1), smoothing)[i] : undefined;
        const [low, high] = [curve.least[i], curve.greatest[i]];
        const spread = low !== high ? ` (${valueText(low)} to ${valueText(high)})` : "";
        const also = smooth === undefined || smooth === null ? "" : `, smoothed ${short(smooth)}`;
        const apart =
          curve.kind !== "rate" && curve.steps[i] !== step ? ` at step ${curve.steps[i]?.toLocaleString("en")}` : "";
        const lost = (curve.lost[i] ?? 0) > 0 && curve.means[i] !== null ? ", some not finite" : "";
        const label = curve.kind === "rate" ? "" : `${curve.kind} `;
        return element(
          "span",
          { class: `${curve.kind}-text` },
          `${label}${valueText(curve.means[i])}${spread}${also}${apart}${lost}`,
        );
      }),
    );
  }

  #remarkOn(wanted: boolean, isLogarithmic: boolean): void {
    const count = (of: (curve: WatchCurve) => number): number =>
      this.#curves.reduce((sum, curve) => sum + of(curve), 0);
    const lost = count((curve) => curve.lost.reduce((sum, one) => sum + one, 0));
    const below = isLogarithmic ? count(({ means }) => means.filter((one) => one !== null && one <= 0).length) : 0;
    const remarks = [
      lost === 0 ? "" : `▲ ${lost.toLocaleString("en")} not finite`,
      wanted && !isLogarithmic ? "no value is positive: the y axis is linear" : "",
      below === 0 ? "" : `${below.toLocaleString("en")} not positive, without a place on this axis`,
    ].filter((text) => text !== "");
    this.#remark.textContent = remarks.join(" · ");
  }

  #key(event: KeyboardEvent): void {
    const plot = this.#plot;
    const xs = this.#xs(this.#curve("training", "rate") ?? this.#curve("validation"));
    const { min: from = 0, max: to = 1 } = plot?.scales["x"] ?? {};
    if (plot === undefined || xs.length === 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = this.#at ?? xs.at(-1) ?? 0;
    const move = (i: number): void => {
      const x = xs[Math.max(0, Math.min(xs.length - 1, i))] ?? 0;
      plot.setCursor({ left: plot.valToPos(x, "x"), top: 0 });
      this.#at = x;
      this.#read();
    };
    const zoom = (factor: number): void => {
      const middle = Math.max(from, Math.min(to, at));
      const wanted = { from: middle - (middle - from) * factor, to: middle + (to - middle) * factor };
      const isAll = wanted.from <= (xs[0] ?? 0) && wanted.to >= (xs.at(-1) ?? 0);
      this.#host.setZoom(isAll ? undefined : wanted);
    };
    const i = nearestIndex(xs, at);
    const far = event.shiftKey ? 10 : 1;
    switch (event.key) {
      case "ArrowLeft":
        move(i - far);
        break;
      case "ArrowRight":
        move(i + far);
        break;
      case "Home":
        move(0);
        break;
      case "End":
        move(xs.length - 1);
        break;
      case "+":
      case "=":
        zoom(0.5);
        break;
      case "-":
        zoom(2);
        break;
      case "Escape":
      case "0":
        this.#host.setZoom(undefined);
        break;
      default:
        return;
    }
    event.preventDefault();
  }

  #download(): void {
    const url = URL.createObjectURL(new Blob([csvText(this.#curves)], { type: "text/csv" }));
    const file = `${this.#name.replace(/[^\w.-]+/g, "_")}.csv`;
    element("a", { attributes: { href: url, download: file } }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }
}

/** Powers of ten, at most about six; within one of them round numbers, too. */
function decades(least: number, greatest: number): number[] {
  const [low, high] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(greatest))];
  const every = Math.max(1, Math.ceil((high - low) / 6));
  const factors = high - low <= 2 ? [1, 2, 5] : [1];
  return Array.from({ length: high - low + 1 }, (_, i) => low + i)
    .filter((power) => power % every === 0)
    .flatMap((power) => factors.map((factor) => Number(`${factor}e${power}`)))
    .filter((mark) => mark >= least && mark <= greatest);
}

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Of `#rrggbb`. */
function translucent(hex: string, alpha: number): string {
  return alpha >= 1
    ? hex
    : `${hex}${Math.round(alpha * 255)
        .toString(16)
        .padStart(2, "0")}`;
}
