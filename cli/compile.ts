import type { ExecutableInfo } from "../compiler/backends/executable.js";
import type { DeviceName } from "../compiler/backends/gpu/devices/device.js";
import { openCacheFolder } from "../compiler/cache/folder.js";
import { type Prepared, Program } from "../compiler/program.js";
import type { CommonOptions, Console } from "./console.js";
import { type ExitCode, exitCodes } from "./failure.js";
import { type LoadOptions, openModel } from "./load.js";
import { bytesText, countText, secondsText } from "./numbers.js";
import type { Sizes } from "./options.js";
import { choicesOf, originRemarks, requireSizes, type Sized, sizesText } from "./specialisation.js";
import { table } from "./table.js";
import { openBackend } from "./target.js";

export interface CompileOptions extends CommonOptions, LoadOptions {
  readonly signature?: string | undefined;
  readonly dim?: Sizes | undefined;
  readonly target?: "cpu" | "gpu" | undefined;
  readonly device?: DeviceName | undefined;
}

interface Row {
  readonly name: string;
  readonly sized: Sized;
  readonly info: ExecutableInfo;
}

/** Compiles signatures into the cache, so that the first run of each starts at once; prints what came of it. */
export async function compile(console: Console, file: string, options: CompileOptions): Promise<ExitCode> {
  const { graph, store } = await openModel(console, file, options);
  // Native code is what is kept; a graph that places something on the gpu is compiled as it runs.
  const target = options.target ?? (graph.devices.has("gpu") ? undefined : "cpu");
  const backend = await openBackend(console, { target, device: options.device }, graph);
  const choices = choicesOf(graph, options.signature);
  const start = performance.now();
  const program = await Program.create(graph, backend, { checkNumerics: false }, store);
  // All sizes are settled first: a mistake in one is told before time is spent on the others.
  const jobs: { readonly name: string; readonly prepared: Prepared; readonly sized: Sized }[] = [];
  for (const choice of choices) {
    const prepared = await program.prepare(choice.selection);
    jobs.push({ name: choice.name, prepared, sized: requireSizes(graph, choice, prepared.dims, options.dim) });
  }
  const rows: Row[] = [];
  for (const { name, prepared, sized } of jobs) {
    const { info } = await program.compile(prepared, sized.dims);
    rows.push({ name, sized, info });
  }
  const seconds = (performance.now() - start) / 1000;
  const folder = openCacheFolder();
  if (console.isJson) {
    const signatures = rows.map(
      ({ name, sized, info }): [string, Readonly<Record<string, number | boolean | ReadonlyMap<string, number>>>] => [
        name,
        {
          dims: sized.dims,
          kernels: info.kernels,
          code_bytes: info.codeBytes,
          arena_bytes: info.arenaBytes,
          peak_bytes: info.peakBytes,
          compile_seconds: info.compileSeconds,
          cached: info.cached,
        },
      ],
    );
    console.object({
      target: backend.target,
      device: backend.device,
      seconds,
      cache: folder.path,
      signatures: new Map(signatures),
      diagnostics: [],
    });
    return exitCodes.fine;
  }
  if (rows.length === 0) console.say(`${file} has nothing to compile`);
  else console.say(describe(rows));
  for (const remark of originRemarks(rows.map(({ sized }) => sized))) console.note(remark);
  if (folder.warning !== undefined) console.note(folder.warning);
  return exitCodes.fine;
}

function describe(rows: readonly Row[]): string {
  const right = "right" as const;
  return table(
    [
      { title: "signature" },
      { title: "sizes" },
      { title: "kernels", align: right },
      { title: "code", align: right },
      { title: "arena", align: right },
      { title: "peak", align: right },
      { title: "time", align: right },
      { title: "" },
    ],
    rows.map(({ name, sized, info }) => [
      name,
      sizesText(sized),
      countText(info.kernels),
      bytesText(info.codeBytes),
      bytesText(info.arenaBytes),
      bytesText(info.peakBytes),
      secondsText(info.compileSeconds),
      info.cached ? "cached" : "",
    ]),
  );
}
