/** What a session does whose WebGL contexts are taken away. */

import type { Tensor } from "../../../compiler/ir/tensor.js";
import { type DeviceName, GraphError, openModel, type Session, weightsOf } from "../../../web/index.js";

/** The part of WebGL that tests use here. */
interface Context {
  readonly isContextLost: () => boolean;
  readonly getExtension: (name: "WEBGL_lose_context") => { readonly loseContext: () => void } | null;
}

const contexts = new Set<Context>();
let left = Number.POSITIVE_INFINITY;

/** Keeps all contexts that are made from now on. */
function watchContexts(): void {
  for (const name of ["HTMLCanvasElement", "OffscreenCanvas"]) {
    replaceMethod(name, "getContext", (original, canvas, given) => {
      const context = original.apply(canvas, given);
      if (given[0] === "webgl2" && isContext(context)) contexts.add(context);
      return context;
    });
  }
  // Each kernel draws once.
  replaceMethod("WebGL2RenderingContext", "drawArrays", (original, context, given) => {
    if (--left === 0) loseContexts();
    return original.apply(context, given);
  });
}

type Method = (this: unknown, ...given: unknown[]) => unknown;

function replaceMethod(
  className: string,
  name: string,
  by: (original: Method, self: unknown, given: unknown[]) => unknown,
): void {
  const { prototype } = Reflect.get(globalThis, className);
  const original: Method = prototype[name];
  prototype[name] = function (this: unknown, ...given: unknown[]) {
    return by(original, this, given);
  };
}

function isContext(context: unknown): context is Context {
  return typeof context === "object" && context !== null && "isContextLost" in context;
}

function loseContexts(): void {
  left = Number.POSITIVE_INFINITY;
  for (const context of contexts) {
    if (!context.isContextLost()) context.getExtension("WEBGL_lose_context")?.loseContext();
    contexts.delete(context);
  }
}

watchContexts();

const told = (error: unknown): string =>
  error instanceof GraphError
    ? `${error.diagnostics[0]?.code} ${error.diagnostics[0]?.message}`
    : String(error instanceof Error ? error.stack : error);

const plain = ({ data }: Tensor): readonly number[] => [...data].map(Number);

async function state(session: Session): Promise<Readonly<Record<string, readonly number[]>>> {
  const found: Record<string, readonly number[]> = { step: [session.step] };
  for (const path of session.variables.paths) found[path] = plain(await session.read(path));
  return found;
}

export type State = Awaited<ReturnType<typeof state>>;

const feed = (i: number) => ({ x: { dtype: "f32", shape: [4], data: Float32Array.of(1, i, -2, 0.5 * i) } }) as const;

const device = "webgl2";

async function go(session: Session, i: number): Promise<void> {
  if (i === 3) session.set("w", { dtype: "f32", shape: [4], data: Float32Array.of(1, 2, 3, 4) });
  await session.run("go", feed(i));
}

/** The states after so many runs of `go`; the contexts are lost before the runs that `losses` names. */
export async function walk(model: string, runs: number, losses: readonly number[]): Promise<readonly State[]> {
  const session = await openModel(model, { device });
  const states: State[] = [];
  for (let i = 0; i < runs; i++) {
    if (losses.includes(i)) loseContexts();
    await go(session, i);
    // Not before each loss: what the device alone has is lost with it.
    if (i % 2 === 0) states.push(await state(session));
  }
  loseContexts();
  states.push(await state(session));
  await session.close();
  return states;
}

/** Five runs, a sixth in the middle of which the contexts are lost, and then the sixth again: here and in a new session. */
export async function loseInRun(model: string): Promise<{
  readonly failure: string;
  readonly kept: State;
  readonly here: State;
  readonly next: State;
}> {
  const session = await openModel(model, { device });
  for (let i = 0; i < 5; i++) await go(session, i);
  left = 2;
  const failure = await session.run("go", feed(5)).then(() => "none", told);
  const kept = await state(session);
  const next = await openModel(model, { device, weights: await weightsOf(session), seed: 3 });
  for (const one of [session, next]) await go(one, 5);
  const states = { here: await state(session), next: await state(next) };
  await session.close();
  await next.close();
  return { failure, kept, ...states };
}

let runsDone = 0;

/** How many runs of `walkOver` are done. */
export function progress(): number {
  return runsDone;
}

/** All results of so many runs, each of which is done again when it fails, and how they failed. */
export async function walkOver(
  model: string,
  device: DeviceName,
  runs: number,
): Promise<{ readonly lengths: readonly number[]; readonly failures: readonly string[] }> {
  const session = await openModel(model, { device });
  const lengths: number[] = [];
  const failures: string[] = [];
  while (lengths.length < runs && failures.length < 10) {
    try {
      const { length } = await session.run("go", feed(lengths.length));
      lengths.push(Number(length?.data[0]));
      runsDone = lengths.length;
    } catch (error) {
      failures.push(told(error));
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  await session.close();
  return { lengths, failures };
}

/** Training of so many steps that is started again when it fails; the contexts are lost at the kernel `at` of it. */
export async function trainOver(
  model: string,
  steps: number,
  at: number | undefined,
): Promise<{ readonly failure: string | undefined; readonly reached: number; readonly end: State }> {
  const session = await openModel(model, { device });
  const rows = 40;
  const x = Float32Array.from({ length: 3 * rows }, (_, i) => Math.sin(i * 1.7));
  const y = Float32Array.from({ length: rows }, (_, i) => (x[3 * i] ?? 0) - 2 * (x[3 * i + 2] ?? 0));
  const data = {
    x: { dtype: "f32", shape: [rows, 3], data: x },
    y: { dtype: "f32", shape: [rows, 1], data: y },
  } as const;
  const plan = { run: "fit", data, batch: 8, shuffle: true, report: ["loss"], every: 1e6, steps } as const;
  await session.train({ ...plan, steps: 2 });
  left = at ?? Number.POSITIVE_INFINITY;
  const failure = await session.train(plan).then(() => undefined, told);
  const reached = session.step;
  if (failure !== undefined) await session.train(plan);
  const end = await state(session);
  await session.close();
  return { failure, reached, end };
}

/** Opens so many devices, more than a browser keeps contexts for, and runs on them in turn. */
export async function openMany(model: string, count: number): Promise<readonly State[]> {
  const sessions: Session[] = [];
  for (let i = 0; i < count; i++) {
    const session = await openModel(model, { device });
    sessions.push(session);
    await session.run("go", feed(0));
  }
  const states: State[] = [];
  for (const session of sessions) {
    await session.run("go", feed(1));
    states.push(await state(session));
    await session.close();
  }
  return states;
}

/** The contexts are lost, and the browser gives no new one; then it does. */
export async function loseForGood(model: string): Promise<{ readonly failure: string; readonly end: State }> {
  const session = await openModel(model, { device });
  await session.run("go", feed(0));
  loseContexts();
  const { prototype } = Reflect.get(globalThis, "HTMLCanvasElement");
  const { getContext } = prototype;
  prototype.getContext = () => null;
  const failure = await session.run("go", feed(1)).then(() => "none", told);
  prototype.getContext = getContext;
  await session.run("go", feed(1));
  const end = await state(session);
  await session.close();
  return { failure, end };
}
