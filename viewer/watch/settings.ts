import { mostSmoothing } from "../watch_curves.js";

/** How a reader wants the curves: kept for this tab, so that a reload changes nothing. */
export interface Settings {
  /** The place of the slider, from 0 (none) to `mostSmoothing`: see `weightOf`. */
  readonly smoothing: number;
  readonly axis: "step" | "time";
  /** Names of charts whose y axis is logarithmic. */
  readonly logarithmic: readonly string[];
}

const key = "graphc watch";
const initial: Settings = { smoothing: 0.4, axis: "step", logarithmic: [] };

export function readSettings(): Settings {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(key) ?? "{}");
    if (typeof stored !== "object" || stored === null) return initial;
    const { smoothing, axis, logarithmic } = { ...initial, ...stored };
    return {
      smoothing:
        typeof smoothing === "number" && smoothing >= 0 && smoothing <= mostSmoothing ? smoothing : initial.smoothing,
      axis: axis === "time" ? "time" : "step",
      logarithmic: Array.isArray(logarithmic) ? logarithmic.filter((one) => typeof one === "string") : [],
    };
  } catch {
    // A browser may keep nothing.
    return initial;
  }
}

export function writeSettings(settings: Settings): void {
  try {
    sessionStorage.setItem(key, JSON.stringify(settings));
  } catch {
    // Then they last until the page is left.
  }
}
