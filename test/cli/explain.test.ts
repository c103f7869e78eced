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

const trained = `import { adam } from "std/optimizers"

graph trained {
  placeholder x: f32[32, 20]
  placeholder wanted: f32[32, 5]
  constant shift = [0.5, 1.5, 2.5, 3.5, 4.5]
  ## What is learnt.
  variable w: f32[20, 5] = uniform(low=-1, high=1)
  variable seen: i64 = 0
  y = tanh(x @ w) * 0.25 + shift
  loss = mean((y - wanted) ** 2)
  update learn = minimize(loss, adam())
  update count {
    seen := seen + 1
  }
  signature predict(x) -> (y)
  signature fit(x, wanted) does learn, count -> (loss)
}
`;

async function explainedTrained(name: string, ...flags: readonly string[]) {
  const cwd = folderWith({ "trained.graph": trained });
  return graphcHere(["explain", "trained.graph", name, ...flags], { cwd });
}

const usesOf = (json: unknown): readonly unknown[] =>
  (at(json, "uses") as readonly unknown[]).map((use) => [at(use, "reads"), at(use, "writes"), at(use, "roles")]);

native(
  "a variable has its memory, its first value, and the kernels that read and write it, with their code",
  async (t) => {
    const json = onlyObject(await explainedTrained("w", "--measure", "--json"));
    t.is(at(json, "kind"), "variable");
    t.deepEqual(at(json, "memory"), { kind: "variable", bytes: 20 * 5 * 4, device: "cpu", trained: true });
    t.is(at(json, "initial", "places", 0, "line"), 8);
    t.is(at(json, "signature"), "fit");
    t.deepEqual(usesOf(json), [
      [true, true, ["update"]],
      [true, false, ["forward"]],
    ]);
    t.deepEqual(at(json, "kernels", 0, "name"), at(json, "uses", 0, "kernel"));
    t.true(Number(at(json, "kernels", 0, "seconds")) > 0);
    t.regex(String(at(json, "kernels", 0, "llvm")), /load/);
    t.regex(String(at(json, "kernels", 0, "assembly")), /[xyz]mm\d/);
    t.deepEqual(
      (at(json, "assigned") as readonly unknown[]).map((one) => [at(one, "variable"), at(one, "op")]),
      [["w", "sub"]],
    );

    const text = (await explainedTrained("w")).stdout;
    t.regex(
      text,
      /^w: f32\[20, 5\], a variable that the update learn trains\n {2}trained\.graph:8 {2}variable w: .*\n {2}What is learnt\.$/m,
    );
    const writer = /^ {2}read and written by (\w+) \(update\)$/m.exec(text)?.[1];
    const reader = /^ {2}read by (\w+) \(forward\)$/m.exec(text)?.[1] ?? "";
    t.true(text.includes(`kernel ${writer} (`) && !text.includes(`kernel ${reader} (`));
    t.true(text.includes(`others: ${reader}\n  --kernel ${reader} shows`));
    const other = (await explainedTrained("w", "--kernel", reader)).stdout;
    t.true(other.includes(`kernel ${reader} (`) && !other.includes(`kernel ${writer} (`));
    t.deepEqual(codesOf(await explainedTrained("w", "--kernel", "nope", "--json")), ["G083"]);

    const slot = onlyObject(await explainedTrained("learn/adam/w/m", "--json"));
    t.deepEqual(at(slot, "memory", "trained"), false);
    t.is(at(slot, "initial", "value"), "0");
    t.deepEqual(usesOf(slot), [[true, true, ["update"]]]);
    // What predict alone does not write.
    const predicted = onlyObject(await explainedTrained("w", "--signature", "predict", "--json"));
    t.deepEqual(usesOf(predicted), [[true, false, ["forward"]]]);
    t.deepEqual(at(predicted, "assigned"), []);
  },
);

