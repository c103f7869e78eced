import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { compileTypeScript, workplace } from "../support/typescript.js";
import { folderWith, graphcHere } from "./support.js";

const graph = `
## Tells */ what an image is.
graph model {
  dim N <= 64
  ## Grey values.
  placeholder image: u8[N, 2, 3]
  placeholder label: i64[N]
  placeholder rate: f32 = 0.5
  placeholder flags: bool[3]
  variable w: f32[6, 4] = zeros()
  greeting = "hello"
  logits = reshape(cast(image, to=f32), [N, 6]) @ w
  best = argmax(logits, axis=-1)
  scope metrics {
    loss = mean(sparse_softmax_cross_entropy(logits, label)) * rate
  }
  any = any(flags)
  pair = reshape(image, [N * 6])
  update learn = minimize(metrics.loss, sgd(learning_rate=0.1))
  ## What it is.
  signature predict(image) -> (logits, best, greeting)
  signature fit(image, label, rate) does learn -> (metrics.loss)
  signature check(flags) -> (any)
  signature constant() -> (w)
}
`;
const source = `import { sgd } from "std/optimizers"\n${graph}`;

const head = `import { Session, compile, type Fetched, type Program, type Tensor } from "graphc";
import model, { type Model } from "./model.graph";
const session = new Session(model);
declare const unknown: Tensor;
declare const deep: number[][][][];
declare const rows: number[][][];
declare const image: Uint8Array;
`;

const right = `${head}
const { logits, best, greeting } = await session.run("predict", { image });
const width: 4 = logits.shape[1];
const values: Float32Array = logits.data;
const bests: BigInt64Array = best.data;
const text: string = greeting.data[0];
await session.run("predict", { image: [[[1, 2, 3], [4, 5, 6]]] });
await session.run("predict", { image: rows });
await session.run("predict", { image: unknown });
await session.run("predict", { image: { dtype: "u8", shape: [1, 2, 3], data: image } });
await session.run("predict", { image }, { signal: AbortSignal.timeout(1000) });
const { "metrics.loss": loss } = await session.run("fit", { image, label: [0n, 1n], rate: 1 });
await session.run("fit", { image, label: [0, 1] });
const none: readonly [] = loss.shape;
await session.run("check", { flags: [true, 0, 1] });
await session.run("constant");
await session.run("constant", {});
const found = await session.run(["metrics.loss", "learn", "w"], { image, label: [1] });
const six: 6 = found.w.shape[0];
await session.run(["greeting"]);
const w: Tensor<"f32", readonly [6, 4]> = session.get("w");
session.set("w", w);
session.set("w", unknown);
const means = await session.evaluate("predict", { image });
await session.train({ run: "fit", data: { image }, report: ["metrics.loss"], steps: 1 });
const anySession: Session = session;
const anyProgram: Program = model;
const byHand: Program<Model> = await compile<Model>("model.graph");
const loose = await anySession.run("whatever", { some: [1] });
const one: Fetched | undefined = loose["name"];
export { width, values, bests, text, none, six, means, anyProgram, byHand, one };
`;

/** Each line is an error that says what stands after it; without that the test would pass where nothing is checked. */
const wrong: readonly (readonly [line: string, message: string])[] = [
  [`await session.run("predikt", { image });`, `"predikt"`],
  [`await session.run("predict", { imag: image });`, "Did you mean to write 'image'?"],
  [`await session.run("predict", { image, label: [1] });`, "there is no placeholder label here"],
  [`await session.run("predict", { image: new Float32Array(6) });`, "image takes u8[N, 2, 3]"],
  [`await session.run("predict", { image: deep });`, "image takes u8[N, 2, 3]"],
  [`await session.run("predict", { image: [[1, 2, 3], [4, 5, 6]] });`, "image takes u8[N, 2, 3]"],
  [`await session.run("predict", { image: [[[1, 2, 3], [4, 5]]] });`, "image takes u8[N, 2, 3]"],
  [`await session.run("predict", { image: [[[1, 2, 3], [4, 5, true]]] });`, "image takes u8[N, 2, 3]"],
  [
    `await session.run("predict", { image: { dtype: "u8", shape: [1, 3, 3], data: image } });`,
    "image takes u8[N, 2, 3]",
  ],
  [`await session.run("predict", { image: { dtype: "u8", shape: [6], data: image } });`, "image takes u8[N, 2, 3]"],
  [
    `await session.run("predict", { image: { dtype: "i8", shape: [1, 2, 3], data: new Int8Array(6) } });`,
    "image takes u8",
  ],
  [
    `await session.run("predict", { image: { dtype: "u8", shape: [1, 2, 3], data: new Int8Array(6) } });`,
    "image takes u8",
  ],
  [`await session.run("predict", { image: "picture" });`, "'FeedValue'"],
  [`await session.run("predict", {});`, "Property 'image' is missing"],
  [`await session.run("predict");`, `'"predict"' is not assignable`],
  [`await session.run("fit", { image });`, "Property 'label' is missing"],
  [`await session.run("fit", { image, label: [1], rate: [1] });`, "rate takes f32"],
  [`await session.run("check", { flags: [true, false] });`, "flags takes bool[3]"],
  [`await session.run("check", { flags: [true, false, 1n] });`, "flags takes bool[3]"],
  [`await session.run(["metrics.lost"]);`, `'"metrics.lost"'`],
  [`await session.run(["greeting"], { imag: image });`, "'imag' does not exist"],
  [`(await session.run("predict", { image })).logit;`, "Did you mean 'logits'?"],
  [`(await session.run(["learn"])).learn;`, "Property 'learn' does not exist"],
  [`const five: 5 = (await session.run("constant")).w.shape[1];`, "Type '4' is not assignable to type '5'"],
  [`session.get("v");`, `'"v"'`],
  [`session.set("w", { dtype: "f32", shape: [4, 6], data: new Float32Array(24) });`, "w takes f32[6, 4]"],
  [`session.set("w", { dtype: "f64", shape: [6, 4], data: new Float64Array(24) });`, "w takes f32[6, 4]"],
  [`await session.evaluate("predict", { label: [1] });`, "'label' does not exist"],
  [`await session.train({ run: "fitt" });`, `'"fitt"'`],
  [`await session.train({ data: { picture: image } });`, "'picture' does not exist"],
];

