// A folder in which the examples of the catalogue of errors really run: small models, data and damaged files.
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { crc32, gzipSync } from "node:zlib";

const mnist = `graph mnist {
  dim N <= 128
  placeholder image: u8[N, 28, 28]
  placeholder label: u8[N]
  variable w: f32[784, 10] = zeros()
  logits = reshape(cast(image, to=f32) / 255, [N, 784]) @ w
  loss = mean(sparse_softmax_cross_entropy(logits, label))
  update learn {
    w := w - 0.5 * gradients(loss, [w])
  }
  signature predict(image) -> (logits)
  signature evaluate(image, label) -> (loss)
  signature fit(image, label) does learn -> (loss)
  train {
    run = fit
    data = { image = idx("train-images-idx3-ubyte"), label = idx("train-labels-idx1-ubyte") }
    batch = 100
    epochs = 1
  }
}
`;

/** The files of the examples, by name. */
export const models = {
  "mnist.graph": mnist,
  "other.graph": mnist.replaceAll("784, 10]", "784, 12]"),
  "table.graph": `graph table {
  dim N
  placeholder x: f32[N]
  variable w: f32 = zeros()
  loss = mean((x - w) ** 2)
  update learn {
    w := w - 0.1 * gradients(loss, [w])
  }
  signature fit(x) does learn -> (loss)
  train {
    run = fit
    batch = 2
  }
}
`,
  "mixed.graph": `graph mixed {
  placeholder x: f32[4] = [0, 1, 2, 3]
  h = exp(x) on "gpu"
  y = cumsum(h)
}
`,
  "singular.graph": `graph singular {
  x = solve([[1.0, 2.0], [2.0, 4.0]], [[1.0], [1.0]])
}
`,
  "divide.graph": `graph divide {
  placeholder n: i64
  y = 100 // n
}
`,
  "diverging.graph": `graph diverging {
  variable w: f32 = 1.0
  loss = w ** 4
  dw = gradients(loss, [w])
  update learn {
    w := w - 10.0 * dw
  }
  signature fit() does learn -> (loss)
  train {
    run = fit
    steps = 7
    report = { every = 1, of = [loss] }
  }
}
`,
  "misnamed.graph": `graph misnamed {
  variable n: i64 = 0
  update count {
    n := n + 1
  }
  signature fit() does count -> (n)
  train {
    run = fit
    steps = 100
    checkpoint = { every = 50, to = "{step}/model.safetensors" }
  }
}
`,
};

/** An IDX file of bytes. */
function idx(shape, valueAt) {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header[2] = 8;
  header[3] = shape.length;
  shape.forEach((size, axis) => {
    header.writeUInt32BE(size, 4 + 4 * axis);
  });
  const count = shape.reduce((product, size) => product * size, 1);
  return Buffer.concat([header, Buffer.from(Array.from({ length: count }, (_, i) => valueAt(i)))]);
}

/** A .npy file. */
function npy(description, shape, bytes) {
  const text = `{'descr': '${description}', 'fortran_order': False, 'shape': (${shape.join(", ")},), }`;
  const header = Buffer.from(`${text.padEnd(117)}\n`);
  return Buffer.concat([Buffer.from([0x93, ...Buffer.from("NUMPY"), 1, 0, header.length, 0]), header, bytes]);
}

/** A zip of stored files: what a .npz is. */
function zip(entries) {
  const locals = [];
  const centrals = [];
  let offset = 0;
  for (const [name, bytes] of entries) {
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt32LE(crc32(bytes), 10);
    fields.writeUInt32LE(bytes.length, 14);
    fields.writeUInt32LE(bytes.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    centrals.push(Buffer.from("PK\x01\x02\x14\x00"), fields, place, Buffer.from(name));
    locals.push(Buffer.from("PK\x03\x04"), fields, Buffer.from(name), bytes);
    offset += 30 + name.length + bytes.length;
  }
  const central = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06");
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, central, end]);
}

const rows = 200;

