import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { probe } from "../../compiler/backends/llvm/availability.js";
import { assemblyFunctions, hottest, llvmFunctions } from "../../compiler/backends/llvm/excerpt.js";
import { at, codesOf, folderWith, graphcHere, lineFolder, onlyObject } from "./support.js";

const native = probe().available ? test.serial : test.serial.skip;

const network = `graph network {
  dim N <= 32
  placeholder x: f32[N, 20]
  variable w: f32[20, 30] = zeros([20, 30])
  variable v: f32[30, 5] = zeros([30, 5])
  a = x @ w
  h = tanh(a)
  y = h @ v
  p = softmax(y)
  k = 2 * 3
  signature predict(x) -> (p)
}
`;

async function explained(name: string, ...flags: readonly string[]) {
  const cwd = folderWith({ "network.graph": network });
  const ended = await graphcHere(["explain", "network.graph", name, "--dim", "N=32", "--json", ...flags], { cwd });
  return ended;
}

native("an activation is in the epilogue of the product that it reads", async (t) => {
  const ended = onlyObject(await explained("h", "--measure"));
  t.is(at(ended, "type"), "f32[N, 30]");
  t.deepEqual(at(ended, "places", 0), { file: "network.graph", line: 7, text: "h = tanh(a)" });
  t.is(at(ended, "edge", "type"), "f32[32, 30]");
  t.is(at(ended, "edge", "bytes"), 32 * 30 * 4);
  t.is(at(ended, "edge", "fused"), "epilogue");
  t.is(at(ended, "edge", "reason"), "operand_of_contraction");
  t.is(at(ended, "kernels", 0, "operations"), 2 * 32 * 20 * 30);
  t.is(at(ended, "kernels", 0, "transcendentals"), 32 * 30);
  t.true(Number(at(ended, "kernels", 0, "seconds")) > 0);
  t.regex(String(at(ended, "kernels", 0, "text")), /^contract w_matmul /);
  t.regex(String(at(ended, "kernels", 0, "assembly")), /[xyz]mm\d/);
});

native("what cannot be fused says why", async (t) => {
  // A row's maximum needs the whole row, and an epilogue has one element at a time.
  const ended = onlyObject(await explained("p"));
  t.is(at(ended, "edge", "fused"), "loops");
  const max = onlyObject(await explained("p/softmax/e"));
  t.true(JSON.stringify(at(max, "kernels")).includes("softmax"));
  const human = await explained("y");
  t.is(at(onlyObject(human), "edge", "reason"), "contraction");
});

native(
  "a profile has the times of the edge's kernels, also where training asked for its metrics and not for a signature",
  async (t) => {
    const cwd = folderWith({ "network.graph": network });
    const explain = (...flags: readonly string[]) =>
      graphcHere(["explain", "network.graph", "h", "--dim", "N=32", ...flags], { cwd });
    const profile = (name: string, kernels: readonly string[]): void => {
      const report = kernels.map((kernel) => ({ name: kernel, calls: 8, seconds: 2 }));
      const text = JSON.stringify({ graphc: { device: "a fast one", computations: [{ name, kernels: report }] } });
      writeFileSync(join(cwd, "p.json"), text);
    };
    const kernels = ["w_matmul", "v_matmul", "softmax_p"];
    for (const name of ["predict", "p"]) {
      profile(name, kernels);
      t.is(at(onlyObject(await explain("--profile", "p.json", "--json")), "kernels", 0, "seconds"), 0.25);
    }
    t.regex(
      (await explain("--profile", "p.json")).stdout,
      /^ {2}250 ms a call, .*, measured by p\.json on a fast one$/m,
    );
    profile("other", ["a", "b"]);
    const other = await explain("--profile", "p.json");
    t.is(other.code, 0);
    t.regex(other.stderr, /p\.json has no times of these kernels/);
    t.is((await explain("--profile", "p.json", "--measure")).code, 2);
    t.deepEqual(codesOf(await explain("--profile", "network.graph", "--json")), ["G064"]);
  },
);

native("explain reads what run writes", async (t) => {
  const cwd = lineFolder();
  const ran = await graphcHere(
    ["run", "line.graph", "predict", "--feed", "x=[0, 1.5, 2, 3]", "--profile", "p.json", "--quiet"],
    { cwd },
  );
  t.is(ran.code, 0, ran.stderr);
  const ended = onlyObject(
    await graphcHere(["explain", "line.graph", "p", "--signature", "predict", "--profile", "p.json", "--json"], {
      cwd,
    }),
  );
  t.true(Number(at(ended, "kernels", 0, "seconds")) > 0);
});

