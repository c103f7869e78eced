import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import test from "ava";
import fc from "fast-check";
import { observedParts } from "../../compiler/backends/gpu/observed.js";
import { evaluate } from "../../compiler/backends/reference/evaluate.js";
import type { Computation, Graph } from "../../compiler/ir/graph.js";
import { elementCount } from "../../compiler/ir/tensor.js";
import { staticShape } from "../../compiler/ir/type.js";
import { isLeaf, leavesOf } from "../../compiler/kernels/access.js";
import { buildKernels } from "../../compiler/kernels/build.js";
import type { KernelProgram, LeafKernel } from "../../compiler/kernels/form.js";
import { FusionLog, type LoggedValue, wholeRun } from "../../compiler/kernels/fusion_log.js";
import { reasonTexts } from "../../compiler/kernels/fusion_texts.js";
import { optimise, prepareComputation } from "../../compiler/prepare.js";
import { loadGraph } from "../../dsl/load.js";
import { placedText } from "../backends/gpu/placed.js";
import { printedAccesses } from "../viewer/flow.js";
import { graphOf } from "../viewer/support.js";
import { interpretKernels } from "./interpreter.js";
import { avx2, contextOf } from "./support.js";

function loweredOf(graph: Graph, signature: string, followsPlaces = false): Computation {
  const sizes = new Map(graph.dims.map(({ name, bound }) => [name, Math.min(bound ?? 8, 8)]));
  const prepared = prepareComputation(graph, { kind: "signature", name: signature });
  return optimise(graph, prepared, sizes, { followsPlaces });
}

function logOf(computation: Computation): { readonly program: KernelProgram; readonly values: readonly LoggedValue[] } {
  const log = new FusionLog();
  const program = buildKernels(computation, avx2, { checkNumerics: false, log });
  return { program, values: log.values(program, wholeRun) };
}

/**
 * Where the log and the numbers that kernels leave in memory disagree: each kernel is run, and what lies in the buffers that its printed
 * form writes is compared with what the reference computes for each value. A value that is never stored may have the numbers of one that is.
 */
function untruths(computation: Computation): readonly string[] {
  const { program, values } = logOf(computation);
  const context = contextOf(computation);
  const all = [...program.compute, ...program.commit];
  return all.flatMap((kernel, at) => {
    if (!isLeaf(kernel)) return [];
    const own = values.filter(({ kernels, kept }) => kernels.includes(kernel.name) && kept !== "given");
    const numbers = evaluate(
      { ...computation, outputs: own.map(({ value }, i) => ({ name: `${i}`, value })), assignments: [] },
      context,
    ).outputs.map(({ data }) => sorted(data));
    const written = [...printedAccesses(kernel).writes].flatMap((id) => program.buffers[id] ?? []);
    const sizes = new Set(
      own.flatMap(({ kept, value }) => (kept === "whole" ? [elementCount(staticShape(value.type))] : [])),
    );
    // What holds a part at a time is smaller, or has a line for each lane, not all of which are used.
    const buffers = written.filter(({ label, length }) => !label.endsWith(" row") || sizes.has(length));
    const outputs = buffers.map(({ id, dtype, length }) => ({ name: `${id}`, buffer: id, dtype, shape: [length] }));
    const left = interpretKernels({ ...program, compute: all.slice(0, at + 1), commit: [], outputs }, context).outputs;
    const stored = left.map(({ data }) => sorted(data));
    const isIn = (wanted: readonly number[]): boolean => stored.some((found) => isNear(found, wanted));
    const whole = own.flatMap(({ kept }, i) => (kept === "whole" ? [numbers[i] ?? []] : []));
    return own.flatMap(({ value, kept }, i) => {
      const wanted = numbers[i] ?? [];
      const what = `${value.node.op} in ${kernel.name}`;
      if (kept === "whole" && !isIn(wanted)) return [`${what} is not in memory`];
      const isOther = whole.some((one) => isNear(one, wanted));
      return kept !== "whole" && isIn(wanted) && !isOther ? [`${what} is in memory`] : [];
    });
  });
}

/** Layouts differ: the numbers count, not their order. */
function sorted(data: { readonly [Symbol.iterator]: () => Iterator<number | bigint> }): readonly number[] {
  return [...data].map(Number).sort((a, b) => a - b);
}

function isNear(a: readonly number[], b: readonly number[]): boolean {
  return (
    a.length === b.length &&
    a.every((x, i) => Object.is(x, b[i]) || Math.abs(x - (b[i] ?? 0)) < 1e-5 * Math.max(1, Math.abs(x)))
  );
}

const fused = `graph fused {
  placeholder x: f32[64, 100]
  placeholder y: f32[64, 10]
  variable w: f32[100, 10] = 0.5
  h = x @ w
  z = exp(h * 0.01) + 1
  q = z * z
  s = sum(q, axis=0)
  loss = mean((q - s - y) ** 2)
  small = y[0:4, 0:4] @ y[4:8, 0:4]
  curved = exp(small)
  rows = softmax(y @ transpose(y))
  update step { w := w * 0.9 }
  signature f(x, y) does step -> (loss)
  signature g(y) -> (curved, rows)
}
`;

function find(values: readonly LoggedValue[], op: string): LoggedValue | undefined {
  return values.find(({ value }) => value.node.op === op);
}

