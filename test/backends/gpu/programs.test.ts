/** Whole programs through sessions, at the places where devices differ from processors. */
import type { ExecutionContext } from "ava";
import type { DeviceName } from "../../../compiler/backends/gpu/devices/device.js";
import { GraphError, Session } from "../../../index.js";
import { compileText, refusal, temporaryFolder } from "../../runtime/programs.js";
import { forEachDevice } from "./support.js";

async function open(t: ExecutionContext, device: DeviceName, body: string): Promise<Session> {
  const program = await compileText(t, `graph g {\n${body}\n}\n`, { target: "gpu", device, onWarning: () => {} });
  return new Session(program, { seed: 5 });
}

const floats = (length: number, f: (i: number) => number): Float32Array =>
  Float32Array.from({ length }, (_, i) => f(i));

for (const count of [7, 8, 20]) {
  forEachDevice(`a sum of ${count} arrays`, async (t, device) => {
    const names = Array.from({ length: count }, (_, i) => `x${i}`);
    const lines = names.map((name) => `placeholder ${name}: f32[5]`).join("\n");
    await using session = await open(t, device, `${lines}\ny = ${names.join(" + ")}`);
    const feeds = Object.fromEntries(names.map((name, i) => [name, floats(5, (j) => i * 10 + j)]));
    const { y } = await session.run(["y"], feeds);
    const tens = (10 * count * (count - 1)) / 2;
    t.deepEqual(
      [...(y?.data ?? [])],
      [0, 1, 2, 3, 4].map((j) => tens + count * j),
    );
  });
}

for (const length of [1001, 4097, 65_536, 65_537, 100_003]) {
  forEachDevice(`a sum and the place of the largest of ${length}`, async (t, device) => {
    await using session = await open(
      t,
      device,
      `placeholder x: f32[${length}]\ns = sum(x)\nm = max(x)\nat = argmax(x)\nl = min(x)`,
    );
    const at = length - 7;
    const {
      s,
      m,
      at: found,
      l,
    } = await session.run(["s", "m", "at", "l"], {
      x: floats(length, (i) => (i === at ? 9 : (i % 4) - 2)),
    });
    let sum = 0;
    for (let i = 0; i < length; i++) sum += i === at ? 9 : (i % 4) - 2;
    t.is(s?.data[0], sum);
    t.is(m?.data[0], 9);
    t.is(found?.data[0], BigInt(at));
    t.is(l?.data[0], -2);
  });
}

forEachDevice("a mean of rows that are long", async (t, device) => {
  await using session = await open(t, device, "placeholder x: f32[3, 5000]\ny = mean(x, axis=1)\nz = sum(x, axis=0)");
  const { y, z } = await session.run(["y", "z"], { x: floats(15_000, (i) => Math.floor(i / 5000)) });
  t.deepEqual([...(y?.data ?? [])], [0, 1, 2]);
  t.true([...(z?.data ?? [])].every((sum) => sum === 3));
});

forEachDevice("inputs that become shorter leave nothing behind, and results stay what they were", async (t, device) => {
  await using session = await open(t, device, "dim N\nplaceholder x: f32[N]\ny = x * 2\nz = sum(x)");
  const kept: Float32Array[] = [];
  for (const length of [8, 3, 8, 1, 0]) {
    const { y, z } = await session.run(["y", "z"], { x: floats(length, (i) => i + 1) });
    t.deepEqual(
      [...(y?.data ?? [])],
      Array.from({ length }, (_, i) => 2 * i + 2),
    );
    t.is(z?.data[0], (length * (length + 1)) / 2);
    if (y?.data instanceof Float32Array) kept.push(y.data);
  }
  t.deepEqual(
    kept.map((data) => data.length),
    [8, 3, 8, 1, 0],
  );
  t.deepEqual([...(kept[0] ?? [])], [2, 4, 6, 8, 10, 12, 14, 16]);
});

forEachDevice("a run that is done twice gives the same twice, and what it gave first stays", async (t, device) => {
  const text =
    "placeholder x: f32[33]\nvariable w: f32[33] = ones()\ny = x * w + random_uniform([33])\nupdate u {\n  w := w * 2\n}\nz = x + w";
  await using session = await open(t, device, text);
  const x = floats(33, (i) => i);
  const first = await session.run(["z"], { x });
  const kept = first["z"]?.data.slice();
  t.deepEqual(await session.run(["z"], { x }), first);
  await session.run(["u"]);
  t.notDeepEqual(await session.run(["z"], { x }), first);
  t.deepEqual(first["z"]?.data, kept);
});

forEachDevice("a loop of 1001 turns", async (t, device) => {
  const text = `placeholder x: f32[1001]
  total, sums = scan e in x with s = 0.0 {
    next s = s + e
    yield s + e
  }`;
  await using session = await open(t, device, text);
  const { total, sums } = await session.run(["total", "sums"], { x: floats(1001, (i) => i) });
  t.is(total?.data[0], 500_500);
  t.is(sums?.data[1000], 500_500);
});

forEachDevice("a carry that each iteration also stacks is what it was until both are stored", async (t, device) => {
  const loop = "last, all = scan r in x with s = x[0] {\n t = 2 * s + r\n next s = t\n yield t\n }";
  await using session = await open(t, device, `placeholder x: f32[3, 2]\n${loop}`);
  const { last, all } = await session.run(["last", "all"], { x: floats(6, (i) => i + 1) });
  t.deepEqual([...(all?.data ?? [])], [3, 6, 9, 16, 23, 38]);
  t.deepEqual([...(last?.data ?? [])], [23, 38]);
});

