import type { CurveKind, CurveUpdate } from "../../viewer/watch_messages.js";
import { Curve } from "./curve.js";

/** The rate is measured over so much of the training's own time. */
const rateSeconds = 0.25;
export const rateName = "steps/s";

/** What a page has been told of each curve. */
export type CurvesTold = Map<Curve, { readonly joined: number; readonly taken: number; readonly length: number }>;

interface Report {
  readonly step: number;
  readonly metrics: ReadonlyMap<string, number>;
}

/** All curves of a training, with the wall time of each point. */
export class Curves {
  readonly #now: () => number;
  readonly #curves: { readonly kind: CurveKind; readonly name: string; readonly curve: Curve }[] = [];
  #begin: number;
  /** Steps are done in calls of many; where and when the present one began. */
  #call: { readonly step: number; readonly seconds: number };
  #waiting: Report[] = [];
  #rated: { readonly step: number; readonly seconds: number } | undefined;

  /** `now` is in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#begin = now();
    this.#call = { step: 0, seconds: 0 };
  }

  /** The training begins, at this step. */
  start(step: number): void {
    this.#begin = this.#now();
    this.#call = { step, seconds: 0 };
    this.#rated = { step, seconds: 0 };
  }

  /** A call of the target begins: whatever was waited for lies before it. */
  resume(step: number): void {
    this.#call = { step, seconds: this.#seconds() };
  }

  /** A report of a step inside the present call: when that was is known at the call's end. */
  report(step: number, metrics: ReadonlyMap<string, number>): void {
    this.#waiting.push({ step, metrics });
  }

  /** The present call has ended at `step`, after `seconds` of steps in all. */
  progress(step: number, seconds: number, metrics: ReadonlyMap<string, number>): void {
    this.#waiting.push({ step, metrics });
    this.flush(step);
    const { step: from, seconds: since } = this.#rated ?? { step: 0, seconds: 0 };
    if (seconds - since < rateSeconds) return;
    this.#curve("rate", rateName).add(step, this.#seconds(), (step - from) / (seconds - since));
    this.#rated = { step, seconds };
  }

  validation(step: number, metrics: ReadonlyMap<string, number>): void {
    for (const [name, value] of metrics) this.#curve("validation", name).add(step, this.#seconds(), value);
  }

  /** Reports of a call that failed have their place, too. */
  flush(end = this.#waiting.at(-1)?.step ?? 0): void {
    const now = this.#seconds();
    const { step: from, seconds: since } = this.#call;
    for (const { step, metrics } of this.#waiting) {
      const share = end > from ? Math.min(1, (step - from) / (end - from)) : 1;
      for (const [name, value] of metrics) {
        const curve = this.#curve("training", name);
        if (step > curve.lastStep) curve.add(step, since + share * (now - since), value);
      }
    }
    this.#waiting = [];
  }

  /** What `told` does not have yet; it has it then. */
  updates(told: CurvesTold): readonly CurveUpdate[] {
    return this.#curves.flatMap(({ kind, name, curve }) => {
      const before = told.get(curve);
      if (before?.taken === curve.taken) return [];
      told.set(curve, { joined: curve.joined, taken: curve.taken, length: curve.length });
      // The last point that was told may have grown.
      const from = before?.joined === curve.joined ? Math.max(0, before.length - 1) : 0;
      return [{ kind, name, from, ...curve.columns(from) }];
    });
  }

  #seconds(): number {
    return (this.#now() - this.#begin) / 1000;
  }

  #curve(kind: CurveKind, name: string): Curve {
    const known = this.#curves.find((one) => one.kind === kind && one.name === name);
    if (known !== undefined) return known.curve;
    const curve = new Curve();
    this.#curves.push({ kind, name, curve });
    return curve;
  }
}
