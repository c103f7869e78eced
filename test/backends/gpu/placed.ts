/** Random graphs whose statements lie on the processor, on a device or nowhere in particular, and what a run of them sends. */
import type { ExecutionContext } from "ava";
import fc from "fast-check";
import type { DeviceCounts } from "../../../compiler/backends/executable.js";
import { partsOf } from "../../../compiler/backends/gpu/compile.js";
import type { DeviceName } from "../../../compiler/backends/gpu/devices/device.js";
import { totalsOf, transfersOf } from "../../../compiler/backends/gpu/transfers.js";
import type { DeviceKind } from "../../../compiler/ir/device.js";
import { optimise, prepareComputation } from "../../../compiler/prepare.js";
import { type Program, Session, type TensorData } from "../../../index.js";
import { compileText } from "../../runtime/programs.js";
import { draws } from "../../support/draws.js";
import { layersOn } from "../../support/models.js";

/** All values are f32[3, 4] and stay small, so that results differ by rounding alone. */
const forms: readonly ((a: string, b: string) => string)[] = [
  (a) => `tanh(${a})`,
  (a, b) => `0.5 * (${a} + ${b})`,
  (a, b) => `${a} * ${b}`,
  (a, b) => `maximum(${a}, 0.5 * ${b})`,
  (a) => `softmax(${a})`,
  (a) => `${a} - mean(${a}, axis=0, keepdims=true)`,
  (a, b) => `0.25 * ${a} @ transpose(${b}) @ ${a}`,
  (a) => `reshape(transpose(reshape(${a}, [4, 3])), [3, 4])`,
  (a, b) => `concatenate([${a}[1:], ${b}[0:1]])`,
  (a) => `${a}[::-1, ::-1]`,
  (a, b) => `tanh(${a} + sum(${b}[0]))`,
  (a, b) => `${a} / (1.5 + mean(${b}) ** 2)`,
  (a, b) => `${a} + 0.1 * reshape(max(${b}, axis=0), [1, 4])`,
  (a) => `gather(${a}, [2, 0, 0])`,
  // What devices have no kernel of, and what f32 does not hold.
  (a) => `0.25 * cumsum(${a}, axis=1)`,
  (a) => `cast(cast(${a}, to=f64) * 0.75, to=f32)`,
  (a) => `0.5 * cast(cast(10 * ${a}, to=i64) % 3, to=f32) * 0.0 + ${a}`,
];

const places = ["", ' on "gpu"', ' on "cpu"'] as const;

interface Line {
  readonly form: number;
  readonly a: number;
  readonly b: number;
  readonly place: number;
}

const line: fc.Arbitrary<Line> = fc.record({
  form: fc.nat(forms.length),
  a: fc.nat(1000),
  b: fc.nat(1000),
  place: fc.nat(places.length - 1),
});

/** A graph that learns: `w` by hand and `v` by Adam, each with a place of its own. */
export const placedText: fc.Arbitrary<string> = fc
  .tuple(fc.array(line, { minLength: 3, maxLength: 12 }), fc.tuple(...Array.from({ length: 5 }, () => fc.nat(2))))
  .map(([lines, [w = 0, v = 0, loss = 0, hand = 0, adam = 0]]) => {
    const names = ["x", "w", "v"];
    const statements = lines.map(({ form, a, b, place }, i) => {
      const [left, right] = [a, b].map((n) => names[n % names.length] ?? "x") as [string, string];
      names.push(`y${i}`);
      const made = forms[form];
      if (made !== undefined) return `y${i} = ${made(left, right)}${places[place]}`;
      const body = "t = tanh(s + r)\n    next s = t\n    yield t";
      return `_, y${i} = scan r in ${left} with s = ${right}[0] {\n    ${body}\n  }${places[place]}`;
    });
    const last = names.at(-1);
    return `import { adam } from "std/optimizers"
graph placed {
  placeholder x: f32[3, 4]
  variable w: f32[3, 4] = uniform(low=-1.0, high=1.0)${places[w]}
  variable v: f32[3, 4] = uniform(low=-1.0, high=1.0)${places[v]}
  ${statements.join("\n  ")}
  loss = mean((${last} + w * v - x) ** 2)${places[loss]}
  update by_hand${places[hand]} {
    w := w - 0.1 * gradients(loss, [w])
  }
  update by_adam = minimize(loss, adam(learning_rate=0.01), variables=[v])${places[adam]}
  signature fit(x) does by_hand, by_adam -> (loss, ${last}, w, v)
}
`;
  });

const seed = 3;
const feed = Float32Array.from({ length: 12 }, (_, i) => Math.sin(3 * i + 1));

function isClose(x: number, y: number): boolean {
  return Math.abs(x - y) <= 1e-6 + 1e-5 * Math.abs(y);
}

