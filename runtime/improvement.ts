import type { BestPlan, TrainPlan } from "../compiler/ir/graph.js";

/** What a validation means for the run. */
export interface Judgement {
  /** The best so far: its state is worth keeping. */
  readonly isBest: boolean;
  /** There was no improvement for long enough to end. */
  readonly isOver: boolean;
}

/**
 * Judges validations by the `best` and `early_stopping` of a run. What it knows can be written into a checkpoint's metadata and
 * read from there: a resumed run keeps the same best file and ends at the same epoch as the uninterrupted one.
 */
export class Improvement {
  readonly #best: BestPlan | undefined;
  readonly #stopping: TrainPlan["earlyStopping"];
  #bestValue: number | undefined;
  #stoppingValue: number | undefined;
  /** Validations since the last improvement that counts for `early_stopping`. */
  #waited: number;

  constructor(
    { best, earlyStopping }: { readonly best: BestPlan | undefined } & Pick<TrainPlan, "earlyStopping">,
    remembered: ReadonlyMap<string, string> = new Map(),
  ) {
    this.#best = best;
    this.#stopping = earlyStopping;
    // Values of another metric say nothing about this one.
    const number = (name: string, metric: string | undefined): number | undefined => {
      const text = remembered.get(`${name}.metric`) === metric ? remembered.get(`${name}.value`) : undefined;
      const value = text === undefined || text === "" ? Number.NaN : Number(text);
      return Number.isNaN(value) ? undefined : value;
    };
    this.#bestValue = number("best", best?.metric);
    this.#stoppingValue = number("early_stopping", earlyStopping?.metric);
    const waited = Number(remembered.get("early_stopping.waited"));
    this.#waited = this.#stoppingValue !== undefined && Number.isSafeInteger(waited) && waited > 0 ? waited : 0;
  }

  judge(metrics: ReadonlyMap<string, number>): Judgement {
    return { isBest: this.#isBest(metrics), isOver: this.#isOver(metrics) };
  }

  /** For a checkpoint; read back by the constructor. */
  metadata(): ReadonlyMap<string, string> {
    const entries = new Map<string, string>();
    if (this.#best !== undefined && this.#bestValue !== undefined) {
      entries.set("best.metric", this.#best.metric).set("best.value", String(this.#bestValue));
    }
    if (this.#stopping !== undefined && this.#stoppingValue !== undefined) {
      entries.set("early_stopping.metric", this.#stopping.metric);
      entries.set("early_stopping.value", String(this.#stoppingValue));
      entries.set("early_stopping.waited", String(this.#waited));
    }
    return entries;
  }

  #isBest(metrics: ReadonlyMap<string, number>): boolean {
    const value = this.#best && metrics.get(this.#best.metric);
    if (this.#best === undefined || value === undefined) return false;
    if (!isBetter(value, this.#bestValue, this.#best.mode, 0)) return false;
    this.#bestValue = value;
    return true;
  }

  #isOver(metrics: ReadonlyMap<string, number>): boolean {
    const value = this.#stopping && metrics.get(this.#stopping.metric);
    if (this.#stopping === undefined || value === undefined) return false;
    if (isBetter(value, this.#stoppingValue, this.#stopping.mode, this.#stopping.minDelta)) {
      this.#stoppingValue = value;
      this.#waited = 0;
      return false;
    }
    this.#waited += 1;
    return this.#waited >= this.#stopping.patience;
  }
}

function isBetter(value: number, best: number | undefined, mode: "min" | "max", minDelta: number): boolean {
  if (Number.isNaN(value)) return false;
  if (best === undefined) return true;
  return mode === "min" ? value < best - minDelta : value > best + minDelta;
}
