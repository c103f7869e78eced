import test from "ava";
import { probe } from "../../compiler/backends/llvm/availability.js";
import { at, codesOf, folderWith, graphcHere, onlyObject } from "./support.js";

const native = probe().available ? test.serial : test.serial.skip;

/** What explain says of a name of a graph, as text and as JSON. */
async function toldOf(text: string, name: string, ...flags: readonly string[]) {
  const cwd = folderWith({ "told.graph": text });
  const told = await graphcHere(["explain", "told.graph", name, ...flags], { cwd });
  return { ...told, json: onlyObject(await graphcHere(["explain", "told.graph", name, ...flags, "--json"], { cwd })) };
}

const fused = `graph told {
  placeholder x: f32[64, 100]
  placeholder y: f32[64, 10]
  variable w: f32[100, 10] = 0.5
  variable u: f32[10] = zeros()
  variable unused: f32[7] = 1
  h = x @ w
  z = exp(h) + u
  q = z * z
  s = sum(q, axis=0)
  loss = mean((q - s - y) ** 2)
  folded = 2 * 3 + 4
  made = [[1.0, 2.0], [3.0, 4.0]] @ ones([2, 2])
  update decay { w := w * 0.9 }
  update learn { u := u - 0.1 * gradients(loss, [u]) }
  signature f(x, y) does decay, learn -> (loss)
  signature g(x) -> (q, folded, made)
}
`;

native("what stays in registers or in an accumulator is never stored", async (t) => {
  const h = await toldOf(fused, "h", "--signature", "g");
  t.regex(h.stdout, /^In g it is dot_general: f32\[64, 10\], 2\.6 kB, never stored$/m);
  t.is(at(h.json, "edge", "stored"), false);
  t.is(at(h.json, "edge", "kept"), "nowhere");
  // All that its kernel writes is q.
  t.is([...String(at(h.json, "kernels", 0, "text")).matchAll(/^ *b\d+\[.*\] = /gm)].length, 1);
  // Buffers have the names and shapes of the text, and not those of the kernels.
  t.regex(
    h.stdout,
    /^ {2}where b\d+ x f32\[64, 100\], b\d+ w f32\[100, 10\], b\d+ u f32\[10\], b\d+ q f32\[64, 10\]$/m,
  );
  const s = await toldOf(fused, "s");
  t.is(at(s.json, "edge", "stored"), false);
  t.regex(s.stdout, /^ {2}never stored: all that reads it has it in registers$/m);
  const q = await toldOf(fused, "q", "--signature", "g");
  t.is(at(q.json, "edge", "stored"), true);
  t.deepEqual(at(q.json, "edge", "wanted"), ["result"]);
});

native("a variable is trained where an update takes a gradient by it, and else assigned or left alone", async (t) => {
  for (const [name, words, isTrained] of [
    ["w", "a variable that the update decay assigns", false],
    ["u", "a variable that the update learn trains", true],
    ["unused", "a variable that nothing assigns", false],
  ] as const) {
    const told = await toldOf(fused, name);
    t.is(told.stdout.split("\n")[0]?.replace(/^.*\], /, ""), words);
    t.is(at(told.json, "memory", "trained"), isTrained);
  }
});

native("a number that is a result has its kernel, and what the compiler works out says so", async (t) => {
  const folded = await toldOf(fused, "folded");
  t.regex(folded.stdout, /^ {2}it is the result folded, so it is stored$/m);
  t.regex(folded.stdout, /^ {4}b\d+\[0\] = 10$/m);
  const made = await toldOf(fused, "made");
  t.regex(
    made.stdout,
    /^In g the compiler has worked it out: it lies among the constants of the program: f32\[2, 2\]/m,
  );
});

const looping = `graph looping {
  placeholder xs: f32[20, 8]
  placeholder big: f32[64, 64]
  variable u: f32[8, 8] = glorot_uniform()
  a1, ys = scan x in xs with a = zeros([8]) {
    t = tanh(x + a @ u)
    v = t * 0.5
    next a = v
    yield t * v
  }
  p, k = while i < 10 with acc = big, i = 0 {
    next acc = acc @ big / 2
    next i = i + 1
  }
  loss = sum(ys ** 2) + sum(a1)
  update learn { u := u - 0.1 * gradients(loss, [u]) }
  signature f(xs) does learn -> (loss)
  signature g(big) -> (p, k)
}
`;

native("a name in the body of a loop is explained, and so is what `next` hands on", async (t) => {
  const t1 = await toldOf(looping, "t");
  t.is(at(t1.json, "op"), "tanh");
  t.is(at(t1.json, "places", 0, "line"), 6);
  t.deepEqual(at(t1.json, "edge", "wanted"), ["stacked"]);
  t.regex(t1.stdout, /^ {2}it is kept of each round for the gradient, so it is stored$/m);
  const handed = await toldOf(looping, ":8");
  t.is(at(handed.json, "op"), "mul");
  t.is(at(handed.json, "places", 0, "line"), 7);
  t.regex(handed.stdout, /^ {2}it is the next a of the loop, so it is stored$/m);
  const cwd = folderWith({ "looping.graph": looping });
  t.deepEqual(codesOf(await graphcHere(["explain", "looping.graph", "tt", "--json"], { cwd })), ["G083"]);
});

native("of a loop's result the kernel that computes it is shown, not the one that copies it", async (t) => {
  const p = await toldOf(looping, "p");
  t.true(Number(at(p.json, "kernels", 0, "operations")) >= 2 * 64 ** 3);
  t.regex(p.stdout, /^kernel \w+ \(contract\)/m);
  t.notRegex(p.stdout, /^kernel \w+_copy /m);
  t.regex(p.stdout, /^others: .*carry_0_copy/m);
  t.is(at((await toldOf(looping, "k")).json, "kernels", 0, "operations"), 0);
});

native(
  "what a loop in a loop hands on has the text's name, also where passes have made its parameters anew",
  async (t) => {
    const nested = `graph nested {
  placeholder values: f64[5]
  roots = scan a in values {
    x, steps = while abs(x * x - a) > 1e-9 and i < 50 with x = a, i = 0 {
      next x = (x + a / x) / 2
      next i = i + 1
    }
    yield x
  }
  signature f(values) -> (roots)
}
`;
    const told = await toldOf(nested, ":5");
    t.regex(told.stdout, /^ {2}it is the next x of the loop, so it is stored$/m);
  },
);

const sided = `graph sided {
  placeholder x: f32[6, 4]
  sent = tanh(x) * 2 on "cpu"
  back = exp(sent) on "gpu"
  signature f(x) -> (back)
}
`;

test.serial(
  "of what is sent to the other side that is the reason, and what is evaluated op by op has no kernels",
  async (t) => {
    const sent = await toldOf(sided, "sent", "--device", "cpu");
    t.deepEqual(at(sent.json, "edge", "wanted"), ["sent"]);
    t.is(at(sent.json, "edge", "reason"), "evaluated");
    t.is(at(sent.json, "edge", "fused"), null);
    t.regex(sent.stdout, /^ {2}it is sent to the gpu, so it is stored$/m);
    t.notRegex(sent.stdout, /registers/);
    t.deepEqual(at((await toldOf(sided, "back", "--device", "cpu")).json, "edge", "wanted"), ["result"]);
  },
);
