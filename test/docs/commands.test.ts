import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { probe } from "../../compiler/backends/llvm/availability.js";
import { folderWith, graphcHere } from "../cli/support.js";
import { blocksOf, root } from "./pages.js";

/** A command line that a page shows, as the words of a shell. */
interface Shown {
  readonly page: string;
  readonly line: string;
  readonly words: readonly string[];
}

/** The command lines behind `$`, of blocks that show what a terminal does. */
function shownIn(page: string): readonly Shown[] {
  return blocksOf(page).flatMap(({ text }) =>
    [...text.replace(/\\\n\s*/g, "").matchAll(/^\$ (.*)$/gm)].map(([, line = ""]) => ({
      page,
      line,
      words: wordsOf(line),
    })),
  );
}

function wordsOf(line: string): readonly string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "");
}

const pages = ["docs/cli.md", "docs/sessions.md", "docs/design.md", "README.md"];

const all = pages.flatMap(shownIn);

/** `npx graphc`, and what stands before it to choose a core, are the built command here. */
function parametersOf({ words }: Shown): readonly string[] | undefined {
  const at = words.indexOf("graphc");
  const before = words.slice(0, at).join(" ");
  return at >= 0 && ["", "npx", "taskset -c 1"].includes(before) ? words.slice(at + 1) : undefined;
}

function example(name: string): string {
  return readFileSync(join(root, "examples", name, `${name}.graph`), "utf8");
}

/** IDX: a magic number with the rank, the sizes, then bytes. */
function idx(shape: readonly number[], byte: (i: number) => number): Buffer {
  const head = Buffer.alloc(4 + 4 * shape.length);
  head.writeUInt32BE(0x0800 + shape.length, 0);
  for (const [axis, size] of shape.entries()) head.writeUInt32BE(size, 4 + 4 * axis);
  const count = shape.reduce((product, size) => product * size, 1);
  return Buffer.concat([head, Buffer.from(Array.from({ length: count }, (_, i) => byte(i)))]);
}

/** Digits that are noise, in the files and sizes of MNIST's, but for fewer of them to train with. */
const mnist = new Map<string, Buffer>([
  ["train-images-idx3-ubyte", idx([600, 28, 28], (i) => (i * 2654435761) >>> 24)],
  ["train-labels-idx1-ubyte", idx([600], (i) => i % 10)],
  ["t10k-images-idx3-ubyte", idx([1000, 28, 28], (i) => (i * 40503) & 255)],
  ["t10k-labels-idx1-ubyte", idx([1000], (i) => i % 10)],
]);

function digits(text: string): string {
  return text.replaceAll("[0:55000]", "[0:500]").replaceAll("[55000:60000]", "[500:600]");
}

const columns = ["sepal_length", "sepal_width", "petal_length", "petal_width", "species"];

const placed =
  'graph mixed {\n  placeholder x: f32[4]\n  h = exp(x) on "gpu"\n  y = h + 1\n  signature predict(x) -> (y)\n}\n';

const line = `graph line {
  dim N <= 8
  placeholder x: f32[N]
  placeholder y: f32[N]
  variable w: f32 = 1
  prediction = w * x
  loss = mean((prediction - y) ** 2)
  update learn {
    w := w - 0.1 * gradients(loss, [w])
  }
  signature predict(x) -> (prediction)
  signature evaluate(x, y) -> (loss)
  signature fit(x, y) does learn -> (loss)
}
`;

const bad = "graph bad {\n  x = sofmax([1.0])\n}\n";

/** The files that the pages speak of, in the folder where their commands are given. */
function folder(): string {
  const readme = blocksOf("README.md").find(({ text }) => text.includes("graph digits {"))?.text ?? "";
  const softmax = digits(example("mnist_softmax"));
  const dnn = digits(example("mnist_dnn"));
  const flowers = Array.from({ length: 150 }, (_, i) => [5 + (i % 7) / 10, 3, 1 + (i % 3), (i % 5) / 10, i % 3].join());
  return folderWith({
    "linear_regression.graph": example("linear_regression"),
    "newton.graph": example("newton"),
    "examples/linear_regression/linear_regression.graph": example("linear_regression"),
    "mnist_softmax.graph": softmax,
    "mnist_dnn.graph": dnn,
    "smaller.graph": dnn.replace("relu(dense(pixels, units=128))", "tanh(dense(pixels, units=64))"),
    "hello.graph": example("hello"),
    "iris.graph": example("iris"),
    "iris.csv": `${columns.join()}\n${flowers.join("\n")}\n`,
    "mixed.graph": placed,
    "line.graph": line,
    "bad.graph": bad,
    "digits.graph": readme,
    ...Object.fromEntries([...mnist].map(([name, content]) => [`data/${name}`, content])),
    ...Object.fromEntries([...mnist].map(([name, content]) => [`examples/mnist_dnn/data/${name}`, content])),
  });
}

/** What the pages take for granted. */
const before: readonly (readonly string[])[] = [
  ["train", "mnist_dnn.graph", "--steps", "10", "--save", "mnist_dnn.safetensors"],
  ["train", "iris.graph", "--steps", "10", "--save", "iris.safetensors"],
];

/** What quickens a command without another meaning. */
const quicker: ReadonlyMap<string, readonly string[]> = new Map([["bench", ["--samples", "1"]]]);

/** The exit code of a command that is shown: mistakes are 1, and a machine may lack something. */
function mayEnd(parameters: readonly string[], code: number | string | null): boolean {
  if (parameters.includes("bad.graph")) return code === 1;
  return code === 0 || (parameters[0] === "doctor" && code === 3);
}

const native = probe().available ? test.serial : test.serial.skip;

native("the command lines that the pages show can be given, in their order", async (t) => {
  t.timeout(300_000);
  const cwd = folder();
  for (const parameters of before) {
    const { code, stderr } = await graphcHere([...parameters, "--quiet"], { cwd });
    t.is(code, 0, `${parameters.join(" ")}: ${stderr}`);
  }
  for (const shown of all) {
    const parameters = parametersOf(shown);
    if (parameters === undefined) continue;
    const { code, stderr } = await graphcHere([...parameters, ...(quicker.get(parameters[0] ?? "") ?? [])], { cwd });
    t.true(mayEnd(parameters, code), `${shown.page}: ${shown.line}: ${code} ${stderr}`);
  }
});

test("what the pages show besides is known, and run by others", (t) => {
  const others = all.filter((shown) => parametersOf(shown) === undefined).map((one) => one.line);
  t.deepEqual(others, ["make demo"]);
  t.true(all.length > 25);
});
