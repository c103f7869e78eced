import test from "ava";
import { selectRequest } from "../../compiler/ir/select.js";
import { leavesOf } from "../../compiler/kernels/access.js";
import { verifyKernels } from "../../compiler/kernels/verifier.js";
import { beforeGradients, pipeline, runPipeline } from "../../compiler/passes/pipeline.js";
import { specialise } from "../../compiler/passes/specialise.js";
import { graphOf } from "../dsl/elaborate/support.js";
import { build, disagreements } from "../kernels/support.js";
import { targets } from "../runtime/programs.js";
import { fetch, near, open } from "../std/support.js";

const xs = "  variable xs: f32[3, 5] = normal()\n  variable w: f32[4, 5] = normal()";
const inner = (yielded: string): string =>
  `last, all = scan row in w with c = h {\n      next c = 0.5 * c + row * x\n      yield ${yielded}\n    }`;

/** Loops in whose body something is made bit by bit; `copies` is how many results are still copied. */
const cases: readonly { readonly name: string; readonly body: string; readonly copies: number }[] = [
  {
    name: "the stack of an inner loop",
    body: `y = scan x in xs {\n    h = x * 2\n    ${inner("c * row")}\n    yield all\n  }`,
    copies: 0,
  },
  {
    name: "the last carry of an inner loop, which others read, too",
    body: `y, s = scan x in xs {\n    h = x * 2\n    ${inner("sum(c)")}\n    yield last\n    yield sum(last) * all\n  }`,
    copies: 0,
  },
  {
    name: "a result that is carried and yielded: the carry is still read",
    body: `z, y = scan x in xs with h = zeros([5]) {\n    ${inner("c")}\n    next h = last\n    yield last\n  }`,
    copies: 1,
  },
  {
    name: "a result that is yielded twice",
    body: `y, z = scan x in xs {\n    h = x\n    ${inner("c")}\n    yield all\n    yield all\n  }`,
    copies: 1,
  },
  {
    name: "a concatenation and a pad",
    body: `y, z = scan x in xs {\n    yield concatenate([x, x * 2], axis=0)\n    yield pad(x, low=1, high=2)\n  }`,
    copies: 0,
  },
  {
    name: "an inner loop in a branch, in reverse order",
    body: `y = scan(reverse=true) x in xs {\n    h = x\n    b = if sum(x) > 0.0 {\n      ${inner("c")}\n      yield all\n    } else {\n      yield w * 3\n    }\n    yield b\n  }`,
    copies: 0,
  },
  {
    name: "a while",
    body: `y = scan x in xs {\n    t, i = while i < 3 with t = x, i = 0 {\n      next t = t * 0.5 + 1\n      next i = i + 1\n    }\n    yield t\n  }`,
    copies: 0,
  },
  {
    name: "no turn of the inner loop",
    body: `variable none: f32[0, 5] = zeros([0, 5])\n  y = scan x in xs {\n    last = scan row in none with c = x { next c = c + row }\n    yield last\n  }`,
    copies: 0,
  },
];

for (const { name, body, copies } of cases) {
  const text = `graph g {\n  seed 3\n${xs}\n  ${body}\n}\n`;
  const fetches = /^\s*z\b|, z\b|\bz,/m.test(body) ? ["y", "z"] : ["y"];

  test(`${name}: written to its place in the stack`, (t) => {
    const graph = graphOf(text);
    const selected = runPipeline(beforeGradients, selectRequest(graph, { fetches, updates: [] }), {});
    const optimised = runPipeline(pipeline, specialise(graph, selected, new Map()), {});
    const program = build(optimised);
    t.deepEqual(verifyKernels(program), []);
    t.deepEqual(disagreements(optimised, program), []);
    const names = leavesOf([...program.compute, ...program.commit]).map((kernel) => kernel.name);
    t.is(names.filter((kernel) => /_copy/.test(kernel)).length, copies, names.join(" "));
  });

  test(`${name}: native code gives what the reference gives`, async (t) => {
    const results: ReadonlyMap<string, readonly number[]>[] = [];
    for (const target of targets) results.push(await fetch(await open(t, target, text), fetches));
    const [expected, actual] = results;
    t.truthy(expected);
    if (actual === undefined) return;
    for (const fetched of fetches) near(t, actual.get(fetched), expected?.get(fetched) ?? [], 1e-5, fetched);
  });
}
