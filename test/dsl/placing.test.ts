import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { placeLike } from "../../compiler/ir/device.js";
import { compile, type Diagnostic, GraphError } from "../../index.js";
import { temporaryFolder } from "../runtime/programs.js";

/** What is told of a graph with these lines. */
async function told(t: Parameters<typeof temporaryFolder>[0], lines: string): Promise<readonly Diagnostic[]> {
  const path = join(temporaryFolder(t), "model.graph");
  writeFileSync(path, `graph g {\n  placeholder x: f32[4]\n  variable w: f32[4] = ones()\n${lines}\n}\n`);
  const found: Diagnostic[] = [];
  try {
    await compile(path, { target: "reference", onWarning: (note) => found.push(note) });
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    found.push(...error.diagnostics);
  }
  return found;
}

/** How devices are written elsewhere, with the code that it gets here. */
const elsewhere: readonly (readonly [lines: string, code: string])[] = [
  ["y = x.cuda()", "G016"],
  ['y = x.to("gpu")', "G016"],
  ["y = exp(x).cuda()", "G002"],
  ["@gpu\ny = exp(x)", "G012"],
  ["y = cuda(x)", "G012"],
  ['y = exp(x, device="gpu")', "G030"],
  ['device("gpu") {\ny = exp(x)\n}', "G004"],
  ["with gpu {\ny = exp(x)\n}", "G004"],
  ['with tf.device("/GPU:0") {\ny = exp(x)\n}', "G004"],
  ["gpu {\ny = exp(x)\n}", "G004"],
  ["on(gpu) {\ny = exp(x)\n}", "G004"],
  ['on("gpu") {\ny = exp(x)\n}', "G004"],
  ["on gpu {\ny = exp(x)\n}", "G002"],
  ["y = exp(x) on gpu", "G002"],
  ["y = exp(x) on cuda", "G002"],
  ['y = exp(x) on("gpu")', "G002"],
  ["y = exp(x) on(gpu)", "G002"],
];

test('how other libraries place what is computed is answered with `on "gpu"`, in one problem', async (t) => {
  for (const [lines, code] of elsewhere) {
    const found = await told(t, lines);
    t.deepEqual(
      found.map((one) => one.code),
      [code],
      lines,
    );
    t.regex(found[0]?.hint ?? "", /`(?:.* )?on "gpu"/, lines);
  }
});

test("names of devices stand for the place that they are", async (t) => {
  for (const name of ["GPU", "cuda", "cuda:0", "/GPU:0", "/device:GPU:1", "webgpu", "webgl2", "mps", "metal"])
    t.is(placeLike(name), "gpu", name);
  for (const name of ["CPU", "cpu:0", "/device:CPU:0", "host"]) t.is(placeLike(name), "cpu", name);
  for (const name of ["tpu", "", "gpus", "mycuda", "0"]) t.is(placeLike(name), undefined, name);
  const [wrong] = await told(t, 'y = exp(x) on "cuda:0"');
  t.is(wrong?.code, "G125");
  t.is(wrong?.hint, "did you mean `gpu`?");
});

test("an `on` that places nothing is told of", async (t) => {
  for (const [lines, message] of [
    ['greeting = "hi" on "gpu"', /has no effect$/],
    ['on "cpu" {\n}', /it is empty$/],
  ] as const) {
    const found = (await told(t, lines)).filter(({ message: text }) => message.test(text));
    t.deepEqual(
      found.map(({ code, severity }) => [code, severity]),
      [["G126", "warning"]],
    );
  }
});
