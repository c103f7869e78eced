// docs/gpu.md from the tables in compiler/backends/gpu/documented.ts, which the tests of devices read too.
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** The text of docs/gpu.md. */
export async function gpuPage(dist) {
  const load = (...path) => import(pathToFileURL(join(dist, "compiler", ...path)));
  const { deviceNumerics, measuredErrors, processorOps } = await load("backends", "gpu", "documented.js");
  const { exactIntegers, mostArrays } = await load("backends", "gpu", "form.js");
  const rows = Object.entries(deviceNumerics).map(
    ([name, { relative, absolute, sineLimit, subnormals, zeroSigns }]) =>
      `| ${name} | ${relative} of its value, or ${absolute} | ${sines(sineLimit)} | ${small[subnormals]} | ${zeroSigns ? "as native code" : "not told"} |`,
  );
  const names = processorOps.map((name) => `[\`${name}\`](ops.md#${name})`).join(", ");
  return `${[
    intro(exactIntegers, mostArrays),
    `## Numbers\n\n${numbers}\n\n${head}\n${rows.join("\n")}\n\n${afterNumbers}\n\n${errorTable(measuredErrors)}`,
    `## Positions\n\n${positions}`,
    `## What the processor does\n\n${beforeOps}\n\n${names}.`,
    `## In a page\n\n${inPage}`,
    `## When a device is lost\n\n${lost}`,
  ].join("\n\n")}\n`;
}

const small = { zeros: "zeros", kept: "as they are", either: "as they are or zeros" };
const sines = (limit) => (Number.isFinite(limit) ? `below ${limit.toLocaleString("en")}` : "everywhere");

const intro = (
  largest,
  arrays,
) => `<!-- Made from compiler/backends/gpu/documented.ts by scripts/docs.mjs: change it there, then \`npm run docs\`. -->

# Devices

\`--target gpu\` (in TypeScript \`{ target: "gpu" }\`) runs a graph as kernels of [gpu.js](https://gpu.rocks) on a device:

| device | is |
| --- | --- |
| webgpu | WebGPU: in a browser its own, in Node the package webgpu (Dawn) on a Vulkan driver |
| headlessgl | OpenGL in Node, by the package gl; under Linux it needs an X server |
| webgl2 | OpenGL in a browser |
| webasm | WebAssembly, on the processor |
| cpu | JavaScript, on the processor |

\`--device NAME\` takes one, and is an error where that does not work; without it the first that works is taken, and reports name it.
\`graphc doctor\` lists them, each with the reason why it does not work. A kernel that a device refuses ends the run with an error
([G124](errors.md#g124-device-fails-while-it-runs)) and is never computed elsewhere. Kernels read at most ${arrays} arrays, and arrays have at most
${largest.toLocaleString("en")} elements. [The design](design.md#kernels-for-devices) says how kernels are made.`;

const numbers = `Kernels compute in f32, and integers travel as f32 where it is known that they fit. Every op is tested on each device against the
reference, within these bounds: webgpu with the software drivers SwiftShader and Mesa, headlessgl with Mesa's, webgl2 in Chromium with
SwiftShader. Sums of many terms are as near as [native code's](design.md#numerics).`;

const head = `| device | a result is within | \`sin\` and \`cos\` are so | magnitudes below 2^-126 count as | the sign of a zero is |
| --- | --- | --- | --- | --- |`;

const afterNumbers = `NaN, infinities and extremes of each element-wise op are tested too: they come out as the reference has them. Native code counts magnitudes below
2^-126 as zeros. Random numbers are native code's to the bit.`;

/** What was measured, a column for each device. */
function errorTable(errors) {
  const devices = Object.keys(Object.values(errors)[0]);
  const rows = Object.entries(errors).map(
    ([family, units]) => `| ${family} | ${devices.map((device) => units[device]).join(" | ")} |`,
  );
  return `${beforeErrors}\n\n| ops | ${devices.join(" | ")} |\n|${" --- |".repeat(devices.length + 1)}\n${rows.join("\n")}`;
}

const beforeErrors = `The bounds are what is promised on any driver. What was measured with SwiftShader (webgpu, webgl2) and Mesa (headlessgl), on 20,000 random operands of each
op over the range that it is made for (\`sin\` and \`cos\` to 8,000), is mostly nearer. The largest errors, in units of the last place of f32 (6e-8 to 1.2e-7 of the
value): 0.5 is the nearest f32. Those of sums (of 100,003 terms) and products (777 terms) are in units of the sum of the terms' magnitudes. \`make accuracy DEVICE=webgpu\`
measures another device; \`exp\` and \`pow\` are the drivers' own.`;

const positions = `What \`gather\`, \`scatter\` and slices read and write at positions that the device computes stays on it, and so do the positions. Where it is known
that they are inside (what \`argmax\` finds along an axis of that size, \`iota\`, what is clamped or a remainder, what each iteration of a
loop keeps inside), nothing is checked. Else the device reads and writes nothing outside meanwhile, and each run brings four bytes
more for each check: the first index that is out of range, in loops that of the first iteration that has one. Such a run fails with that index at its line, as on the processor
([G086](errors.md#g086-index-out-of-range)), and leaves the variables as they were; so a step with a check waits for the device. Positions that are
fed are checked by the processor before anything is sent.`;

const beforeOps = `f64, f16 and bf16, integers that may be more than f32 holds exactly, and these ops, for which there
is no kernel in at least some cases (an integer division may divide by zero, and that ends a run; \`argsort\`, and with it \`sort\` and \`top_k\`,
where all elements of each row against each other make more than 262,144 comparisons), are computed by the processor
within the same program. A warning ([G121](errors.md#g121-dtype-or-op-is-not-supported-by-the-target)) says so for each, and no other op is.`;

const inPage = `A page goes on drawing and answering while it trains or runs on webgpu or webgl2: their results are waited for in turns of the
event loop. On webasm and cpu the page's own thread computes, and others have their turn between two steps; for steps that take long, open
the session in a worker. The same thread does in JavaScript what in Node native code does for a device:
[\`graphc build\`](cli.md#build) says which ops those are. Nothing waits for timers, which browsers slow in pages that nobody sees: training goes on there as it does in front.`;

const lost = `A driver that is reset or replaced takes what lies on a device with it, and a run that was on its way fails
([G124](errors.md#g124-device-fails-while-it-runs)), with the kernel that noticed and its line. On webgpu and webgl2 variables are then those of the
last run that was completed: the next use of the session opens the device again, and does the runs since the last copy of the
variables again, to the same bits. So \`session.read\`, \`save\` and further runs go on, and training is resumed by calling \`train\` again.

For that, a session on these two keeps what was fed since the last copy, and copies its variables to this process when 1,000 runs, ten seconds, or feeds
of 64 MiB and of four times the variables' bytes have come together. What is copied so is counted apart (\`bytesKept\`; \`bytes_kept\` in
\`train --json\`). A browser may refuse a new device for some
minutes after it has lost two: that is [G122](errors.md#g122-device-is-not-available), and a later use of the session tries again. headlessgl
does not tell of a loss.`;
