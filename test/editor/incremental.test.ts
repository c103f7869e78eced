import test, { type ExecutionContext } from "ava";
import fc from "fast-check";
import { longFiles } from "../../bench/long_files.js";
import { nothingWritten, type Step } from "../../dsl/elaborate/changes.js";
import { Facts } from "../../dsl/elaborate/facts.js";
import { StepMap } from "../../dsl/elaborate/step_map.js";
import { loadGraphFromText } from "../../dsl/load.js";
import { parse } from "../../dsl/parse.js";
import { type Analysis, sourceOf } from "../../editor/server/analysis.js";
import { meaningTexts } from "../../editor/server/describe.js";
import { inlayHints } from "../../editor/server/inlay_hints.js";
import { outlineOf } from "../../editor/server/outline.js";
import { semanticTokens } from "../../editor/server/semantic_tokens.js";
import { Workspace } from "../../editor/server/workspace.js";
import { randomProgram } from "../fuzz/programs.js";
import { edit, edited, editedLines, lineEdit, model } from "./edits.js";

const file = "/nowhere/a.graph";

/** All that an editor shows of an analysis. */
function shown(analysis: Analysis): unknown {
  const { source, loaded, facts } = analysis;
  const names = (kind: "namesIn" | "resultsIn") =>
    [...facts[kind](file)]
      .sort(([a], [b]) => a - b)
      .map(([start, fact]) => ({
        start,
        span: fact.span,
        origin: fact.origin,
        texts: meaningTexts(fact),
        standIn: fact.standIn,
      }));
  return {
    tree: source.parsed.ast,
    diagnostics: loaded.diagnostics,
    names: names("namesIn"),
    results: names("resultsIn"),
    colours: semanticTokens(analysis).data,
    hints: inlayHints(analysis, 0, source.text.length),
    outline: outlineOf(source),
  };
}

/** The same of a text that was never seen before. */
function anew(text: string): Analysis {
  const facts = new Facts();
  const source = sourceOf(file, text, parse(text, file));
  return {
    source,
    loaded: loadGraphFromText(text, file, { facts, unused: true }),
    facts,
    asked: new Set(),
    milliseconds: 0,
  };
}

test("after random edits, each undone some time later, all is as it is for a text that was never seen", (t) => {
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      const texts = [model];
      for (const one of edits) texts.push(edited(texts.at(-1) ?? "", one));
      holdsAnew(t, [...texts, ...[...texts].reverse().slice(1)]);
    }),
    { numRuns: Number(process.env["GRAPHC_RUNS"] ?? 6) },
  );
  t.pass();
});

/** Shows texts one after another, as an editor has them, each held to what is shown of it where it is the first. */
function holdsAnew(t: ExecutionContext, texts: readonly string[]): void {
  const workspace = new Workspace();
  for (const text of texts) {
    workspace.setText(file, text);
    const analysis = workspace.analysis(file);
    if (analysis === undefined) throw new Error("no analysis");
    const [now, wanted] = [plain(shown(analysis)), plain(shown(anew(text)))];
    if (JSON.stringify(now) !== JSON.stringify(wanted)) t.deepEqual(now, wanted, text);
  }
}

test("so it is for random programs whose lines go, come, change places and break", (t) => {
  const program = fc.array(fc.nat(), { minLength: 40, maxLength: 200 });
  fc.assert(
    fc.property(program, fc.array(lineEdit, { minLength: 2, maxLength: 5 }), (numbers, edits) => {
      const texts = [randomProgram(numbers)];
      for (const one of edits) texts.push(editedLines(texts.at(-1) ?? "", one));
      holdsAnew(t, [...texts, ...[...texts].reverse().slice(1)]);
    }),
    { numRuns: Number(process.env["GRAPHC_RUNS"] ?? 3) },
  );
  const trained = longFiles(60).find(({ name }) => name === "trained")?.text ?? "";
  fc.assert(
    fc.property(fc.array(lineEdit, { minLength: 2, maxLength: 5 }), (edits) => {
      const texts = [trained];
      for (const one of edits) texts.push(editedLines(texts.at(-1) ?? "", one));
      holdsAnew(t, [...texts, ...[...texts].reverse().slice(1)]);
    }),
    { numRuns: Number(process.env["GRAPHC_RUNS"] ?? 3) },
  );
  t.pass();
});

