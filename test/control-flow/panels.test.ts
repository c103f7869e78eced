import test from "ava";
import { differentiate } from "../../compiler/autodiff/differentiate.js";
import { selectRequest } from "../../compiler/ir/select.js";
import { innerKernels, isLeaf } from "../../compiler/kernels/access.js";
import type { ContractKernel, Kernel } from "../../compiler/kernels/form.js";
import { verifyKernels } from "../../compiler/kernels/verifier.js";
import { beforeGradients, pipeline, runPipeline } from "../../compiler/passes/pipeline.js";
import { specialise } from "../../compiler/passes/specialise.js";
import { graphOf } from "../dsl/elaborate/support.js";
import { avx2, avx512, build, disagreements } from "../kernels/support.js";
import { targets } from "../runtime/programs.js";
import { fetch, near, open } from "../std/support.js";

/** Contractions whose operand is too large for this second level are packed. */
const smallCache = { ...avx512, l2Bytes: 2048 };

interface Case {
  readonly name: string;
  readonly body: string;
  readonly fetches: readonly string[];
  /** Contractions in loops with a panel from before, and those without, on avx512 with a small second level. */
  readonly panels: readonly [number, number];
}

const weights = "  variable w: f32[40, 40] = 0.3 * normal()";
const carry = "  h0 = 0.1 * cast(reshape(iota([320]), [8, 40]), to=f32)";
const input = "  variable xs: f32[3, 8, 40] = normal()";
const step = (factor: string): string => `tanh(x + h @ ${factor})`;

const cases: readonly Case[] = [
  {
    name: "weights as they are",
    body: `${input}\n${weights}\n  last = scan x in xs with h = zeros([8, 40]) { next h = ${step("w")} }`,
    fetches: ["last"],
    panels: [1, 0],
  },
  {
    name: "transposed weights, and the gradient",
    body: `${input}\n${weights}\n  last = scan x in xs with h = zeros([8, 40]) { next h = ${step("transpose(w)")} }\n  d = gradients(sum(last ** 2), [w])`,
    fetches: ["last", "d"],
    panels: [2, 0],
  },
  {
    name: "what is recomputed, and the gradient",
    body: `${input}\n${weights}\n  last = scan(checkpoint=true) x in xs with h = zeros([8, 40]) { next h = ${step("w")} }\n  d = gradients(sum(last ** 2), [w])`,
    fetches: ["d"],
    // The sum of the weights' cotangent has operands of the iteration.
    panels: [3, 1],
  },
  {
    name: "weights of half precision",
    body: `${input}\n  variable w: f16[40, 40] = 0.3 * normal()\n  last = scan x in xs with h = cast(zeros([8, 40]), to=f16) { next h = tanh(cast(x, to=f16) + h @ w) }`,
    fetches: ["last"],
    panels: [1, 0],
  },
  {
    name: "out of both loops, and out of the inner one alone",
    body: `${input}\n${weights}\n${carry}\n  last = scan x in xs with h = h0 {\n    v = w * sum(h)\n    inner = scan y in xs with c = h { next c = tanh(y + c @ transpose(w) + x @ transpose(v)) }\n    next h = inner\n  }`,
    fetches: ["last"],
    panels: [1, 1],
  },
  {
    name: "weights that the loop changes, and a slice of its own for each turn",
    body: `${input}\n${weights}\n  variable ws: f32[3, 40, 40] = normal()\n  last, u = scan x in xs, v in ws with h = zeros([8, 40]), u = w {\n    next h = tanh(x @ transpose(v) + h @ transpose(u))\n    next u = u * 0.9\n  }`,
    fetches: ["last", "u"],
    // The product of x is one for all turns.
    panels: [0, 1],
  },
  {
    name: "a batch of weights",
    body: `  variable xs: f32[3, 2, 8, 40] = normal()\n  variable w: f32[2, 40, 40] = normal()\n  last = scan x in xs with h = zeros([2, 8, 40]) { next h = ${step("w")} }`,
    fetches: ["last"],
    panels: [0, 1],
  },
  {
    name: "a while",
    body: `${weights}\n${carry}\n  last, i = while i < 3 with h = h0, i = 0 {\n    next h = tanh(h @ transpose(w))\n    next i = i + 1\n  }`,
    fetches: ["last"],
    panels: [1, 0],
  },
  {
    name: "in a branch it may never be needed",
    body: `${input}\n${weights}\n  last = scan x in xs with h = zeros([8, 40]) {\n    y = if sum(x) > 0.0 { yield h @ transpose(w) } else { yield x }\n    next h = y\n  }`,
    fetches: ["last"],
    panels: [0, 1],
  },
  {
    name: "one turn",
    body: `  variable xs: f32[1, 8, 40] = normal()\n${weights}\n  last = scan x in xs with h = zeros([8, 40]) { next h = ${step("transpose(w)")} }`,
    fetches: ["last"],
    panels: [0, 1],
  },
  {
    name: "no turn",
    body: `  variable xs: f32[0, 8, 40] = zeros([0, 8, 40])\n${weights}\n${carry}\n  last = scan x in xs with h = h0 { next h = ${step("transpose(w)")} }`,
    fetches: ["last"],
    panels: [0, 1],
  },
];