const layouts = `placeholder a: f32[2, 3]
  placeholder i: i64[4]
  joined = concatenate([a, a * 2, a + 1, a - 1, a, a, a, a, a, a], axis=0)
  wide = pad(a, low=[1, 0], high=[0, 2])
  turned = reverse(transpose(a), axis=0)
  picked = gather(transpose(a), i)
  product = a @ transpose(a)
  large = a > 2
  counted = sum(cast(large, to=i64))`;

forEachDevice("layouts, positions and products", async (t, device) => {
  const text = layouts;
  const feeds = { a: floats(6, (i) => i), i: BigInt64Array.of(2n, 0n, 1n, 2n) };
  const names = ["joined", "wide", "turned", "picked", "product", "large", "counted"];
  await using session = await open(t, device, text);
  await using oracle = new Session(await compileText(t, `graph g {\n${text}\n}\n`));
  t.deepEqual(await session.run(names, feeds), await oracle.run(names, feeds));
});

const loops = `placeholder x: f32[6, 2]
  placeholder flag: bool
  total, partial = scan row in x with sum = zeros([2]) {
    next sum = sum + row
    yield sum * 2
  }
  root = while abs(r ** 2 - 2) > 1e-5 with r = 1.0 {
    next r = r - (r ** 2 - 2) / (2 * r)
  }
  chosen = if flag { yield x * 2 } else { yield x + 1 }`;

forEachDevice("scan, while and if", async (t, device) => {
  await using session = await open(t, device, loops);
  await using oracle = new Session(await compileText(t, `graph g {\n${loops}\n}\n`));
  for (const flag of [1, 0]) {
    const feeds = { x: floats(12, (i) => i - 3), flag: Uint8Array.of(flag) };
    const names = ["total", "partial", "chosen"];
    t.deepEqual(await session.run(names, feeds), await oracle.run(names, feeds));
    const { root } = await session.run(["root"]);
    t.true(Math.abs(Number(root?.data[0]) - Math.SQRT2) < 1e-5);
  }
});

const swapping = `variable a: f32[3] = [1.0, 2.0, 3.0]
  variable b: f32[3] = [4.0, 5.0, 6.0]
  variable n: i64 = 0
  variable table: f32[5, 2] = zeros()
  placeholder i: i64[3]
  update swap {
    c = a
    a := b
    b := c
    n := n + 1
  }
  update add {
    table := scatter(table, i, ones([3, 2]), combiner="add")
  }
  signature turn() does swap -> (a, b, n)
  signature count(i) does add -> (table)`;

forEachDevice("variables swap, count and are written at positions; a failed run changes nothing", async (t, device) => {
  await using session = await open(t, device, swapping);
  const { a, b, n } = await session.run("turn");
  t.deepEqual([[...(a?.data ?? [])], [...(b?.data ?? [])], n?.data[0]], [[4, 5, 6], [1, 2, 3], 1n]);
  await session.run("turn");
  t.deepEqual([...(await session.read("a")).data], [1, 2, 3]);
  t.is((await session.read("n")).data[0], 2n);
  const { table } = await session.run("count", { i: BigInt64Array.of(4n, 1n, 4n) });
  t.deepEqual([...(table?.data ?? [])], [0, 0, 1, 1, 0, 0, 0, 0, 2, 2]);
  const step = session.step;
  t.deepEqual(await refusal(t, () => session.run("count", { i: BigInt64Array.of(0n, 5n, 1n) })), ["G086"]);
  t.is(session.step, step);
  t.deepEqual([...(await session.read("table")).data], [0, 0, 1, 1, 0, 0, 0, 0, 2, 2]);
});

forEachDevice("get says when a variable is on the device; read, set and save work", async (t, device) => {
  const text = "variable w: f32[2] = [1.0, 2.0]\nupdate u {\n  w := w * 2\n}\nsignature double() does u -> (w)";
  await using session = await open(t, device, text);
  t.deepEqual([...session.get("w").data], [1, 2]);
  await session.run("double");
  const error = t.throws(() => session.get("w"), { instanceOf: GraphError });
  t.true(error instanceof GraphError && error.diagnostics[0]?.code === "G123");
  t.deepEqual([...(await session.read("w")).data], [2, 4]);
  t.deepEqual([...session.get("w").data], [2, 4]);
  session.set("w", { dtype: "f32", shape: [2], data: Float32Array.of(10, 20) });
  const { w } = await session.run("double");
  t.deepEqual([...(w?.data ?? [])], [20, 40]);
  const file = `${temporaryFolder(t)}/w.safetensors`;
  await session.save(file);
  await session.run("double");
  await session.restore(file);
  t.deepEqual([...(await session.read("w")).data], [20, 40]);
});

forEachDevice("numbers that are not finite end the run and name the op", async (t, device) => {
  const text = "graph g {\n  placeholder x: f32[2]\n  y = sum(log(x))\n}\n";
  const program = await compileText(t, text, { target: "gpu", device, checkNumerics: true });
  await using session = new Session(program);
  t.is(Number((await session.run(["y"], { x: [1, 1] }))["y"]?.data[0]), 0);
  t.deepEqual(await refusal(t, () => session.run(["y"], { x: [1, -1] })), ["G110"]);
});