test("what is said to be stored is in memory when its kernel has run, and what is not is not", (t) => {
  const graph = graphOf(fused);
  for (const { name } of graph.signatures) t.deepEqual(untruths(loweredOf(graph, name)), [], name);
  const f = logOf(loweredOf(graph, "f")).values;
  // q alone is written, of h only the registers' sums are there.
  t.is(find(f, "dot_general")?.kept, "nowhere");
  t.is(find(f, "sum")?.kept, "nowhere");
  t.deepEqual(
    f.filter(({ kept, value }) => kept === "whole" && value.type.shape.length === 2).map(({ value }) => value.node.op),
    ["mul", "mul"],
  );
});

test("the same of random graphs that learn", (t) => {
  const property = fc.property(placedText, (text) => {
    const graph = graphOf(text);
    const found = graph.signatures.flatMap(({ name }) => untruths(loweredOf(graph, name)));
    if (found.length > 0) throw new Error(`${found.join("\n")}\n${text}`);
  });
  fc.assert(property, { numRuns: 15, seed: 7 });
  t.pass();
});

/** Kernels whose printed form writes nothing of a stored value's size, and buffers of a size that no stored value has. */
function misfits(program: KernelProgram, values: readonly LoggedValue[]): readonly string[] {
  return leavesOf([...program.compute, ...program.commit]).flatMap((kernel: LeafKernel) => {
    const own = values.filter(
      ({ kernels, kept }) => kernels[0] === kernel.name && (kept === "whole" || kept === "parts"),
    );
    const size = ({ value }: LoggedValue): number => elementCount(staticShape(value.type));
    const written = [...printedAccesses(kernel).writes].map((id) => program.buffers[id]?.length ?? 0);
    const absent = own.filter(({ kept, ...one }) => {
      const wanted = size({ kept, ...one });
      // A loop's stack holds those of all rounds.
      return wanted > 0 && !written.some((length) => length > 0 && (kept === "parts" || length % wanted === 0));
    });
    return absent.map(({ value }) => `${kernel.name} does not store ${value.node.op}`);
  });
}

test("in the examples kernels write what is said to be stored, on the processor and on a device", (t) => {
  const folder = fileURLToPath(new URL("../../../examples", import.meta.url));
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".graph"));
  t.true(files.length > 20);
  for (const file of files) {
    const { graph } = loadGraph(`${folder}/${file}`);
    for (const { name } of graph?.signatures ?? []) {
      if (graph === undefined) continue;
      const { program, values } = logOf(loweredOf(graph, name));
      t.deepEqual(misfits(program, values), [], `${file} ${name}`);
      // Its weights are more than kernels of a device index.
      if (file.startsWith("alexnet")) continue;
      for (const part of observedParts(loweredOf(graph, name, true), "gpu", avx2).parts)
        t.deepEqual(
          part.isEvaluated ? [] : misfits(part.program, part.log.values(part.program, part)),
          [],
          `${file} ${name}`,
        );
    }
  }
});

test("reasons are what the scheduler chose, and what the value is wanted for", (t) => {
  const graph = graphOf(fused);
  const textsOf = (signature: string, op: string): readonly string[] => {
    const computation = loweredOf(graph, signature);
    return logOf(computation)
      .values.filter(({ value }) => value.node.op === op)
      .flatMap((one) => reasonTexts(one, computation.sources));
  };
  t.true(textsOf("f", "dot_general").includes("a contraction: a kernel is built around it"));
  t.true(textsOf("f", "dot_general").includes("never stored: all that reads it has it in registers"));
  t.true(
    textsOf("g", "dot_general").includes(
      "a contraction in plain loops, which serve as well: it is small, or of vectors or integers",
    ),
  );
  t.true(textsOf("f", "div").includes("it is the result loss, so it is stored"));
  t.true(textsOf("f", "mul").includes("it is the new value of the variable w, so it is stored"));
});

test("what a loop keeps has its reason: the next round, the gradient, what it yields", (t) => {
  const graph = graphOf(`graph loops {
  placeholder xs: f32[20, 8]
  variable u: f32[8, 8] = glorot_uniform()
  last, ys = scan x in xs with a = zeros([8]) {
    t = tanh(x + a @ u)
    next a = t - x
    yield t * 2 + x
  }
  turns = while n < 9 with n = 0 { next n = n + 1 }
  side = if turns > 3 { yield sin(last) } else { yield cos(last) }
  loss = sum(ys ** 2) + sum(last)
  update learn { u := u - 0.1 * gradients(loss, [u]) }
  signature f(xs) does learn -> (loss)
  signature g(xs) -> (ys, side)
}
`);
  const saidIn = (signature: string): ReadonlyMap<string, readonly string[]> => {
    const computation = loweredOf(graph, signature);
    const said = new Map<string, readonly string[]>();
    for (const one of logOf(computation).values)
      if (one.wanted.length > 0) said.set(one.value.node.op, reasonTexts(one, computation.sources));
    return said;
  };
  const f = saidIn("f");
  t.true(f.get("tanh")?.includes("it is kept of each round for the gradient, so it is stored"));
  t.true(
    f
      .get("sub")
      ?.some((text) => text === "it is the next a of the loop, so it is stored" || text.includes("variable u")),
  );
  const g = saidIn("g");
  t.is(g.get("tanh"), undefined);
  t.true(g.get("add")?.some((text) => text.includes("the next n of the loop") || text.includes("yields")));
  t.true(g.get("lt")?.includes("it is what decides whether the loop goes on, so it is stored"));
  t.true(g.get("sin")?.includes("it is what the branch gives, so it is stored"));
});
