import { existsSync } from "node:fs";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { probe } from "../../compiler/backends/llvm/availability.js";
import { compile, idx, readData, Session, type TargetName } from "../../index.js";

const examples = join(import.meta.dirname, "..", "..", "examples");
const native = probe().available;
const targets: readonly TargetName[] = native ? ["reference", "cpu"] : ["reference"];

/** Training takes the reference evaluator minutes: it is done natively. */
const nativeTest = native ? test : test.skip;

async function open(t: ExecutionContext, name: string, target: TargetName): Promise<Session> {
  const session = new Session(await compile(join(examples, name, `${name}.graph`), { target }));
  t.teardown(() => session.close());
  return session;
}

/** Rows of twelve digits that the graph draws. */
async function draw(session: Session): Promise<BigInt64Array> {
  const { drawn } = await session.run("draw");
  if (!(drawn?.data instanceof BigInt64Array)) throw new Error("not i64");
  return drawn.data;
}

for (const target of targets) {
  test(`${target}: the transformer is asked for its digits in order, and its attention weights add up to 1`, async (t) => {
    const session = await open(t, "transformer", target);
    const sequence = (await draw(session)).slice(0, 36);
    t.true(sequence.every((digit) => digit >= 0n && digit <= 9n));
    const path = "first/transformer_encoder/attended/multi_head_attention/seen/attention/weights";
    const { wanted, answer, [path]: weights } = await session.run(["wanted", "answer", path], { sequence });
    const rows = [0, 12, 24].flatMap((at) => [...sequence.slice(at, at + 12)].sort((a, b) => Number(a - b)));
    t.deepEqual([...(wanted?.data ?? [])], rows);
    t.deepEqual(answer?.shape, [3, 12]);
    t.deepEqual(weights?.shape, [3, 4, 12, 12]);
    for (let row = 0; row < 144; row++) {
      const total = [...(weights?.data.slice(row * 12, row * 12 + 12) ?? [])].reduce<number>(
        (a, b) => a + Number(b),
        0,
      );
      t.true(Math.abs(total - 1) < 1e-5);
    }
  });
}

nativeTest("the transformer learns to sort sequences that it has not seen", async (t) => {
  const session = await open(t, "transformer", "cpu");
  const other = await draw(session);
  const exam = await draw(session);
  t.notDeepEqual(other.slice(0, 120), exam.slice(0, 120));
  await session.train({ steps: 250 });
  const { answer } = await session.run("predict", { sequence: exam.slice(0, 12_000) });
  let right = 0;
  for (let at = 0; at < 12_000; at += 12) {
    const sorted = [...exam.slice(at, at + 12)].sort((a, b) => Number(a - b));
    if (sorted.every((digit, i) => answer?.data[at + i] === digit)) right++;
  }
  t.true(right >= 900, `${right} of 1000 are sorted`);
});

nativeTest("the recurrent network reads digits by their rows", async (t) => {
  const data = join(examples, "rnn", "data");
  t.true(existsSync(data), "the MNIST files are laid out by make setup");
  const session = await open(t, "rnn", "cpu");
  await session.train({ steps: 300 });
  const image = await readData(idx(join(data, "t10k-images-idx3-ubyte")).slice(0, 2000));
  const label = await readData(idx(join(data, "t10k-labels-idx1-ubyte")).slice(0, 2000));
  const { accuracy } = await session.evaluate("evaluate", { image, label });
  t.true((accuracy ?? 0) >= 0.85, `accuracy ${accuracy}`);
  // What it says after a row depends on this row and those above, not on those below.
  const upper = {
    ...image,
    data: Uint8Array.from([...image.data].map((value, i) => (i % 784 < 14 * 28 ? Number(value) : 0))),
  };
  const [whole, half] = [await session.run("predict", { image }), await session.run("predict", { image: upper })];
  const after = (probs: typeof whole, row: number): readonly number[] =>
    [...(probs["probs"]?.data.slice(row * 10, row * 10 + 10) ?? [])].map(Number);
  t.deepEqual(after(half, 13), after(whole, 13));
  t.notDeepEqual(after(half, 27), after(whole, 27));
});
