import { type Console, write } from "./console.js";
import { rateText } from "./numbers.js";
import { width } from "./table.js";

/** The bar is drawn at most so often. */
const redrawMilliseconds = 100;
/** The rate is that of the last few seconds: a pause for a validation should not spoil it for long. */
const rateSeconds = 3;
const widestBar = 24;
const narrowestBar = 6;
/** Columns of the little chart of the first metric. */
const chartColumns = 12;
const levels = "▁▂▃▄▅▆▇█";
const mostValues = 240;
/** Room for four digits of any usual size, `0.001234` or `1.234e-5`; for `12,300` steps/s; for `1:02:30`. */
const fieldWidths = { value: 8, rate: 6, eta: 7 };

export interface Progress {
  readonly title: string;
  readonly step: number;
  readonly steps: number;
  /** Run time so far. */
  readonly seconds: number;
  readonly metrics: ReadonlyMap<string, number>;
}

/**
 * One line at the bottom of a terminal that is drawn over and over, on standard error. Where that is no terminal, or the
 * console is quiet, nothing is drawn.
 */
export class ProgressLine {
  readonly #console: Console;
  readonly #isShown: boolean;
  readonly #isPlain: boolean;
  #drawn = false;
  #last = Number.NEGATIVE_INFINITY;
  #curve: readonly number[] = [];
  #stride = 1;
  #turn = 0;
  readonly #now: () => number;
  /** Columns of each field so far: they never become fewer, or the bar would grow and shrink with the digits beside it. */
  readonly #widths = new Map<string, number>();
  readonly #samples: { readonly step: number; readonly seconds: number }[] = [];

  constructor(console: Console, environment: NodeJS.ProcessEnv = process.env, now = () => performance.now()) {
    this.#now = now;
    this.#console = console;
    this.#isShown = process.stderr.isTTY === true && !console.isQuiet && environment.TERM !== "dumb";
    const locale = environment.LC_ALL || environment.LC_CTYPE || environment.LANG || "";
    this.#isPlain = process.platform !== "win32" && !/utf-?8/i.test(locale);
  }

