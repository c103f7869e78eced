import uPlot from "uplot";
import { clockText, extremesWithin, isJoined, positive, short, smoothed, unitOf, weightOf } from "../watch_curves.js";
import type { WatchCurve } from "../watch_messages.js";
import type { Settings } from "./settings.js";

/** A part of the x axis, in steps or seconds. */
export interface Zoom {
  readonly from: number;
  readonly to: number;
}

/** What all plots have in common, and how one of them changes it. */
export interface PlotHost {
  readonly settings: () => Settings;
  readonly zoom: () => Zoom | undefined;
  readonly setZoom: (zoom: Zoom | undefined) => void;
}

const height = 250;
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });
/** Places of the series in uPlot's data; 0 is x. */
const series = { least: 1, greatest: 2, mean: 3, smooth: 4, validation: 5 };
const isSynced = (type: string): boolean => type === "mousemove" || type === "mouseleave";

/** The lines of one chart: the training's curve with its band, the smoothed one, and that of the validations. */
export class Plot {
  readonly #place: HTMLElement;
  readonly #host: PlotHost;
  /** Told where the reader points, on the x axis. */
  readonly #onLook: (x: number | undefined) => void;
  #curves: readonly WatchCurve[] = [];
  #plot: uPlot | undefined;
  #isLogarithmic = false;
  /** What the drawn numbers are divided by. */
  #unit = 1;

  constructor(place: HTMLElement, host: PlotHost, onLook: (x: number | undefined) => void) {
    this.#place = place;
    this.#host = host;
    this.#onLook = onLook;
    new ResizeObserver(() => {
      if (place.clientWidth > 0) this.#plot?.setSize({ width: place.clientWidth, height });
    }).observe(place);
  }

  draw(curves: readonly WatchCurve[], isLogarithmic: boolean): void {
    this.#curves = curves;
    const data = this.#data(isLogarithmic);
    if (this.#plot === undefined || isLogarithmic !== this.#isLogarithmic) {
      this.#plot?.destroy();
      this.#isLogarithmic = isLogarithmic;
      this.#plot = new uPlot(this.#options(isLogarithmic), data, this.#place);
    } else this.#plot.setData(data);
  }

  /** Colours are read anew: the system's may have changed. */
  repaint(): void {
    this.#plot?.redraw(false, true);
  }

  /** What of the x axis is to be seen. */
  get range(): Zoom {
    const { min: from = 0, max: to = 1 } = this.#plot?.scales["x"] ?? {};
    return { from, to };
  }

  /** Moves the cursor there, in all plots. */
  lookAt(x: number): void {
    this.#plot?.setCursor({ left: this.#plot.valToPos(x, "x"), top: 0 });
  }

  #xs(curve: WatchCurve | undefined): readonly number[] {
    return xsOf(curve, this.#host.settings());
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
    const [main, validation] = [mainCurve(this.#curves), validationCurve(this.#curves)];
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
        main !== undefined && smoothing > 0 ? shown(smoothed(main, weightOf(smoothing))) : none,
      ],
      [[...this.#xs(validation)], shown(validation?.means)],
    ];
    return uPlot.join(tables);
  }

  #options(isLogarithmic: boolean): uPlot.Options {
    const host = this.#host;
    const faint = (): number => (host.settings().smoothing > 0 ? 0.35 : 1);
    const main = (): string => colour(mainCurve(this.#curves)?.kind === "rate" ? "--rate" : "--training");
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
            this.#onLook(left < 0 ? undefined : plot.posToVal(left, "x"));
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
}

/** Where the points of a curve stand on the x axis. */
export function xsOf(curve: WatchCurve | undefined, { axis }: Settings): readonly number[] {
  return (axis === "step" ? curve?.steps : curve?.seconds) ?? [];
}

/** The curve that a chart is of, beside those of validations. */
export function mainCurve(curves: readonly WatchCurve[]): WatchCurve | undefined {
  return curves.find(({ kind }) => kind === "training" || kind === "rate");
}

export function validationCurve(curves: readonly WatchCurve[]): WatchCurve | undefined {
  return curves.find(({ kind }) => kind === "validation");
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
