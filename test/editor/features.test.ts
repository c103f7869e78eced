import test from "ava";
import { AnsweredError, type Edit, edited, editorOn, type Range, textIn } from "./client.js";

const model = `import { dense } from "std/layers"
import { adam } from "std/optimizers"

## Doubles what it is given.
fn twice[T: float](
  ## what is doubled
  x: T[...],
  by: float = 2.0,
) -> (y: T[...]) {
  y = x * by
}

graph model {
  dim N <= 64
  ## Grey values.
  placeholder image: f32[N, 8]
  hidden = twice(image, by=3.0) |> dense(units=4)
  scope metrics {
    loss = mean(hidden ** 2)
  }
  update learn = minimize(metrics.loss, adam(learning_rate=1e-3))
  signature predict(image) -> (hidden)
  signature fit(image) does learn -> (metrics.loss)
  train { run = fit  steps = 3 }
}
`;

const fields = model.replace(
  "{ run = fit  steps = 3 }",
  '{ run = fit  data = { image = csv("t.csv", header=true) }  batch = 8  checkpoint = { every = 9, to = "c" } }',
);

interface Location {
  readonly uri: string;
  readonly range: Range;
}

test.serial("a model without problems: hover tells declaration, type and documentation", async (t) => {
  const editor = await editorOn(t);
  t.deepEqual(await editor.open("model.graph", model), []);
  const hover = async (mark: string): Promise<string> => {
    const found = await editor.ask<{ contents: { value: string } } | null>("hover", "model.graph", mark);
    return found?.contents.value ?? "";
  };
  t.is(await hover("predict(im|age)"), "```graph\nplaceholder image: f32[N, 8]\n```\n\nGrey values.");
  t.is(await hover("hid|den ="), "```graph\nhidden: f32[N, 4]\n```");
  t.is(await hover("metrics.lo|ss,"), "```graph\nloss: f32\n```");
  t.true((await hover("= twi|ce(")).startsWith("```graph\nfn twice[T: float]("));
  t.true((await hover("= twi|ce(")).endsWith("Gives here: `f32[N, 8]`\n\nDoubles what it is given."));
  t.true((await hover("den|se(units")).includes("fn dense["));
  t.true((await hover("den|se(units")).includes("Gives here: `f32[N, 4]`"));
  t.true((await hover("me|an(")).includes("fn mean["));
  t.true((await hover("b|y=3.0")).includes("by: float = 2.0"));
  t.is(await hover("|x: T"), "```graph\n(parameter) x: T[...]\n```\n\nwhat is doubled");
  t.is(await hover("f3|2[N, 8]"), "```graph\nf32\n```\n\nA float of 32 bits (IEEE 754).");
  t.is(await hover("dim |N"), "```graph\ndim N <= 64\n```");
  t.true((await hover("learning_ra|te=")).includes("learning_rate"));
  t.is(await hover("Gr|ey values"), "");
});

