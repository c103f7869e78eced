import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { foreignNames } from "../../dsl/elaborate/foreign.js";
import { compile, GraphError } from "../../index.js";
import { temporaryFolder } from "../runtime/programs.js";

test("what stands in the place of another library's name is a function that the manual has", (t) => {
  const manual = readFileSync("docs/std.md", "utf8");
  const known = new Set([...manual.matchAll(/^### (\w+)$/gm)].map(([, name]) => name));
  for (const [name, ours] of foreignNames) {
    t.false(known.has(name), name);
    for (const [, called] of ours.matchAll(/\b(\w+)\(/g)) t.true(known.has(called), `${name}: ${called}`);
  }
});

test("names, methods and parameters of other libraries are answered with those of this one", async (t) => {
  const path = join(temporaryFolder(t), "model.graph");
  const hintOf = async (expression: string): Promise<string | undefined> => {
    writeFileSync(path, `graph g {\n  placeholder x: f32[2, 4]\n  y = ${expression}\n}\n`);
    const error = await t.throwsAsync(() => compile(path), { instanceOf: GraphError });
    return error instanceof GraphError ? error.diagnostics[0]?.hint : undefined;
  };
  t.is(await hintOf("True"), "write `true`");
  t.regex((await hintOf("cross_entropy(x, x)")) ?? "", /^write `sparse_softmax_cross_entropy/);
  t.regex((await hintOf("torch.relu(x)")) ?? "", /bare names/);
  t.is(await hintOf("x.relu()"), "tensors have no methods: `relu(x)`, or `x |> relu()`");
  t.is(await hintOf("x.T"), "tensors have no methods: write `transpose(x)`");
  t.is(await hintOf("x.nothing"), "`.` enters a scope");
  t.is(await hintOf("softmax(x, dim=1)"), "here it is called `axis`");
  t.is(await hintOf("cast(x, to=float64)"), "write `f64`");
});