  /** Draws the bar, unless it was drawn a moment ago. */
  update(progress: Progress): void {
    this.#samples.push({ step: progress.step, seconds: progress.seconds });
    while ((this.#samples[1]?.seconds ?? Number.POSITIVE_INFINITY) < progress.seconds - rateSeconds)
      this.#samples.shift();
    this.#remember(progress.metrics);
    const now = this.#now();
    if (now - this.#last < redrawMilliseconds && progress.step < progress.steps) return;
    this.#last = now;
    this.#draw(this.#text(progress));
  }

  /** A line of words instead of a bar, while there is nothing to count. */
  wait(text: string): void {
    this.#draw(this.#console.paint("dim", text, process.stderr));
  }

  /** Runs `print` with the line out of the way. */
  above(print: () => void): void {
    this.clear();
    print();
  }

  clear(): void {
    if (!this.#drawn) return;
    write(process.stderr, "\r\u001B[2K");
    this.#drawn = false;
  }

  #draw(text: string): void {
    if (!this.#isShown) return;
    write(process.stderr, `\r\u001B[2K${text}`);
    this.#drawn = true;
  }

  #text({ title, step, steps, metrics }: Progress): string {
    const fraction = steps > 0 ? Math.min(1, step / steps) : 1;
    const rate = this.#rate() ?? Number.NaN;
    const head = `${title} ${String(Math.floor(fraction * 100)).padStart(3)}%`;
    const count = `${String(step).padStart(String(steps).length)}/${steps}`;
    const values = shortNames([...metrics.keys()]).map(
      (name, i) => `${name} ${this.#field(name, roundedText([...metrics.values()][i]), fieldWidths.value)}`,
    );
    const ends = [
      `${this.#field("steps/s", rateText(rate), fieldWidths.rate)} steps/s`,
      `ETA ${this.#field("ETA", clockText((steps - step) / rate), fieldWidths.eta)}`,
    ];
    // A terminal that wraps the line could not be drawn over: what does not fit is left out.
    const room = (process.stderr.columns ?? 80) - 1;
    const widthOf = (fields: readonly string[]): number => width([head, ...fields].join("  "));
    const fields =
      this.#withChart(count, values, ends).find((one) => widthOf(one) + 1 + narrowestBar <= room) ??
      withoutChart(count, values, ends).find((one) => widthOf(one) <= room);
    if (fields === undefined) return head.slice(0, room);
    const free = Math.min(widestBar, room - widthOf(fields) - 1);
    const bar = free >= narrowestBar ? ` ${this.#bar(fraction, free)}` : "";
    return [`${this.#console.paint("bold", head, process.stderr)}${bar}`, ...fields].join("  ");
  }

  /** What may stand beside a bar, the best first: the percentage says what the count does, and further metrics are in the reports. */
  #withChart(count: string, values: readonly string[], ends: readonly string[]): readonly (readonly string[])[] {
    const [first, ...others] = values;
    if (this.#isPlain || first === undefined) return [];
    const charted = `${first} ${chartText(this.#curve).padEnd(chartColumns)}`;
    return Array.from({ length: values.length }, (_, left) => others.slice(0, others.length - left)).flatMap((kept) => [
      [count, charted, ...kept, ...ends],
      [charted, ...kept, ...ends],
    ]);
  }

  #field(name: string, text: string, least: number): string {
    const columns = Math.max(this.#widths.get(name) ?? least, text.length);
    this.#widths.set(name, columns);
    return text.padEnd(columns);
  }

  #bar(fraction: number, columns: number): string {
    if (this.#isPlain) return `[${"#".repeat(Math.round(fraction * (columns - 2))).padEnd(columns - 2, "-")}]`;
    const eighths = Math.round(fraction * columns * 8);
    const partial = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8] ?? "";
    const full = "█".repeat(Math.floor(eighths / 8)) + partial;
    const rest = "░".repeat(columns - width(full));
    return this.#console.paint("cyan", full, process.stderr) + this.#console.paint("dim", rest, process.stderr);
  }

  /** Of a long run every second value is dropped, again and again. */
  #remember(metrics: ReadonlyMap<string, number>): void {
    const [value] = metrics.values();
    if (value === undefined) return;
    this.#turn += 1;
    if (this.#turn % this.#stride !== 0) return;
    this.#curve = [...this.#curve, value];
    if (this.#curve.length < mostValues) return;
    this.#curve = this.#curve.filter((_, i) => i % 2 === 1);
    this.#stride *= 2;
  }

  #rate(): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.seconds <= first.seconds) return undefined;
    return (last.step - first.step) / (last.seconds - first.seconds);
  }
}

/** The metrics go first, the last ones before others, and the count before the first one; then the time and the rate. */
function withoutChart(
  count: string,
  values: readonly string[],
  ends: readonly string[],
): readonly (readonly string[])[] {
  const shorter = (fields: readonly string[]) =>
    Array.from({ length: fields.length + 1 }, (_, left) => fields.slice(0, fields.length - left));
  return [
    ...shorter(values).flatMap((kept) => [
      [count, ...kept, ...ends],
      ...(kept.length === 1 ? [[...kept, ...ends]] : []),
    ]),
    ...shorter(ends).map((kept) => [count, ...kept]),
  ];
}

/**
 * A curve in one line of text, from its least to its greatest value: each column is the mean of a part, or a cross where nothing in it
 * is finite. Heights are logarithmic where all are positive and one is more than twenty times another: a loss that has fallen would
 * otherwise be level for the rest of the training. Nothing for less than two values.
 */
export function chartText(values: readonly number[], most = chartColumns): string {
  const columns = Math.min(most, values.length);
  if (columns < 2) return "";
  const means = Array.from({ length: columns }, (_, column) => {
    const from = Math.floor((column * values.length) / columns);
    const part = values.slice(from, Math.floor(((column + 1) * values.length) / columns)).filter(Number.isFinite);
    return part.length === 0 ? undefined : part.reduce((sum, value) => sum + value / part.length, 0);
  });
  const known = means.filter((mean) => mean !== undefined);
  const isSteep = Math.min(...known) > 0 && Math.max(...known) > 20 * Math.min(...known);
  const scaled = (mean: number): number => (isSteep ? Math.log(mean) : mean);
  const [low, high] = [scaled(Math.min(...known)), scaled(Math.max(...known))];
  const height = (mean: number): number => (high > low ? Math.round(((scaled(mean) - low) / (high - low)) * 7) : 3);
  return means.map((mean) => (mean === undefined ? "×" : levels[height(mean)])).join("");
}

/** `metrics.loss` as `loss`, where the names stay apart. */
function shortNames(names: readonly string[]): readonly string[] {
  const short = names.map((name) => name.split(/[./]/).at(-1) ?? name);
  return new Set(short).size === names.length ? short : names;
}

/** Four digits: more would only flicker. Small numbers have an exponent, so that zeros take no room. */
function roundedText(value: number | undefined): string {
  return value === undefined || !Number.isFinite(value) ? String(value) : briefText(Number(value.toPrecision(4)));
}

function briefText(value: number): string {
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential() : String(value);
}

/** `0:07`, `12:30`, `1:02:03`. */
export function clockText(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds > 100 * 3600) return "-";
  const whole = Math.ceil(Math.max(0, seconds));
  const two = (part: number): string => String(part).padStart(2, "0");
  const minutes = Math.floor(whole / 60) % 60;
  const hours = Math.floor(whole / 3600);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
