import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { Session } from "../../index.js";
import { compileText, refusal, targets, temporaryFolder } from "./programs.js";

const counter = `
graph counter {
  seed 3
  dim N <= 64
  placeholder x: f32[N, 2]
  placeholder scale: f32 = 2
  variable total: f32[2] = zeros()
  variable count: i64 = 0
  title = "a counter"
  scaled = scale * x
  sums = sum(scaled, axis=0)
  update add_up {
    total := total + sums
    count := count + 1
  }
  update exchange { total := total * -1 }
  noise = random_uniform([4])
  signature read(x) -> (scaled, title)
  signature add(x) does add_up -> (sums, total, count)
}
`;

for (const target of targets) {
  test(`${target}: a signature computes its outputs from feeds and defaults`, async (t) => {
    await using session = new Session(await compileText(t, counter, { target }));
    const { scaled, title } = await session.run("read", {
      x: [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
    });
    t.deepEqual(scaled?.shape, [3, 2]);
    t.deepEqual([...(scaled?.data ?? [])], [2, 4, 6, 8, 10, 12]);
    t.deepEqual(title, { dtype: "string", shape: [], data: ["a counter"] });
    const again = await session.run("read", { x: Float32Array.of(1, 1), scale: 10 });
    t.deepEqual([...(again["scaled"]?.data ?? [])], [10, 10]);
  });

  test(`${target}: sizes follow the feeds of each run, whatever the runs before had`, async (t) => {
    await using session = new Session(await compileText(t, counter, { target }));
    const rows = (count: number) => ({
      dtype: "f32" as const,
      shape: [count, 2],
      data: Float32Array.from({ length: 2 * count }, (_, i) => i),
    });
    const shapes: unknown[] = [];
    for (const count of [3, 3, 1, 3, 0, 1]) shapes.push((await session.run("read", { x: rows(count) })).scaled?.shape);
    t.deepEqual(
      shapes,
      [3, 3, 1, 3, 0, 1].map((count) => [count, 2]),
    );
    // The array that held the last shape is the caller's, who may write to it.
    const changing = { ...rows(4), shape: [4, 2] };
    t.deepEqual((await session.run("read", { x: changing })).scaled?.shape, [4, 2]);
    changing.shape[0] = 5;
    changing.data = Float32Array.from({ length: 10 }, (_, i) => i);
    t.deepEqual((await session.run("read", { x: changing })).scaled?.shape, [5, 2]);
    t.deepEqual(await refusal(t, () => session.run("read", { x: { ...rows(4), shape: [8] } })), ["G081"]);
    t.deepEqual(await refusal(t, () => session.run("read", { x: rows(65) })), ["G084"]);
  });

  test(`${target}: an update is done once a run, and a fetched variable is its value at the end`, async (t) => {
    await using session = new Session(await compileText(t, counter, { target }));
    await session.run("add", { x: [[1, 2]] });
    const { sums, total, count } = await session.run("add", {
      x: [
        [1, 2],
        [1, 1],
      ],
    });
    t.deepEqual([...(sums?.data ?? [])], [4, 6]);
    t.deepEqual([...(total?.data ?? [])], [6, 10]);
    t.deepEqual([...(count?.data ?? [])], [2n]);
    t.is(session.step, 2);
    t.deepEqual([...session.get("total").data], [6, 10]);
  });

  test(`${target}: a free run fetches any edge and does updates by name`, async (t) => {
    await using session = new Session(await compileText(t, counter, { target }));
    session.set("total", { dtype: "f32", shape: [2], data: Float32Array.of(1, -1) });
    const { total } = await session.run(["total", "exchange"]);
    t.deepEqual([...(total?.data ?? [])], [-1, 1]);
    const { count, title } = await session.run(["count", "title"]);
    t.deepEqual([...(count?.data ?? [])], [0n]);
    t.is(title?.data[0], "a counter");
  });

  test(`${target}: random draws depend on seed, step and runs, and on nothing else`, async (t) => {
    const program = await compileText(t, counter, { target });
    await using first = new Session(program, { seed: 5 });
    await using second = new Session(program, { seed: 5 });
    await using other = new Session(program, { seed: 6 });
    const draw = async (session: Session): Promise<readonly number[]> =>
      [...((await session.run(["noise"]))["noise"]?.data ?? [])].map(Number);
    const one = await draw(first);
    t.deepEqual(await draw(second), one);
    t.notDeepEqual(await draw(first), one);
    t.notDeepEqual(await draw(other), one);
    t.true(one.every((value) => value >= 0 && value < 1));
  });

  test(`${target}: what was saved restores to the bit, step and randomness included`, async (t) => {
    const program = await compileText(t, counter, { target });
    const path = join(temporaryFolder(t), "state.safetensors");
    await using session = new Session(program);
    await session.run("add", { x: [[0.1, 0.2]] });
    await session.save(path);
    const noise = (await session.run(["noise"]))["noise"];
    await using restored = new Session(program, { weights: path });
    await restored.ready;
    t.is(restored.step, 1);
    t.deepEqual(restored.get("total"), session.get("total"));
    t.deepEqual((await restored.run(["noise"]))["noise"], noise);
  });

  test(`${target}: refuses wrong names and feeds, each with its code, and assigns nothing`, async (t) => {
    await using session = new Session(await compileText(t, counter, { target }));
    t.deepEqual(await refusal(t, () => session.run("reed", {})), ["G083"]);
    t.deepEqual(await refusal(t, () => session.run("read", {})), ["G080"]);
    t.deepEqual(await refusal(t, () => session.run("read", { x: [[1, 2, 3]] })), ["G081"]);
    t.deepEqual(await refusal(t, () => session.run("read", { x: [[1, 2], [3]] })), ["G081"]);
    t.deepEqual(await refusal(t, () => session.run("read", { x: Int32Array.of(1, 2) })), ["G082"]);
    t.deepEqual(await refusal(t, () => session.run("read", { x: [[1, 2]], y: 1 })), ["G083"]);
    t.deepEqual(await refusal(t, () => session.run("read", { x: new Float32Array(130) })), ["G084"]);
    t.deepEqual(await refusal(t, () => session.run(["nothing"])), ["G083"]);
    t.deepEqual([...session.get("total").data], [0, 0]);
  });

  test(`${target}: an empty batch is a batch`, async (t) => {
    await using session = new Session(await compileText(t, counter, { target }));
    const { scaled, sums } = await session.run(["scaled", "sums"], {
      x: { dtype: "f32", shape: [0, 2], data: new Float32Array(0) },
    });
    t.deepEqual(scaled?.shape, [0, 2]);
    t.deepEqual([...(sums?.data ?? [])], [0, 0]);
  });
}

test("a closed session says so", async (t) => {
  const session = new Session(await compileText(t, counter));
  await session.close();
  t.deepEqual(await refusal(t, () => session.run("read", { x: [[1, 2]] })), ["G088"]);
  t.throws(() => session.get("total"));
});

test("weights of another model are refused with what differs, and the session is not usable", async (t) => {
  const path = join(temporaryFolder(t), "other.safetensors");
  await using other = new Session(await compileText(t, "graph other { variable w: f32[3] = ones() }"));
  await other.save(path);
  const program = await compileText(t, counter);
  const session = new Session(program, { weights: path });
  t.deepEqual(await refusal(t, () => session.run("read", { x: [[1, 2]] })), ["G090"]);
  await using good = new Session(program);
  t.deepEqual(await refusal(t, () => good.restore(path)), ["G090"]);
  t.deepEqual([...good.get("total").data], [0, 0]);
});

test("names that look like code are names", async (t) => {
  const program = await compileText(t, "graph g { placeholder constructor: f32 = 1\n __proto__ = constructor + 1 }");
  await using session = new Session(program);
  const values = await session.run(["__proto__"], { constructor: 2 });
  t.deepEqual(Object.keys(values), ["__proto__"]);
  t.is(Object.entries(values)[0]?.[1].data[0], 3);
});

test("a file that is no safetensors file is refused", async (t) => {
  const path = join(temporaryFolder(t), "nonsense");
  writeFileSync(path, "not a checkpoint");
  const session = new Session(await compileText(t, counter), { weights: path });
  t.deepEqual(await refusal(t, () => session.run("read", { x: [[1, 2]] })), ["G091"]);
});

test("sizes must agree only in the runs that compute with both", async (t) => {
  const text = `
fn joined[A](p: f32[A], q: f32[A]) -> (y: f32[A]) {
  y = p * q
}

graph g {
  dim N <= 8
  dim M <= 8
  placeholder a: f32[N]
  placeholder b: f32[M]
  both = a + b
  declared: f32[N] = b
  called = joined(a, b)
  doubled = both * 2
  low = sum(a)
  high = sum(b)
  apart = low + high
  variable w: f32 = 1
  slope = gradients(sum(both * w), [w])
  signature each(a, b) -> (low, high, apart)
  signature together(a, b) -> (both)
  signature steep(a, b) -> (slope)
}`;
  await using session = new Session(await compileText(t, text));
  const feeds = { a: [1, 2, 3], b: [4, 5] };
  const { apart } = await session.run("each", feeds);
  t.is(Number(apart?.data[0]), 15);
  for (const what of ["both", "declared", "called", "doubled", "slope"]) {
    t.deepEqual(await refusal(t, () => session.run([what], feeds)), ["G020"], what);
  }
  for (const what of ["together", "steep"]) t.deepEqual(await refusal(t, () => session.run(what, feeds)), ["G020"]);
  const { both } = await session.run(["both"], { a: [1, 2], b: [3, 4] });
  t.deepEqual([...(both?.data ?? [])], [4, 6]);
});
