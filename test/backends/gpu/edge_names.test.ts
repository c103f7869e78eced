import test from "ava";
import { partsOf } from "../../../compiler/backends/gpu/compile.js";
import { transfersOf } from "../../../compiler/backends/gpu/transfers.js";
import { optimise, prepareComputation } from "../../../compiler/prepare.js";
import { compileText } from "../../runtime/programs.js";

/** What a signature sends, as `inspect` names it. */
async function sentBy(t: Parameters<typeof compileText>[0], text: string, name: string): Promise<readonly string[]> {
  const { graph } = await compileText(t, text, { target: "reference", onWarning: () => {} });
  const prepared = prepareComputation(graph, { kind: "signature", name });
  const computation = optimise(graph, prepared, new Map(), { followsPlaces: true });
  const { partition } = partsOf(computation, "cpu");
  return transfersOf(computation, partition).map(({ direction, name: edge, bytes }) => `${direction} ${edge} ${bytes}`);
}

test("what parts hand each other is called as the text calls it, also in scopes and calls", async (t) => {
  const text = `graph g {
  placeholder x: f32[4, 3]
  a = exp(x) on "gpu"
  scope middle on "cpu" {
    b = cumsum(a, axis=1)
    c = twice(b)
  }
  y = tanh(middle.c) + exp(middle.b) on "gpu"
  signature f(x) -> (y)
}
fn twice(v: f32[...]) -> (r: f32[...]) {
  r = 2.0 * v
}
`;
  t.deepEqual(await sentBy(t, text, "f"), ["up x 48", "down a 48", "up middle.c 48", "up middle.b 48", "down y 48"]);
});

test("what has no name in the text is called by what it is, and nothing by another's name", async (t) => {
  const text = `import { sgd } from "std/optimizers"
graph g {
  placeholder x: f32[4, 3]
  variable w: f32[3] = ones() on "gpu"
  h = x * w on "gpu"
  s = cumsum(h, axis=0)
  loss = sum(s * s)
  update learn = minimize(loss, sgd(learning_rate=0.1))
  signature fit(x) does learn -> (loss)
}
`;
  const sent = await sentBy(t, text, "fit");
  t.is(new Set(sent.map((one) => one.split(" ").slice(0, -1).join(" "))).size, sent.length);
  t.true(sent.includes("down h 48"), sent.join("\n"));
  t.true(sent.includes("up gradient through s 48"), sent.join("\n"));
  t.false(sent.some((one) => one.includes("edge ")));
});
