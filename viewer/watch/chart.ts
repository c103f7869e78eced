import { element } from "../page/dom.js";
import { clockText, csvText, nearestIndex, short, smoothed, valueText, weightOf } from "../watch_curves.js";
import type { WatchCurve } from "../watch_messages.js";
import { mainCurve, Plot, type PlotHost, validationCurve, xsOf } from "./plot.js";

/** What all charts have in common, and how one of them changes it. */
export interface ChartHost extends PlotHost {
  readonly toggleLogarithmic: (name: string) => void;
}

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
  readonly #plot: Plot;
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
    this.#plot = new Plot(this.#place, host, (x) => {
      this.#at = x;
      this.#read();
    });
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
    this.#plot.draw(this.#curves, isLogarithmic);
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
    this.#plot.repaint();
    this.#read();
  }

  #xs(curve: WatchCurve | undefined): readonly number[] {
    return xsOf(curve, this.#host.settings());
  }

  /** Says the values where the reader looks, else the last ones. */
  #read(): void {
    const { smoothing } = this.#host.settings();
    const main = mainCurve(this.#curves);
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
        const smooth = isMain && smoothing > 0 ? smoothed(curve, weightOf(smoothing))[i] : undefined;
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
    const xs = this.#xs(mainCurve(this.#curves) ?? validationCurve(this.#curves));
    const { from, to } = this.#plot.range;
    if (xs.length === 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = this.#at ?? xs.at(-1) ?? 0;
    const move = (i: number): void => {
      const x = xs[Math.max(0, Math.min(xs.length - 1, i))] ?? 0;
      this.#plot.lookAt(x);
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