test.serial(
  "on the gpu an edge has the gpu.js source of its kernel, and is explained without native code",
  async (t) => {
    const ended = onlyObject(await explained("h", "--target", "gpu"));
    t.is(at(ended, "edge", "type"), "f32[32, 30]");
    t.is(at(ended, "kernels", 0, "device"), "gpu");
    t.is(at(ended, "kernels", 0, "operations"), 2 * 32 * 20 * 30);
    t.regex(String(at(ended, "kernels", 0, "gpu")), /^function\(a0, a1\) \{[\s\S]*hyperbolic_tangent\(/);
    t.is(at(ended, "kernels", 0, "llvm"), null);
    const cwd = folderWith({ "network.graph": network });
    const text = await graphcHere(["explain", "network.graph", "h", "--target", "gpu"], { cwd });
    t.regex(text.stdout, /^kernel \w+ \(contract on the gpu\): /m);
    t.regex(text.stdout, /^ {2}gpu\.js, \d+ lines:$/m);
    t.is((await explained("h", "--target", "gpu", "--measure")).code, 2);
  },
);

native("a constant is folded, and what no signature needs is explained by itself", async (t) => {
  const ended = onlyObject(await explained("k"));
  t.is(at(ended, "signature"), "k");
  t.is(at(ended, "edge", "op"), "constant");
});

test.serial("a name inside a scope is found by its last parts", async (t) => {
  const scoped = network.replace("  h = tanh(a)\n", "  scope s {\n    h = tanh(a)\n  }\n").replace("h @ v", "s.h @ v");
  const cwd = folderWith({ "network.graph": scoped });
  const hintOf = async (name: string) =>
    at(onlyObject(await graphcHere(["explain", "network.graph", name, "--json"], { cwd })), "diagnostics", 0, "hint");
  t.is(await hintOf("h"), "did you mean `s.h`?");
  t.regex(String(await hintOf("softmax")), /^names with it are "p\/softmax\/\w+"/);
});

native("unknown names and wrong signatures are refused", async (t) => {
  t.deepEqual(codesOf(await explained("hh")), ["G083"]);
  t.deepEqual(codesOf(await explained("__proto__")), ["G083"]);
  t.deepEqual(codesOf(await explained("k", "--signature", "predict")), ["G083"]);
  t.deepEqual(codesOf(await explained("h", "--signature", "nope")), ["G083"]);
});

native("the text has the line, the reason and the code", async (t) => {
  const ended = await graphcHere(["explain", "line.graph", "p", "--signature", "predict"], { cwd: lineFolder() });
  t.is(ended.code, 0, ended.stderr);
  t.regex(ended.stdout, /^p: f32\[N\], made by add\n {2}line\.graph:10 {2}p = x \* w \+ b\n/);
  t.regex(ended.stdout, /^ {2}it is a result or is assigned to a variable, so it is stored$/m);
  t.regex(ended.stdout, /^kernel p \(nest\): 128 operations, reads 264 B, writes 256 B$/m);
  t.regex(ended.stdout, /^ {2}assembly, /m);
});

test("the hottest loop of a listing is the one with most vectors that jumps to itself", (t) => {
  const filler = Array.from({ length: 30 }, (_, i) => ` movl $${i}, %eax`);
  const text = [
    "k0_a:",
    ...filler,
    ".LBB0_1:",
    " vaddps %zmm1, %zmm2, %zmm3 # note",
    " jne .LBB0_1",
    " ret",
    ".LBB0_2:",
    " addl $1, %eax",
    " jne .LBB0_2",
    ".Lfunc_end0:",
  ].join("\n");
  const lines = assemblyFunctions(text).get("k0_a");
  t.deepEqual(hottest(lines ?? []), {
    lines: [".LBB0_1:", " vaddps %zmm1, %zmm2, %zmm3", " jne .LBB0_1"],
    what: "innermost loop",
    total: 38,
  });
  t.is(hottest(filler).what, "beginning");
  t.deepEqual([...assemblyFunctions(`\t.type data\ndata:\n .long 1\n${text}`).keys()], ["k0_a"]);
  const llvm = "define void @k0_a(i8* %0) {\nentry:\n  ret void\n}\ndefine void @other() {\n}";
  t.deepEqual(hottest(llvmFunctions(llvm).get("k0_a") ?? []).what, "whole");
});