native("a feed and constants have the kernels that read them", async (t) => {
  const feed = onlyObject(await explainedTrained("wanted", "--json"));
  t.is(at(feed, "kind"), "placeholder");
  t.is(at(feed, "memory", "bytes"), 32 * 5 * 4);
  t.true(usesOf(feed).length > 0);
  t.regex(String(at(feed, "kernels", 0, "text")), /^(nest|contract) /);
  const table = onlyObject(await explainedTrained("shift", "--json"));
  t.is(at(table, "kind"), "constant");
  t.is(at(table, "memory", "bytes"), 5 * 4);
  t.true(usesOf(table).length > 0);
});

native("an update, what it gives a variable, and lines are explained", async (t) => {
  for (const name of ["learn", "update learn", "trained.graph:12", ":12"]) {
    const json = onlyObject(await explainedTrained(name, "--json"));
    t.is(at(json, "kind"), "update", name);
    t.deepEqual(
      (at(json, "assigned") as readonly unknown[]).map((one) => at(one, "variable")),
      ["learn/adam/w/t", "learn/adam/w/m", "learn/adam/w/v", "w"],
    );
    t.deepEqual(at(json, "places", 0), {
      file: "trained.graph",
      line: 12,
      text: "update learn = minimize(loss, adam())",
    });
  }
  for (const name of ["seen :=", "seen:=", ":14"]) {
    const json = onlyObject(await explainedTrained(name, "--json"));
    t.is(at(json, "kind"), "assignment", name);
    t.deepEqual(at(json, "places", 0), { file: "trained.graph", line: 14, text: "seen := seen + 1" });
    t.is(at(json, "edge", "op"), "add");
    t.is(at(json, "edge", "reason"), "result");
    t.deepEqual(at(json, "assigned", 0, "kernels", 0), at(json, "kernels", 0, "name"));
  }
  const weight = await explainedTrained("w :=");
  t.regex(weight.stdout, /^w := f32\[20, 5\], made by sub\n {2}trained\.graph:12 {2}update learn = /);
  t.regex(weight.stdout, /^ {2}<std>\/optimizers\.graph:\d+ {2}p := p - /m);
  t.regex(weight.stdout, /^In fit it is sub: f32\[20, 5\], 400 B, stored into the variable$/m);
  const line = await explainedTrained("trained.graph:10", "--json");
  t.is(at(onlyObject(line), "name"), "y");
  t.deepEqual(codesOf(await explainedTrained(":99", "--json")), ["G083"]);
  t.deepEqual(codesOf(await explainedTrained("x :=", "--json")), ["G083"]);
  t.deepEqual(codesOf(await explainedTrained("learn", "--signature", "predict", "--json")), ["G083"]);
});

const looping = `graph looping {
  placeholder xs: f32[5, 3]
  placeholder want: f32[3]
  variable w: f32[3] = ones()
  h, all = scan x in xs with h = zeros([3]) {
    next h = tanh(x * w + h)
    yield cast(round(h), to=i64)
  }
  loss = sum((h - want) ** 2)
  r = if loss > 1 { yield loss } else { yield loss * 2 }
  n, halved = while n < 9 with n = 0, halved = loss {
    next n = n + 1
    next halved = halved / 2
  }
  update learn { w := w - 0.1 * gradients(loss, [w]) }
  signature fit(xs, want) does learn -> (loss)
  signature predict(xs, want) -> (h, all, r, n, halved)
}
`;

async function explainedLoop(name: string, ...flags: readonly string[]) {
  const cwd = folderWith({ "looping.graph": looping });
  return graphcHere(["explain", "looping.graph", name, ...flags], { cwd });
}

