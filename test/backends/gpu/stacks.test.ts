/** What loops stack on a device: each iteration's slab is an array of its own, and they are joined when the loop is done. */
import test, { type ExecutionContext } from "ava";
import { deviceEdges, lowerPart, partsOf } from "../../../compiler/backends/gpu/compile.js";
import type { DeviceName } from "../../../compiler/backends/gpu/devices/device.js";
import { kernelsOf, type Step } from "../../../compiler/backends/gpu/form.js";
import { optimise, prepareComputation } from "../../../compiler/prepare.js";
import { Session } from "../../../index.js";
import { compileText } from "../../runtime/programs.js";
import { forEachDevice } from "./support.js";

const width = 3;

/** Sixteenths, of which f32 holds all that the loops below make of them. */
function numbers(steps: number): Float32Array {
  return Float32Array.from({ length: steps * width }, (_, i) => ((i * 37) % 64) / 16 - 2);
}

function running(steps: number, reverse: string): string {
  return `graph g {
  placeholder xs: f32[${steps}, ${width}]
  last, all, doubled = scan${reverse} x in xs with h = zeros([${width}]) {
    s = h + x
    next h = s
    yield s, s * 2
  }
  signature f(xs) -> (last, all, doubled)
}
`;
}

async function holds(t: ExecutionContext, device: DeviceName, steps: number, reverse: boolean): Promise<void> {
  const text = running(steps, reverse ? "(reverse=true)" : "");
  const program = await compileText(t, text, { target: "gpu", device });
  await using session = new Session(program);
  const xs = numbers(steps);
  await session.run("f", { xs });
  const before = await program.backend.counts?.();
  const { last, all, doubled } = await session.run("f", { xs });
  const after = await program.backend.counts?.();
  const expected = new Float32Array(steps * width);
  const sums = new Array<number>(width).fill(0);
  for (let turn = 0; turn < steps; turn++) {
    const at = reverse ? steps - 1 - turn : turn;
    for (let i = 0; i < width; i++) {
      sums[i] = (sums[i] ?? 0) + (xs[at * width + i] ?? 0);
      expected[at * width + i] = sums[i] ?? 0;
    }
  }
  t.deepEqual(all?.data, expected);
  t.deepEqual(
    doubled?.data,
    expected.map((x) => 2 * x),
  );
  t.deepEqual(last?.data, Float32Array.from(sums));
  // The carry and one stack an iteration, the other stack being the carry itself; seven arrays are joined at a time.
  const joins = (parts: number): number =>
    parts <= 1 ? 0 : Math.floor(parts / 7) + (parts % 7 > 1 ? 1 : 0) + joins(Math.ceil(parts / 7));
  const launches = (after?.launches ?? 0) - (before?.launches ?? 0);
  const uploads = device === "webgpu" ? 1 : 0;
  t.true(launches <= 2 * steps + 2 * joins(steps) + 1 + uploads, `${launches} launches of ${steps} iterations`);
  t.is(after?.arrays, before?.arrays);
  t.is(after?.kernels, before?.kernels);
}

for (const steps of [1, 2, 7, 8, 50, 64]) {
  forEachDevice(`a stack of ${steps}`, (t, device) => holds(t, device, steps, false));
  forEachDevice(`a stack of ${steps}, last first`, (t, device) => holds(t, device, steps, true));
}

/** A gradient through the loop reads the stacks backwards. */
const backwards = (rows: number): string => `graph g {
  placeholder xs: f32[${rows}, 4]
  variable w: f32[4, 4] = full([4, 4], 0.25)
  last, all = scan x in xs with h = zeros([4]) {
    s = tanh(reshape(reshape(h, [1, 4]) @ w, [4]) + x)
    next h = s
    yield s
  }
  y = gradients(sum(all * all) + sum(last), w)
  signature f(xs) -> (y, all)
}
`;

/** A loop in a loop stacks stacks. */
const others = [
  ["a gradient", backwards(20)],
  [
    "stacks of stacks",
    `graph g {
  placeholder xs: f32[20, 4]
  total, y = scan x in xs with c = 0.0 {
    d, inner = scan e in x with f = c {
      next f = f * 0.5 + e
      yield f - e
    }
    next c = d
    yield inner
  }
}
`,
  ],
] as const;

for (const [title, text] of others) {
  forEachDevice(title, async (t, device) => {
    const values: Float32Array[] = [];
    for (const options of [{ target: "reference" }, { target: "gpu", device }] as const) {
      await using session = new Session(await compileText(t, text, options));
      const { y } = await session.run(["y"], { xs: numbers(20 * 4).slice(0, 80) });
      values.push(Float32Array.from(y?.data as Float32Array));
    }
    const [expected, found] = values;
    t.is(found?.length, expected?.length);
    found?.forEach((value, i) => {
      const right = expected?.[i] ?? Number.NaN;
      t.true(Math.abs(value - right) <= 1e-6 + 1e-5 * Math.abs(right), `${value} for ${right}`);
    });
  });
}

/** The elements that each launch in a loop makes: none copies a whole stack. */
function madeInLoops(steps: readonly Step[]): readonly number[] {
  return steps.flatMap((step) => (step.kind === "loop" ? kernelsOf(step.body).map(({ length }) => length) : []));
}

test("an iteration that reads what it stacks, and a stack of stacks, copy no stack", async (t) => {
  const texts = [
    backwards(200),
    `graph g {
  placeholder xs: f32[30, 20, 4]
  variable w: f32[4] = full([4], 0.25)
  total, all = scan(reverse=true) m in xs with c = zeros([4]) {
    d, inner = scan e in m with f = c {
      next f = f * w + e
      yield f - e
    }
    next c = d
    yield inner
  }
  y = gradients(sum(all * all) + sum(total), w)
  signature f(xs) -> (y, all)
}
`,
  ];
  for (const text of texts) {
    const { graph } = await compileText(t, text);
    const prepared = prepareComputation(graph, { kind: "signature", name: "f" });
    const { partition } = partsOf(optimise(graph, prepared, new Map(), { followsPlaces: true }));
    const parts = partition.parts.filter(({ side }) => side === "device");
    const made = parts.flatMap((part) => madeInLoops(lowerPart(part, deviceEdges(partition), true).lowered.steps));
    t.true(made.length > 0);
    // At most one iteration of the outer loop.
    t.true(Math.max(...made) <= 80, `${made}`);
  }
});
