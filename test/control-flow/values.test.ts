import test from "ava";
import { targets } from "../runtime/programs.js";
import { fetch, near, open } from "../std/support.js";
import { programs } from "./programs.js";

/** Every array of numbers from -2 to 2, of a length, without a pattern. */
function wave(length: number, salt: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * salt) * 1.3);
}

for (const { name, text, fetches, inputs = [] } of programs) {
  const differentiable = inputs.length > 0;
  const first = fetches[0] as string;
  const lines = inputs.map((input, i) => [
    `  d${i} = gradients(${first}, [${input}])`,
    `  v${i} = sin(cast(iota(shape(${input})), to=f64) * 1.7 + ${i})`,
    `  p${i} = sum(d${i} * v${i})`,
  ]);
  const slopes = `${lines.flat().join("\n")}\n  slope = ${inputs.map((_, i) => `p${i}`).join(" + ") || "0.0"}`;
  const second = inputs.map((input, i) => `  e${i} = gradients(slope + 0 * sum(${input}), [${input}])`).join("\n");
  const imports = text.includes("dense(") ? 'import { dense } from "std/layers"\n' : "";
  const whole = `${imports}${text.slice(0, text.lastIndexOf("}"))}${differentiable ? `${slopes}\n${second}` : ""}\n}\n`;
  const all = [...fetches, ...inputs.flatMap((_, i) => [`d${i}`, `e${i}`])];

  test(`${name}: native code gives what the reference gives, gradients and theirs too`, async (t) => {
    const results: ReadonlyMap<string, readonly number[]>[] = [];
    for (const target of targets) results.push(await fetch(await open(t, target, whole), all));
    const [expected, actual] = results;
    t.truthy(expected);
    if (actual === undefined) return;
    for (const fetched of all) near(t, actual.get(fetched), expected?.get(fetched) ?? [], 1e-9, fetched);
  });

  if (!differentiable) continue;
  test(`${name}: first and second gradients equal central differences`, async (t) => {
    const session = await open(t, "reference", whole);
    const start = await session.run([...inputs, ...all, "slope", ...inputs.map((_, i) => `v${i}`)]);
    const h = 1e-5;
    const moved = async (sign: number, of: string): Promise<number> => {
      const feeds = Object.fromEntries(
        inputs.map((input, i) => {
          const x = start[input]?.data as Float64Array;
          const v = start[`v${i}`]?.data as Float64Array;
          return [input, x.map((value, at) => value + sign * h * (v[at] as number))];
        }),
      );
      return Number((await session.run([of], feeds))[of]?.data[0]);
    };
    const numeric = async (of: string): Promise<number> => ((await moved(1, of)) - (await moved(-1, of))) / (2 * h);
    const dot = (name: string, i: number): number =>
      [...(start[name]?.data ?? [])].reduce<number>(
        (sum, x, at) => sum + Number(x) * Number(start[`v${i}`]?.data[at]),
        0,
      );
    const slope = inputs.reduce((sum, _, i) => sum + dot(`d${i}`, i), 0);
    const curvature = inputs.reduce((sum, _, i) => sum + dot(`e${i}`, i), 0);
    near(t, [slope], [await numeric(first)], 1e-6, "first");
    near(t, [curvature], [await numeric("slope")], 1e-6, "second");
  });
}

test("what is fed decides a loop's length, and the gradient of one", async (t) => {
  const text = `graph g {
    dim T <= 20
    placeholder xs: f64[T]
    placeholder a: f64 = 0.5
    y = scan x in xs with h = cast(0.0, to=f64) { next h = a * h + x }
    da = gradients(y, [a])
  }`;
  for (const target of targets) {
    const session = await open(t, target, text);
    for (const length of [0, 1, 2, 7, 20]) {
      const xs = wave(length, 1);
      const results = await fetch(session, ["y", "da"], { xs });
      // y = sum over t of a^(T-1-t) x_t.
      const power = (t_: number): number => length - 1 - t_;
      near(t, results.get("y"), [xs.reduce((sum, x, i) => sum + 0.5 ** power(i) * x, 0)], 1e-12);
      near(
        t,
        results.get("da"),
        [xs.reduce((sum, x, i) => sum + (power(i) > 0 ? power(i) * 0.5 ** (power(i) - 1) * x : 0), 0)],
        1e-12,
      );
    }
  }
});

test("draws in a loop differ from iteration to iteration, and are the same on every target", async (t) => {
  const text = `graph g {
    placeholder xs: f32[4] = [0.0, 0.0, 0.0, 0.0]
    outer = scan x in xs {
      inner = scan y in xs { yield random_uniform([2]) }
      yield inner
    }
  }`;
  const found: (readonly number[] | undefined)[] = [];
  for (const target of targets) found.push((await fetch(await open(t, target, text, 5), ["outer"])).get("outer"));
  t.is(new Set(found[0]).size, 32, "all differ");
  for (const other of found) t.deepEqual(other, found[0]);
});

test("what fails in a loop names its line, and nothing is assigned", async (t) => {
  const text = `graph g {
    placeholder n: i64[3]
    variable total: i64 = 100
    s = scan x in n with t = 0 {
      next t = t + 12 // x
    }
    update count { total := total - 1 + 0 * s }
    signature fit(n) does count -> (s)
  }`;
  for (const target of targets) {
    const session = await open(t, target, text);
    t.deepEqual((await session.run("fit", { n: [1n, 2n, 3n] }))["s"]?.data[0], 22n);
    const error = await t.throwsAsync(() => session.run("fit", { n: [1n, 0n, 3n] }));
    t.regex(error?.message ?? "", /`\/\/` divides an integer by zero/);
    t.is(session.get("total").data[0], 99n, target);
  }
});

test("a variable is trained through a scan, in the native loop", async (t) => {
  const text = `import { sgd } from "std/optimizers"
  graph g {
    dim N <= 4
    placeholder xs: f32[N, 5]
    variable w: f32 = 0.1
    y = scan x in transpose(xs) with h = zeros([N]) { next h = w * h + x }
    target = scan x in transpose(xs) with h = zeros([N]) { next h = 0.7 * h + x }
    loss = mean((y - target) ** 2)
    update learn = minimize(loss, sgd(learning_rate=0.05))
    signature fit(xs) does learn -> (loss)
  }`;
  const xs = Float32Array.from(wave(40, 2));
  for (const target of targets) {
    const session = await open(t, target, text);
    await session.train({ run: "fit", data: { xs: { dtype: "f32", shape: [8, 5], data: xs } }, batch: 4, steps: 300 });
    near(t, [Number(session.get("w").data[0])], [0.7], 1e-3, target);
  }
});