/** What a text becomes by a change of one place, and how much of it is elaborated for that. */
function afterChange(t: ExecutionContext, text: string, old: string, next: string): number {
  const workspace = new Workspace();
  workspace.setText(file, text);
  workspace.analysis(file);
  const changed = text.replace(old, next);
  t.true(changed !== text, `${old} is not in the text`);
  workspace.setText(file, changed);
  const analysis = workspace.analysis(file);
  t.deepEqual(analysis?.loaded.diagnostics, loadGraphFromText(changed, file, { unused: true }).diagnostics);
  return workspace.countsOf(file)?.elaborated ?? Number.NaN;
}

test("what a change cannot reach is not elaborated again, in long files", (t) => {
  const texts = new Map(longFiles(240).map(({ name, text }) => [name, text]));
  const [layers, flat, trained, library] = ["layers", "flat", "trained", "library"].map((one) => texts.get(one) ?? "");
  // A binding in each mode; the type is as it was, and all that follows rests on that alone.
  t.is(afterChange(t, flat, "v104 = tanh(", "v104 = relu("), 2);
  t.is(afterChange(t, trained, "loss = mean(sparse", "loss = 2.0 * mean(sparse"), 2);
  // A comment says nothing, and a statement more is itself alone.
  t.is(afterChange(t, flat, "# The values", "# These are the values"), 0);
  t.is(afterChange(t, layers, "  h10 =", "  extra = tanh(h9)\n  h10 ="), 2);
  // The one call of a fn; where it has none, it is checked by itself.
  t.is(afterChange(t, layers, "y = x + opened * back", "y = x - opened * back"), 2);
  t.is(afterChange(t, library, "root = sqrt(total + 1e-6)", "root = sqrt(total + 1e-7)"), 1);
  // What it makes is of another type: all that rests on that is elaborated.
  t.true(afterChange(t, flat, "x: f32[N, 16]", "x: f64[N, 16]") > 100);
});

test("a line of a deep net costs itself, and opening it costs the same for each of its lines", (t) => {
  const opened = (text: string): number => {
    const workspace = new Workspace();
    workspace.setText(file, text);
    workspace.analysis(file);
    return workspace.countsOf(file)?.elaborated ?? Number.NaN;
  };
  // A layer is elaborated in both modes, and each of its variables has one step of the optimizer, in training mode.
  for (const [name, variables] of [
    ["normalised", 4],
    ["residual", 2],
  ] as const) {
    const [short, long] = [60, 110].map((lines) => longFiles(lines).find((one) => one.name === name)?.text ?? "");
    t.is(opened(long ?? "") - opened(short ?? ""), 50 * (2 + variables), name);
    const line = / {2}h45 = .*/.exec(long ?? "")?.[0] ?? "";
    t.is(afterChange(t, long ?? "", line, `${line} * 2.0`.replace("|> relu() * 2.0", "|> tanh()")), 2, name);
  }
});

test("what an optimizer's steps own is found where somebody looks for it, in both modes", (t) => {
  const text = (training: string, output: string, rate: string): string => `import { adam } from "std/optimizers"

graph g {
  placeholder x: f32[3]
  variable w: f32[3] = ones()
  variable v: f32[3] = ones()
  y = x * w
  loss = sum(y * v)
  update learn = minimize(loss, adam(learning_rate=${rate}))
  signature fit(x) does learn${training} -> (${output})
}
`;
  const outputs = ["loss", "learn/adam/w/m", "learn/adam/v/step_size", "learn/adam/u/m"];
  const texts = [" training=false", ""].flatMap((training) =>
    ["0.1", '"0.1"'].flatMap((rate) => outputs.map((output) => text(training, output, rate))),
  );
  holdsAnew(t, [...texts, ...[...texts].reverse()]);
  const problems = texts.map((one) => anew(one).loaded.diagnostics.length);
  t.deepEqual(
    problems.slice(0, 4).map((many) => many > 0),
    [false, false, true, true],
  );
});

