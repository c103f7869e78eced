import test, { type ExecutionContext } from "ava";
import fc from "fast-check";
import { placedText } from "../backends/gpu/placed.js";
import { compiled, untruths } from "./flow.js";
import { counter, graphOf, network } from "./support.js";

const loops = (on: string, other: string): string => `graph loops {
  placeholder xs: f32[5, 4]
  placeholder flag: bool
  placeholder at: i32[3]
  variable w: f32[4, 4] = random_normal([4, 4]) * 0.5
  variable table: f32[9, 4] = ones([9, 4])
  variable count: i64 = 0
  last, all = scan x in xs with h = zeros([4]) {
    next h = tanh(h @ w + x)
    yield h * 2
  }${on}
  halved, turns = while max(abs(v)) > 0.1 and i < 9 with v = last, i = 0 {
    next v = v * 0.5
    next i = i + 1
  }${other}
  out = if flag { yield halved @ w } else { yield last - halved }${on}
  rows = gather(table, at)${on}
  noisy = out + random_normal([4])
  swapped, kept = scan x in xs with a = last, b = noisy {
    next a = b
    next b = a + x
  }
  loss = mean((sum(all, axis=0) - noisy) ** 2) + mean(rows ** 2) + mean(swapped * kept)
  update tick {
    count := count + turns
    w := w - 0.1 * gradients(loss, [w])
  }
  update learn {
    table := table - 0.1 * gradients(loss, [table])
  }
  signature run(xs, flag, at) does tick, learn -> (loss, all, out, count)
  signature look(xs, flag) -> (out, halved)
}
`;

const copies = `graph copies {
  placeholder x: f32[3, 3]
  variable a: f32[3, 3] = ones([3, 3])
  variable b: f32[3, 3] = zeros([3, 3])
  constant table = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
  same = x
  y = inverse(x @ transpose(table) @ table + 3 * a) on "cpu"
  update swap {
    a := b
    b := a + y * 0
  }
  signature step(x) does swap -> (same, a, y)
  signature old() -> (a, b)
}
`;

/** Variables that a run fetches: one that it only reads on the device, and the old value of one that it assigns there. */
const fetching = `graph fetching {
  placeholder x: f32[3, 3]
  variable w: f32[3, 3] = ones([3, 3])
  variable a: f32[2] = ones([2])
  variable b: f32[2] = zeros([2])
  y = x @ w on "gpu"
  update swap {
    a := b
    b := a + 1 on "gpu"
  }
  signature predict(x) -> (y, w)
  signature peek() -> (w)
  signature step() does swap -> (a, b)
}
`;

/** Large enough that the weights are put in order before the loop. */
const recurrent = `graph recurrent {
  placeholder xs: f32[2, 1024, 128]
  variable w: f32[128, 128] = zeros([128, 128])
  last = scan x in xs with s = xs[0] {
    next s = tanh(s @ w + x)
  }
  signature run(xs) -> (last)
}
`;

function isTrue(t: ExecutionContext, text: string, ...unplaced: readonly ("cpu" | "gpu" | undefined)[]): void {
  for (const where of unplaced)
    for (const one of compiled(graphOf(text), where)) t.deepEqual(untruths(one), [], `${where}`);
}

test("a picture of kernels has the edges of what they read and write, and no others", (t) => {
  isTrue(t, network, undefined, "gpu");
  isTrue(t, counter, undefined, "gpu");
  isTrue(t, copies, undefined, "cpu", "gpu");
});

test("the same of loops and branches, on one side and on both", (t) => {
  isTrue(t, loops("", ""), undefined, "gpu");
  isTrue(t, recurrent, undefined);
  t.true(compiled(graphOf(recurrent), undefined)[0]?.view.groups.some(({ name }) => name.endsWith("_panel")));
  isTrue(t, loops(' on "gpu"', ' on "cpu"'), "cpu");
  isTrue(t, loops(' on "cpu"', ' on "gpu"'), "gpu");
});

test("a variable that is fetched comes down where runs leave it on the device, and stands outside where none does", (t) => {
  isTrue(t, fetching, "cpu", "gpu");
  const sent = compiled(graphOf(fetching), "cpu").map(({ view }) =>
    view.nodes.flatMap(({ kind, name, text }) => (kind === "transfer" ? [`${name} ${text}`] : [])),
  );
  t.deepEqual(sent, [["x up, 36 bytes", "y down, 36 bytes"], [], ["a down, 8 bytes", "b down, 8 bytes"]]);
});

test("the same of random graphs that learn on both sides", (t) => {
  const property = fc.property(placedText, fc.constantFrom("cpu" as const, "gpu" as const), (text, unplaced) => {
    const found = compiled(graphOf(text), unplaced).flatMap(untruths);
    if (found.length > 0) throw new Error(found.join("\n"));
  });
  fc.assert(property, { numRuns: 5, seed: 5 });
  t.pass();
});