test.serial("hover explains the fields and readers of a train block", async (t) => {
  const editor = await editorOn(t);
  t.deepEqual(await editor.open("fields.graph", fields), []);
  const hover = async (mark: string): Promise<string> => {
    const found = await editor.ask<{ contents: { value: string } } | null>("hover", "fields.graph", mark);
    return found?.contents.value ?? "";
  };
  t.regex(await hover("ba|tch ="), /\(train\) batch: integer[\s\S]*rows of a step/);
  t.regex(await hover("{ eve|ry ="), /\(train\) checkpoint\.every: integer[\s\S]*checkpoint/);
  t.regex(await hover("= cs|v("), /csv\(path: string, [\s\S]*columns of a table/);
  t.regex(await hover("head|er="), /header: bool[\s\S]*first line/);
  t.regex(await hover("{ ima|ge ="), /placeholder image: f32\[N, 8\][\s\S]*Grey values/);
  t.regex(await hover("run = fi|t"), /signature fit/);
});

test.serial(
  "names in an `on` block are those of the block around, and hover says where they are computed",
  async (t) => {
    const editor = await editorOn(t);
    const text = 'graph g {\n  placeholder x: f32[4]\n  on "gpu" {\n    h = exp(x)\n  }\n  y = h + x\n}\n';
    t.deepEqual(await editor.open("on.graph", text), []);
    const found = await editor.ask<{ contents: { value: string } } | null>("hover", "on.graph", "y = |h");
    t.is(found?.contents.value, '```graph\nh: f32[4]\n```\n\nComputed on `"gpu"`.');
    const renamed = await editor.ask<Location | Location[] | null>("definition", "on.graph", "y = |h");
    t.is([renamed].flat()[0]?.range.start.line, 3);
  },
);

test.serial("go to definition leads to names, functions, parameters and into the standard library", async (t) => {
  const editor = await editorOn(t);
  await editor.open("model.graph", model);
  const definition = async (mark: string): Promise<string> => {
    const [found] = (await editor.ask<readonly Location[] | null>("definition", "model.graph", mark)) ?? [];
    if (found === undefined) return "none";
    return found.uri === editor.uri("model.graph")
      ? `${found.range.start.line + 1}:${textIn(model, found.range)}`
      : `${found.uri.split("/").slice(-2).join("/")}`;
  };
  t.is(await definition("does lea|rn"), "21:learn");
  t.is(await definition("predict(im|age)"), "16:image");
  t.is(await definition("run = f|it"), "23:fit");
  t.is(await definition("(met|rics.loss)"), "18:metrics");
  t.is(await definition("(metrics.lo|ss)"), "19:loss");
  t.is(await definition("x * b|y"), "8:by");
  t.is(await definition("b|y=3.0"), "8:by");
  t.is(await definition("y: T|["), "5:T");
  t.is(await definition("[|N, 8]"), "14:N");
  t.is(await definition("den|se(units"), "std/layers.graph");
  t.is(await definition("unit|s=4"), "std/layers.graph");
  t.is(await definition("me|an("), "std/math.graph");
  t.is(await definition("import { den|se"), "std/layers.graph");
  t.is(await definition('"std/lay|ers"'), "std/layers.graph");
});

test.serial("go to definition on an import's path opens the file", async (t) => {
  const editor = await editorOn(t, { "parts/lib.graph": "fn mine(x) -> (y) {\n  y = x\n}\n" });
  await editor.open("b.graph", 'import { mine } from "parts/lib.graph"\nimport { a } from "parts/none"\n');
  const definition = (mark: string) => editor.ask<readonly Location[] | null>("definition", "b.graph", mark);
  t.deepEqual((await definition('"par|ts/lib')) ?? [], [
    {
      uri: editor.uri("parts/lib.graph"),
      range: { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } },
    },
  ]);
  t.is(await definition('"parts/no|ne'), null);
});

test.serial("references and rename of a name are all its places and no others", async (t) => {
  const editor = await editorOn(t);
  await editor.open("model.graph", model);
  const lines = async (mark: string): Promise<readonly string[]> => {
    const found = await editor.ask<readonly Location[]>("references", "model.graph", mark, {
      context: { includeDeclaration: true },
    });
    return found.map(({ range }) => `${range.start.line + 1}:${range.start.character + 1}`);
  };
  t.deepEqual(await lines("hid|den ="), ["17:3", "19:17", "22:32"]);
  t.deepEqual(await lines("lo|ss = mean"), ["19:5", "21:35", "23:47"]);
  t.deepEqual(await lines("(im|age) ->"), ["16:15", "17:18", "22:21", "23:17"]);
  t.deepEqual(await lines("fn tw|ice"), ["5:4", "17:12"]);
  t.deepEqual(await lines("b|y: float"), ["8:3", "10:11", "17:25"]);
  const renamed = await editor.ask<{ changes: Record<string, readonly Edit[]> }>(
    "rename",
    "model.graph",
    "|by: float",
    {
      newName: "factor",
    },
  );
  const text = edited(model, renamed.changes[editor.uri("model.graph")] ?? []);
  t.is(
    text,
    model.replace("by: float", "factor: float").replace("x * by", "x * factor").replace("by=3.0", "factor=3.0"),
  );
});

test.serial(
  "a rename that would clash, change a meaning or touch what is not the user's is refused with a reason",
  async (t) => {
    const editor = await editorOn(t);
    await editor.open("model.graph", model);
    const refused = async (mark: string, newName: string, reason: RegExp): Promise<void> => {
      const error = await t.throwsAsync(editor.ask("rename", "model.graph", mark, { newName }), {
        instanceOf: AnsweredError,
      });
      t.regex(error?.message ?? "", reason);
    };
    await refused("hid|den =", "image", /^`image` is bound already, in line 16$/);
    await refused("hid|den =", "3d", /no name/);
    await refused("hid|den =", "while", /no name/);
    await refused("hid|den =", "a.b", /no name/);
    await refused("me|an(", "average", /standard library/);
    await refused("den|se(units", "layer", /standard library/);
    const broken = "graph g {\n  x = 1.0\n  y = exp(x)\n  z = (exp(y\n}\n";
    await editor.open("broken.graph", broken);
    const told = async (mark: string, newName: string): Promise<string> => {
      const answer = editor.ask("rename", "broken.graph", mark, { newName });
      return (await t.throwsAsync(answer, { instanceOf: AnsweredError }))?.message ?? "";
    };
    t.is(await told("|y = exp", "x"), "`x` is bound already, in line 2");
    t.is(await told("|x = 1.0", "y"), "`y` is bound already, in line 3");
  },
);