test("a bound or a requirement that no size can meet any more is found behind statements that stay", (t) => {
  const text = `graph g {
  dim N <= 8
  require N < 9, "few"
  placeholder x: f32[N]
  y = x[:4]
  z = zeros([N - 3])
}
`;
  afterChange(t, text, "N <= 8", "N <= 3");
  afterChange(t, text, "N <= 8", "N <= 2");
  afterChange(t, text.replace("N <= 8", "N <= 2"), "N <= 2", "N <= 8");
  afterChange(t, text, "N < 9", "N < 4");
  afterChange(t, text.replace("N < 9", "N < 4"), "N < 4", "N < 9");
  t.is(loadGraphFromText(text.replace("N < 9", "N < 4"), file).diagnostics.length, 1);
  t.is(loadGraphFromText(text.replace("N <= 8", "N <= 2"), file).diagnostics.length, 2);
});

test("what is silent because of a problem elsewhere stays so", (t) => {
  const refused = `import { sgd } from "std/optimizers"

graph g {
  placeholder x: f32[3]
  constant k = nope
  variable w: f32[3] = k
  loss = sum(w * x)
  update learn = minimize(loss, sgd(rate=0.1))
}
`.replace("rate=", "learning_rate=");
  afterChange(t, refused, "placeholder x", "placeholder  x");
  const assigned = refused.replace("nope", "[1.0, 2.0, 3.0]").replace("  loss", "  y = w + 1.0\n  loss");
  afterChange(t, assigned, "  y =", "  w := x\n  y =");
  afterChange(t, assigned.replace("  y =", "  w := x\n  y ="), "  w := x\n", "");
});

test("a statement that is broken and mended again finds what was known of it, and so do those behind it", (t) => {
  const flat = longFiles(240).find(({ name }) => name === "flat")?.text ?? "";
  const workspace = new Workspace();
  const counts = ["tanh(", "tanh((", "tanh(", "tanh((", "tanh("].map((call) => {
    workspace.setText(file, flat.replace("v104 = tanh(", `v104 = ${call}`));
    workspace.analysis(file);
    return workspace.countsOf(file)?.elaborated ?? Number.NaN;
  });
  // What stands behind the broken one is elaborated once without its value.
  t.true((counts[1] ?? 0) > 50);
  t.deepEqual(counts.slice(2), [2, 2, 2]);
});

test("a file that others import keeps what it can of theirs", (t) => {
  const workspace = new Workspace();
  const [user, other] = ["/nowhere/user.graph", "/nowhere/lib.graph"];
  const lib =
    "fn twice(x: f32[3]) -> (y: f32[3]) {\n  y = x * 2.0\n}\n\nfn same(x: f32[3]) -> (y: f32[3]) {\n  y = x\n}\n";
  workspace.setText(other, lib);
  workspace.setText(
    user,
    'import { same, twice } from "./lib"\n\ngraph g {\n  placeholder x: f32[3]\n  a = twice(x)\n  b = same(a)\n  c = same(x)\n}\n',
  );
  t.deepEqual(workspace.analysis(user)?.loaded.diagnostics, []);
  workspace.setText(other, `# More.\n${lib.replace("x * 2.0", "x + x")}`);
  t.deepEqual(workspace.analysis(user)?.loaded.diagnostics, []);
  t.deepEqual(workspace.countsOf(user), { elaborated: 2, repeated: 4 });
  workspace.setText(other, lib.replace("y = x * 2.0", "y = nope"));
  t.is(workspace.analysis(user)?.loaded.diagnostics[0]?.span?.file, other);
});

/** JSON knows no bigints and no undefined. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, one) => (typeof one === "bigint" ? `${one}n` : one)));
}

test("what has not been done for long goes where there is much of it; what is done stays", (t) => {
  const steps = new StepMap<Step>();
  const done = (key: string, elaboration: number): void => {
    const step = steps.get(key) ?? { elaboration, at: 0, writes: nothingWritten };
    step.elaboration = elaboration;
    steps.set(key, step, elaboration);
  };
  for (let elaboration = 0; elaboration < 5000; elaboration++) {
    done("always", elaboration);
    done(`name${elaboration}`, elaboration);
    t.true(steps.size <= 1025);
  }
  t.truthy(steps.get("always"));
  t.truthy(steps.get("name4990"));
  t.is(steps.get("name10"), undefined);
});