function contractionsInLoops(kernels: readonly Kernel[], inLoop = false): readonly ContractKernel[] {
  return kernels.flatMap((kernel): readonly ContractKernel[] => {
    if (kernel.kind === "contract") return inLoop ? [kernel] : [];
    return contractionsInLoops(innerKernels(kernel), inLoop || kernel.kind === "loop" || kernel.kind === "while");
  });
}

/** How deep in loops each kernel that fills a panel stands. */
function fillDepths(kernels: readonly Kernel[], depth = 0): readonly number[] {
  return kernels.flatMap((kernel): readonly number[] => {
    if (isLeaf(kernel)) return kernel.name.endsWith("panel") ? [depth] : [];
    return fillDepths(innerKernels(kernel), depth + 1);
  });
}

for (const { name, body, fetches, panels } of cases) {
  const text = `graph g {\n  seed 5\n${body}\n}\n`;

  test(`${name}: panels are filled before the loop where they stay the same`, (t) => {
    const graph = graphOf(text);
    const selected = runPipeline(beforeGradients, selectRequest(graph, { fetches, updates: [] }), {});
    const { computation } = differentiate(selected);
    const optimised = runPipeline(pipeline, specialise(graph, computation, new Map()), {});
    for (const target of [avx512, avx2]) t.deepEqual(verifyKernels(build(optimised, {}, target)), []);
    const program = build(optimised, {}, smallCache);
    t.deepEqual(verifyKernels(program), []);
    t.deepEqual(disagreements(optimised, program, undefined, name.includes("half") ? 2e-3 : 2e-4), []);
    const inLoops = contractionsInLoops([...program.compute, ...program.commit]);
    const ready = inLoops.filter(({ panel }) => panel !== undefined);
    t.deepEqual([ready.length, inLoops.length - ready.length], panels);
    t.deepEqual(
      fillDepths(program.compute),
      ready.map(() => 0),
    );
  });

  test(`${name}: native code gives what the reference gives`, async (t) => {
    const results: ReadonlyMap<string, readonly number[]>[] = [];
    for (const target of targets) results.push(await fetch(await open(t, target, text), fetches));
    const [expected, actual] = results;
    t.truthy(expected);
    if (actual === undefined) return;
    const tolerance = name.includes("half") ? 4e-3 : 2e-4;
    for (const fetched of fetches) near(t, actual.get(fetched), expected?.get(fetched) ?? [], tolerance, fetched);
  });
}

test("weights that are larger than the second level are read through one panel, whatever columns the last strip has", async (t) => {
  if (targets.length < 2) {
    t.pass("without native code there is no panel");
    return;
  }
  // 1090 columns: 22 strips of 48 and one of 34, whose last register has two lanes.
  const text = `graph g {
  seed 5
  variable xs: f32[3, 32, 256] = normal()
  variable w: f32[256, 1090] = 0.05 * normal()
  last = scan x in xs with h = zeros([32, 256]) { next h = tanh((x + h) @ w)[:, 834:1090] }
}`;
  const [expected, actual] = [
    await fetch(await open(t, "reference", text), ["last"]),
    await fetch(await open(t, "cpu", text), ["last"]),
  ];
  near(t, actual.get("last"), expected.get("last") ?? [], 1e-4);
});