test("what `graphc types` writes makes right uses compile and wrong ones errors", async (t) => {
  const folder = workplace();
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "model.graph"), source);
  const { code, stderr, stdout } = await graphcHere(["types", "model.graph"], { cwd: folder });
  t.is(stderr, "");
  t.is(code, 0);
  t.true(stdout.startsWith("model.d.graph.ts: predict(image: u8[N, 2, 3])"), stdout);
  writeFileSync(join(folder, "right.ts"), right);
  const before = head.split("\n").length;
  writeFileSync(join(folder, "wrong.ts"), [head, ...wrong.map(([line]) => line), "export {};"].join("\n"));

  const lines = compileTypeScript(folder).stdout.split("\n");
  t.deepEqual(
    lines.filter((line) => line.startsWith("right.ts") || line.startsWith("model.")),
    [],
  );
  const byLine = new Map<number, string>();
  let at = 0;
  for (const line of lines) {
    at = Number(/^wrong\.ts\((\d+),/.exec(line)?.[1] ?? at);
    byLine.set(at, `${byLine.get(at) ?? ""}${line}\n`);
  }
  wrong.forEach(([line, message], i) => {
    const told = byLine.get(before + 1 + i) ?? "no error";
    t.true(told.includes(message), `${line}\n${told}`);
  });
  t.is(byLine.size, wrong.length);
});

test("`import model from './model.graph'` is the compiled program, by graphc/register", async (t) => {
  const folder = workplace();
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "it's a model.graph"), source);
  writeFileSync(join(folder, "broken.graph"), "graph g {\n  x = nope\n}\n");
  const program = [
    `import { Session } from "graphc";`,
    `import model from "./it's a model.graph";`,
    `const session = new Session(model);`,
    `const { greeting, logits } = await session.run("predict", { image: [[[1, 2, 3], [4, 5, 6]]] });`,
    `console.log(greeting.data[0], logits.shape.join());`,
    `await session.close();`,
    `console.log((await import("./broken.graph").catch((error) => error)).diagnostics[0].code);`,
  ];
  writeFileSync(join(folder, "main.js"), program.join("\n"));
  const env = { ...process.env, GRAPHC_CACHE_DIR: join(folder, "cache") };
  const output = execFileSync(process.execPath, ["--import", "graphc/register", "main.js"], {
    cwd: folder,
    env,
    encoding: "utf8",
  });
  t.is(output, "hello 1,4\nG012\n");
});

test.serial("types -o writes elsewhere, names what users write safely, and refuses what does not check", async (t) => {
  const cwd = folderWith({
    "a.graph":
      "## ends */ here\n## `x`\ngraph class {\n  ## a */ b\n  placeholder __proto__: f32[2]\n  y = __proto__ + 1\n  signature constructor(__proto__) -> (y)\n}\n",
    "bad.graph": "graph g {\n  x = nope\n}\n",
    "library.graph": "fn f(x) -> (y) {\n  y = x\n}\n",
  });
  const { code, stdout } = await graphcHere(["types", "--json", "a.graph", "-o", "out.d.ts"], { cwd });
  t.is(code, 0);
  t.deepEqual(JSON.parse(stdout), { output: "out.d.ts" });
  const text = readFileSync(join(cwd, "out.d.ts"), "utf8");
  t.true(text.includes('readonly __proto__: ["f32", 2];'));
  t.true(text.includes("readonly constructor: {"));
  t.true(text.includes("a *\\/ b"));
  for (const [file, expected] of [
    ["bad.graph", "G012"],
    ["library.graph", "G065"],
    ["none.graph", "G064"],
  ] as const) {
    const ended = await graphcHere(["types", file], { cwd });
    t.is(ended.code, 1);
    t.true(ended.stderr.includes(expected), ended.stderr);
  }
  t.false(existsSync(join(cwd, "bad.d.graph.ts")));
});

test.serial(
  "types writes over nothing that it did not write, and under no name but that of declarations",
  async (t) => {
    const own = "export const rate = 0.1;\n";
    const cwd = folderWith({ "a.graph": "graph a {\n  y = 1\n}\n", "a.ts": own, "own.d.ts": own, "empty.d.ts": "" });
    for (const name of ["a.ts", "a.js", "a", "a.graph.ts"]) {
      const { code, stderr } = await graphcHere(["types", "a.graph", "-o", name], { cwd });
      t.is(code, 2, name);
      t.regex(stderr, /the name of a declaration file ends in \.d\.ts, such as a(?:\.graph)?\.d\.ts/);
    }
    const refused = await graphcHere(["types", "a.graph", "-o", "own.d.ts"], { cwd });
    t.is(refused.code, 1);
    t.regex(refused.stderr, /G092.*no declaration file that graphc wrote but text that begins with "export const rate/);
    t.is(readFileSync(join(cwd, "a.ts"), "utf8"), own);
    t.is(readFileSync(join(cwd, "own.d.ts"), "utf8"), own);
    for (const name of ["empty.d.ts", "new.d.ts", "new.d.ts"])
      t.is((await graphcHere(["types", "a.graph", "-o", name], { cwd })).code, 0, name);
  },
);
