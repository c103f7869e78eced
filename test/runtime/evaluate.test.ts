import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { Session } from "../../index.js";
import { loadData } from "../../runtime/data/load.js";
import { parseDataArgument } from "../../runtime/data/references.js";
import { compileText, refusal, targets, temporaryFolder } from "./programs.js";
import { numbersOf } from "./support.js";

/** Values for each row, drawn ones and halves among them, beside means. */
const rowwise = `
graph rowwise {
  seed 5
  dim N
  placeholder x: f32[N]
  square = x * x
  half = cast(x, to=f16)
  noise = random_uniform(shape(x))
  loss = mean(square)
  half_loss = cast(mean(x), to=f16)
  signature predict(x) -> (square, half, noise, loss, half_loss)
  signature means(x) -> (square, noise, loss, half_loss)
}
`;

const x = Float32Array.from({ length: 50 }, (_, i) => i / 8);

for (const target of targets) {
  test(`${target}: evaluate writes rows to files, with the means of an evaluation without`, async (t) => {
    await using session = new Session(await compileText(t, rowwise, { target }));
    const folder = temporaryFolder(t);
    const [square, half, noise] = ["square.npy", "half.npy", "noise.npy"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const read = (path: string) => loadData(parseDataArgument(path), { origin: "user" });
    const means = await session.evaluate("predict", { x }, { batch: 7, output: { square, half, noise } });
    // The last batch has one row, whose results have one element and are no means.
    t.deepEqual(Object.keys(means), ["loss", "half_loss"]);
    t.deepEqual(
      (await read(square)).data,
      x.map((value) => value * value),
    );
    const halves = await session.run("predict", { x });
    t.deepEqual((await read(half)).data, halves["half"]?.data);
    const drawn = numbersOf(await read(noise));
    t.is(new Set(drawn).size, 50, "each batch draws numbers of its own");
    await using other = new Session(session.program);
    const only = await other.evaluate("means", { x }, { batch: 7 });
    t.deepEqual(Object.keys(only), ["loss", "half_loss"]);
    t.true(Math.abs((means["loss"] ?? 9) - (only["loss"] ?? 0)) < 1e-9);
    t.is(means["half_loss"], only["half_loss"]);
    t.is(other.progress.runsSinceStep, 8);
  });

  test(`${target}: an evaluation that is refused, fails or is aborted writes nothing`, async (t) => {
    await using session = new Session(await compileText(t, rowwise, { target }));
    const folder = temporaryFolder(t);
    const square = join(folder, "square.npy");
    const noise = join(folder, "noise.docx");
    t.deepEqual(await refusal(t, () => session.evaluate("predict", { x }, { output: { square, noise } })), ["G071"]);
    t.deepEqual(await refusal(t, () => session.evaluate("predict", { x }, { output: { squared: square } })), ["G083"]);
    const signal = AbortSignal.abort(new Error("enough"));
    await t.throwsAsync(() => session.evaluate("predict", { x }, { batch: 7, output: { square }, signal }), {
      message: "enough",
    });
    t.deepEqual(readdirSync(folder), []);
    await session.evaluate("predict", { x }, { output: { square } });
    t.true(existsSync(square));
  });
}
