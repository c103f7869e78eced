import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median } from "../cli/samples.js";

/** How long it takes until a graph has done a training step: in processes of their own, with an empty cache or a full one. */
export interface Startup {
  /** Seconds from the call of `compile` to the end of the first step. */
  readonly compile: number;
  /** Seconds of wall time of the whole process. */
  readonly process: number;
}

/** A step on rows of zeros, so that reading a data set is no part of it. */
const script = `
const { compile, Session } = await import(process.argv[1]);
const start = performance.now();
const program = await compile(process.argv[2]);
const session = new Session(program);
const rows = program.graph.train.batch;
const feeds = program.graph.placeholders.map(({ name, value: { type } }) => {
  const shape = [rows, ...type.shape.slice(1)];
  return [name, { dtype: "u8", shape, data: new Uint8Array(shape.reduce((a, b) => a * b)) }];
});
await session.run("fit", Object.fromEntries(feeds));
console.log((performance.now() - start) / 1000);
await session.close();
`;

/** For a graph whose train block has a batch, whose placeholders are rows of u8, and whose signature `fit` does a step. */
export function measureStartup(
  index: string,
  file: string,
  repeats = 5,
): { readonly first: Startup; readonly cached: Startup } {
  const cache = mkdtempSync(join(tmpdir(), "graphc-bench-"));
  const run = (): Startup => {
    const start = performance.now();
    const child = spawnSync(process.execPath, ["--input-type=module", "-e", script, "--", index, file], {
      encoding: "utf8",
      env: { ...process.env, GRAPHC_CACHE_DIR: cache },
    });
    const seconds = (performance.now() - start) / 1000;
    if (child.status !== 0) throw new Error(child.stderr);
    return { compile: Number(child.stdout), process: seconds };
  };
  try {
    const first = Array.from({ length: repeats }, () => {
      rmSync(cache, { recursive: true, force: true });
      return run();
    });
    const cached = Array.from({ length: repeats }, run);
    return { first: medianOf(first), cached: medianOf(cached) };
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}

/** A process that does nothing: what no program can be faster than. */
export function emptyProcessSeconds(repeats = 5): number {
  const times = Array.from({ length: repeats }, () => {
    const start = performance.now();
    spawnSync(process.execPath, ["-e", "0"]);
    return (performance.now() - start) / 1000;
  });
  return median(times);
}

function medianOf(runs: readonly Startup[]): Startup {
  return { compile: median(runs.map((run) => run.compile)), process: median(runs.map((run) => run.process)) };
}