native("what a loop makes has the loop's kernels, also where its gradient keeps more of each round", async (t) => {
  // Of three numbers x * w + h, and where `all` is needed, they are rounded.
  for (const [signature, operations] of [
    ["fit", 6],
    ["predict", 9],
  ] as const) {
    const json = onlyObject(await explainedLoop("h", "--signature", signature, "--json"));
    t.is(at(json, "edge", "op"), "scan");
    t.is(at(json, "edge", "type"), "f32[3]");
    t.is(at(json, "edge", "loop", "rounds"), 5);
    const number = String(at(json, "edge", "loop", "number"));
    t.is(at(json, "edge", "loop", "kernels", 0, "number"), `${number}.1`);
    t.is(at(json, "kernels", 0, "operations"), operations);
    t.is(at(json, "kernels", 0, "transcendentals"), 3);
    t.regex(String(at(json, "kernels", 0, "llvm")), /fmul|fadd|fma/);
  }
  const gradients = (at(onlyObject(await explainedLoop("h", "--json")), "edge", "gradient_values") ?? 0) as number;
  t.true(gradients > 0);
});

native("each result of a loop or branch is the one that is asked for", async (t) => {
  const typeOf = async (name: string): Promise<unknown> =>
    at(onlyObject(await explainedLoop(name, "--signature", "predict", "--json")), "edge", "type");
  t.is(await typeOf("h"), "f32[3]");
  t.is(await typeOf("all"), "i64[5, 3]");
  t.is(await typeOf("n"), "i64");
  t.is(await typeOf("halved"), "f32");
  const text = (await explainedLoop("r")).stdout;
  const [, number] = /^ {2}it is made by r, #(\d+) \(a branch\), around$/m.exec(text) ?? [];
  t.regex(text, new RegExp(`^ {4}\\w+, #${number}\\.2 \\(nest\\): 1 operation, `, "m"));
  t.is([...text.matchAll(/^kernel \w+ \(nest\)/gm)].length, 2);
});

native("a line in the body of a loop is explained by what it makes there", async (t) => {
  const inScan = await explainedLoop(":6");
  t.regex(inScan.stdout, /^:6: f32\[3\], made by tanh\n {2}looping\.graph:6 {2}next h = /);
  t.regex(inScan.stdout, /^In fit it is tanh: f32\[3\], 12 B$/m);
  t.regex(inScan.stdout, /^ {2}computed in \w+, #\d+ \(a loop of 5 rounds\), around$/m);
  const inWhile = onlyObject(await explainedLoop(":13", "--json"));
  t.is(at(inWhile, "op"), "div");
  t.is(at(inWhile, "edge", "loop", "kind"), "while");
  t.is(at(inWhile, "edge", "loop", "makes"), false);
  t.is(
    at(onlyObject(await explainedLoop(":13", "--signature", "fit", "--json")), "diagnostics", 0, "hint"),
    "without --signature one is chosen that does",
  );
});

test.serial("on the gpu a variable says where it lies, and its kernels have their gpu.js source", async (t) => {
  const json = onlyObject(await explainedTrained("w", "--target", "gpu", "--json"));
  t.is(at(json, "memory", "device"), "gpu");
  t.is(at(json, "uses", 0, "writes"), true);
  t.regex(String(at(json, "kernels", 0, "gpu")), /this\.thread\.x/);
  const given = onlyObject(await explainedTrained("w :=", "--target", "gpu", "--json"));
  t.is(at(given, "edge", "op"), "sub");
  t.is(at(given, "edge", "reason"), "result");
  const update = await explainedTrained("learn", "--target", "gpu");
  t.regex(update.stdout, /^kernel w_update \(\w+ on the gpu\): /m);
  const named = await explainedTrained("learn", "--target", "gpu", "--device", "webasm");
  t.regex(named.stdout, /^kernel w_update \(\w+ on the gpu \(webasm\)\): /m);
  const measured = await explainedTrained("learn", "--target", "gpu", "--device", "webasm", "--measure");
  t.is(measured.code, 2);
  t.regex(measured.stderr, /`train --target gpu --device webasm --profile OUT\.json`/);
  const alone = await explainedTrained("learn", "--device", "webasm");
  t.is(alone.code, 2);
  t.regex(alone.stderr, /--device goes with --target gpu/);
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
  t.regex(ended.stdout, /^ {2}it is the result p, so it is stored$/m);
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