export function different(actual: TensorData | undefined, expected: TensorData | undefined): boolean {
  const [xs, ys] = [actual, expected].map((data) => [...(data ?? [])].map(Number)) as [number[], number[]];
  return xs.length !== ys.length || xs.some((x, i) => !isClose(x, ys[i] ?? Number.NaN));
}

async function counts({ backend }: Program): Promise<DeviceCounts> {
  if (backend.counts === undefined) throw new Error("a device that counts nothing");
  return backend.counts();
}

/** What `inspect` says that a run of `fit` sends. */
export function announced(program: Program, unplaced: DeviceKind): { readonly up: number; readonly down: number } {
  const { graph } = program;
  const prepared = prepareComputation(graph, { kind: "signature", name: "fit" });
  const computation = optimise(graph, prepared, new Map(), { followsPlaces: true });
  return totalsOf(transfersOf(computation, partsOf(computation, unplaced).partition));
}

/**
 * Where a placed graph on a device differs from the reference, over three steps, and where a run sends something else than was
 * announced. Unplaced statements lie on the processor, or with the target gpu on the device.
 */
export async function placedProblems(
  t: ExecutionContext,
  device: DeviceName,
  text: string,
  unplaced: DeviceKind,
): Promise<readonly string[]> {
  const quiet = { onWarning: () => {} };
  const target = unplaced === "gpu" ? "gpu" : undefined;
  const plain = new Session(await compileText(t, text, quiet), { seed });
  const found: string[] = [];
  // Without a statement on the gpu the text wants no device where the target does not.
  if (target === undefined && !text.includes('on "gpu"')) return found;
  const program = await compileText(t, text, { ...quiet, target, device });
  const session = new Session(program, { seed });
  const expectedBytes = announced(program, unplaced);
  for (let step = 0; step < 3; step++) {
    const before = await counts(program);
    const expected = await plain.run("fit", { x: feed });
    const actual = await session.run("fit", { x: feed });
    for (const name of Object.keys(expected)) {
      if (different(actual[name]?.data as TensorData, expected[name]?.data as TensorData)) {
        const [x, y] = [actual[name], expected[name]].map((one) => [...((one?.data ?? []) as Float32Array)].join(" "));
        found.push(`step ${step}: ${name} is ${x}, not ${y}`);
      }
    }
    const after = await counts(program);
    const sent = { up: after.bytesUp - before.bytesUp, down: after.bytesDown - before.bytesDown };
    // The first run also brings the variables.
    if (step > 0 && (sent.up !== expectedBytes.up || sent.down !== expectedBytes.down))
      found.push(`step ${step}: ${JSON.stringify(sent)} bytes are sent, not ${JSON.stringify(expectedBytes)}`);
  }
  await plain.close();
  await session.close();
  const { arrays } = await counts(program);
  if (arrays !== 0) found.push(`${arrays} arrays are left`);
  return found;
}

/** That random graphs with random placements give what the reference gives, and send what `inspect` says. */
export async function agreesWherever(t: ExecutionContext, device: DeviceName, few: number): Promise<void> {
  const options = draws(few);
  let agreed = 0;
  await fc.assert(
    fc.asyncProperty(placedText, fc.constantFrom<DeviceKind>("cpu", "gpu"), async (text, unplaced) => {
      const found = await placedProblems(t, device, text, unplaced);
      if (found.length > 0) throw new Error(`unplaced on the ${unplaced}:\n${found.slice(0, 3).join("\n")}\n${text}`);
      agreed++;
    }),
    options,
  );
  t.is(agreed, options.numRuns);
}

/** That 20 steps of training with layers on both sides end where those of the reference do, and variables are kept. */
export async function trainsAlike(t: ExecutionContext, device: DeviceName): Promise<void> {
  const rows = 48;
  const x = Float32Array.from({ length: rows * 6 }, (_, i) => Math.sin(i * i));
  const label = BigInt64Array.from({ length: rows }, (_, i) => BigInt(i % 3));
  for (const [first, second] of [
    ["gpu", "cpu"],
    ["cpu", "gpu"],
  ] as const) {
    const text = layersOn(first, second);
    const trained = async (options: Parameters<typeof compileText>[2]) => {
      await using session = new Session(await compileText(t, text, { ...options, onWarning: () => {} }), { seed });
      const run = { run: "fit", data: { x, label }, batch: 16, steps: 20, every: 5, report: ["loss"] } as const;
      const { history } = await session.train(run);
      const variables = new Map<string, TensorData>();
      for (const { path } of session.program.graph.variables)
        variables.set(path, (await session.read(path)).data as TensorData);
      return { history, variables };
    };
    const expected = await trained({ target: "reference" });
    const actual = await trained({ target: undefined, device });
    t.is(actual.history.length, expected.history.length);
    for (const [path, data] of expected.variables) {
      t.false(different(actual.variables.get(path), data), `${first}, ${second}: ${path}`);
    }
  }
}