/** The folder's path, its files written. */
export async function makeSandbox(dist) {
  const folder = mkdtempSync(join(tmpdir(), "graphc-docs-"));
  const write = (name, content) => writeFileSync(join(folder, name), content);
  for (const [name, text] of Object.entries(models)) write(name, text);
  const images = idx([rows, 28, 28], (i) => (i * 7) % 256);
  write("train-images-idx3-ubyte", images);
  write(
    "train-labels-idx1-ubyte",
    idx([rows], (i) => i % 10),
  );
  write(
    "t10k-labels-idx1-ubyte",
    idx([100], (i) => i % 10),
  );
  write(
    "labels-above-nine.idx",
    idx([rows], (i) => i % 12),
  );
  write("half-a-file.idx", images.subarray(0, images.length / 2));
  write("README.md", "# A model of handwritten digits\n");
  write("table.csv", "x\n1.5\n2.5\nthree\n");
  write("complex.npy", npy("<c8", [rows, 28, 28], Buffer.alloc(rows * 784 * 8)));
  const pixels = npy("|u1", [rows, 28, 28], Buffer.alloc(rows * 784));
  const entries = ["pixels.npy", "mask.npy"].map((name) => [name, pixels]);
  write("table.npz", zip(entries));
  write("two-rows.npy", npy("|u1", [2, 28, 28], Buffer.alloc(2 * 784)));
  write("three-rows.npy", npy("|u1", [3], Buffer.alloc(3)));
  const packed = gzipSync(images);
  write("damaged.gz", packed.fill(0xff, packed.length - 100, packed.length - 80));
  await weights(dist, folder);
  write(
    "use-after-close.js",
    `import { compile, GraphError, Session } from "graphc";

const session = new Session(await compile("mnist.graph", { target: "reference" }));
await session.close();
try {
  session.get("w");
} catch (error) {
  if (error instanceof GraphError) console.error(error.message);
}
`,
  );
  write("package.json", '{ "type": "module" }\n');
  installed(dist, folder);
  return folder;
}

async function weights(dist, folder) {
  await run(dist, folder, ["train", "mnist.graph", "--save", "mnist.safetensors"]);
  await run(dist, folder, ["train", "other.graph", "--save", "other.safetensors"]);
  cpSync(join(folder, "mnist.safetensors"), join(folder, "cut-short.safetensors"));
  truncateSync(join(folder, "cut-short.safetensors"), 20_000);
  const { writeTensors } = await import(pathToFileURL(join(dist, "runtime", "data", "write.js")));
  const w = { dtype: "f32", shape: [784, 10], data: new Float32Array(7840) };
  await writeTensors([{ path: join(folder, "weights-only.safetensors"), name: "w", tensor: w }]);
}

/** `import ... from "graphc"` in the folder finds this build. */
function installed(dist, folder) {
  const place = join(folder, "node_modules", "graphc");
  mkdirSync(place, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(dirname(dist), "package.json"), "utf8"));
  writeFileSync(join(place, "package.json"), JSON.stringify({ ...manifest, exports: "./dist/index.js" }));
  symlinkSync(dist, join(place, "dist"), "dir");
}

function start(folder, words) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, words, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
    let text = "";
    child.stderr.on("data", (piece) => {
      text += piece;
    });
    child.on("error", reject);
    child.on("close", () => resolve(text));
  });
}

/** What the command line says on the standard error stream; on the reference back end, which every machine has. */
function run(dist, folder, words) {
  const choosing = words[0] === "train" || words[0] === "run" ? ["--target", "reference"] : [];
  return start(folder, [join(dist, "cli", "main.js"), ...words, ...choosing, "--no-color"]);
}

/**
 * What the command of an example gives: the first diagnostic of its code, or undefined where there is none. A `.graph` text is
 * checked, without a process of its own.
 */
export async function runExample({ code, example }, dist, folder) {
  if (!example.startsWith("$ ")) return checkText(code, example, dist);
  if (example.includes("generated.graph")) writeFileSync(join(folder, "generated.graph"), generated(code));
  const [program, ...words] = example.slice(2).split(" ");
  const said = program === "node" ? await start(folder, words) : await run(dist, folder, words);
  const lines = said.split("\n");
  const first = lines.findIndex((line) => new RegExp(`^(error|warning) ${code}\\b`).test(line));
  if (first < 0) return undefined;
  // A diagnostic ends before an empty line, or before what is said next.
  const length = lines.slice(first + 1).findIndex((line) => line === "" || /^[a-z]/.test(line));
  const text = lines.slice(first, first + 1 + length).join("\n");
  return text.replaceAll(folder, "/home/you");
}

async function checkText(code, text, dist) {
  const load = (...path) => import(pathToFileURL(join(dist, ...path)));
  const { loadGraph } = await load("dsl", "load.js");
  const { renderText } = await load("dsl", "render.js");
  const { prepareComputation } = await load("compiler", "prepare.js");
  // G061 imports the file that it stands in.
  const file = /from "(self\.graph)"/.exec(text)?.[1] ?? "example.graph";
  const readFile = (path) => (basename(path) === file ? text : readFileSync(path, "utf8"));
  const { graph, diagnostics, files } = loadGraph(file, { readFile, unused: true });
  const found = [...diagnostics];
  if (graph !== undefined) {
    try {
      prepareComputation(graph, { kind: "request", fetches: [...graph.inference.names.keys()], updates: [] });
    } catch (error) {
      found.push(...error.diagnostics);
    }
  }
  const one = found.find((diagnostic) => diagnostic.code === code);
  return one === undefined ? undefined : renderText([one], { source: (name) => files.get(name) ?? text });
}

function generated(code) {
  const line = code === "G100" ? `  # ${"-".repeat(1000)}\n` : "  y = unknown\n";
  return `graph generated {\n${line.repeat(code === "G100" ? 4300 : 200)}}\n`;
}
