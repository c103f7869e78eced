import test from "ava";
import { at, codesOf, folderWith, graphc, graphcHere, isRecord, lineFolder, onlyObject } from "./support.js";

test("check prints signatures, variables and memory", async (t) => {
  const { code, stdout, stderr } = await graphc(["check", "line.graph"], { cwd: lineFolder() });
  t.is(code, 0);
  t.is(stderr, "");
  t.true(stdout.startsWith("line.graph: no problems\n"));
  t.true(stdout.includes("  fit(x: f32[N], y: f32[N]) does learn -> (metrics.loss: f32)\n"));
  t.true(stdout.includes("2 parameters; 8 B"));
  t.regex(stdout, /peak memory \d+ B in predict with N = 64/);
  t.true(stdout.includes("N = 4 is the train block's batch"));
});

test.serial("check --quiet prints nothing where all is well", async (t) => {
  t.deepEqual(await graphcHere(["check", "--quiet", "line.graph"], { cwd: lineFolder() }), {
    code: 0,
    stdout: "",
    stderr: "",
  });
});

test.serial("check --json has types, signatures and memory", async (t) => {
  const value = onlyObject(await graphcHere(["check", "--json", "line.graph", "--dim", "N=8"], { cwd: lineFolder() }));
  t.deepEqual(at(value, "diagnostics"), []);
  t.deepEqual(at(value, "signatures", "fit"), {
    inputs: { x: "f32[N]", y: "f32[N]" },
    updates: ["learn"],
    training: true,
    outputs: { "metrics.loss": "f32" },
    doc: null,
  });
  t.is(at(value, "memory", "parameters"), 2);
  t.is(at(value, "memory", "variable_bytes"), 8);
  t.deepEqual(at(value, "memory", "signatures", "fit", "dims"), { N: 8 });
  const peaks = ["predict", "evaluate", "fit"].map((name) =>
    Number(at(value, "memory", "signatures", name, "peak_bytes")),
  );
  t.is(at(value, "memory", "peak_bytes"), Math.max(...peaks));
  t.true(peaks.every((peak) => peak >= 8));
});

const sized = (declared: string): string => `import { sgd } from "std/optimizers"
graph g {
  dim ${declared}
  placeholder x: f32[N, 16]
  placeholder t: f32[N]
  variable w: f32[16] = zeros()
  loss = mean((x * t) @ w)
  update learn = minimize(loss, sgd(learning_rate=0.1))
  signature fit(x, t) does learn -> (loss)
  train {
    run = fit
    data = { x = npy("x.npy"), t = npy("t.npy") }
    batch = 8
    steps = 10
  }
}
`;

test.serial("sizes that the train block chooses are checked as those of --dim are", async (t) => {
  const cwd = folderWith({
    "eight.graph": sized("N <= 64"),
    "fed.graph": sized("N <= 64").replace(/ +data = .*\n/, ""),
    "sixteen.graph": sized("N <= 64").replace("batch = 8", "batch = 16"),
  });
  const { code, stderr } = await graphcHere(["check", "eight.graph"], { cwd });
  t.is(code, 1);
  t.regex(stderr, /^error G020: 16 and N = 8 differ\n --> eight\.graph:7:18$/m);
  t.is((await graphcHere(["check", "sixteen.graph"], { cwd })).code, 0);
  // Its data come from a program.
  t.is((await graphcHere(["check", "fed.graph"], { cwd })).code, 1);
  t.is((await graphcHere(["check", "sixteen.graph", "--dim", "N=8"], { cwd })).code, 1);
});

test.serial("check reports all problems of all files, with places", async (t) => {
  const cwd = folderWith({
    "a.graph": "graph a {\n  x = nope + 1\n  y = [1.0] + [1.0, 2.0, 3.0, 4.0][0:3]\n  z = relu()\n}\n",
    "b.graph": "graph b {\n  x = = 1\n}\n",
  });
  const ended = await graphcHere(["check", "--json", "a.graph", "b.graph", "none.graph"], { cwd });
  t.is(ended.code, 1);
  const codes = codesOf(ended);
  for (const code of ["G012", "G030", "G002", "G064"]) t.true(codes.includes(code), `${code} in ${codes.join()}`);
  const [first] = Array.isArray(at(onlyObject(ended), "diagnostics")) ? [at(onlyObject(ended), "diagnostics", 0)] : [];
  t.true(isRecord(first));
  t.like(first, { code: "G012", severity: "error", file: "a.graph", line: 2, column: 7 });
  const text = await graphcHere(["check", "a.graph", "b.graph"], { cwd });
  t.is(text.code, 1);
  t.is(text.stdout, "");
  t.regex(text.stderr, /error G012: [^\n]*`nope`[^\n]*\n *--> a\.graph:2:7\n/);
  t.regex(text.stderr, /\n\d+ errors\n$/);
});

test.serial("check finds a cut gradient that no signature asks for", async (t) => {
  const cwd = folderWith({
    "cut.graph":
      "graph cut {\n  variable w: f32[3] = ones()\n  y = cast(argmax(w, axis=0), to=f32)\n  d = gradients(y, [w])\n}\n",
  });
  const ended = await graphcHere(["check", "--json", "cut.graph"], { cwd });
  t.is(ended.code, 1);
  t.deepEqual(codesOf(ended), ["G050"]);
});

test.serial("check takes libraries, and says of a graph what it would need too much", async (t) => {
  const cwd = folderWith({
    "lib.graph": "fn twice(x: f32) -> (y: f32) {\n  y = 2 * x\n}\n",
    "huge.graph": "graph huge {\n  variable w: f64[1000000, 1000000] = zeros()\n  signature s() -> (w)\n}\n",
  });
  const library = await graphcHere(["check", "lib.graph"], { cwd });
  t.is(library.code, 0);
  t.is(library.stdout, "lib.graph: no problems\n");
  const huge = await graphcHere(["check", "--json", "huge.graph"], { cwd });
  t.is(huge.code, 1);
  t.deepEqual(codesOf(huge), ["G102"]);
});

test.serial("several files have an entry each", async (t) => {
  const value = onlyObject(await graphcHere(["check", "--json", "line.graph", "./line.graph"], { cwd: lineFolder() }));
  t.deepEqual(Object.keys(at(value, "files") ?? {}), ["line.graph", "./line.graph"]);
  t.is(at(value, "files", "./line.graph", "memory", "parameters"), 2);
});

test.serial("names that look like code stay names", async (t) => {
  const cwd = folderWith({
    "proto.graph":
      "graph __proto__ {\n  placeholder constructor: f32\n  __proto__ = constructor + 1\n  signature toString(constructor) -> (__proto__)\n}\n",
  });
  const ended = await graphcHere(["check", "--json", "proto.graph"], { cwd });
  t.is(ended.code, 0, ended.stdout);
  t.true(ended.stdout.includes('"toString":{"inputs":{"constructor":"f32"}'));
  t.true(ended.stdout.includes('"outputs":{"__proto__":"f32"}'));
});

test("colour is an option of the terminal, never of a pipe", async (t) => {
  const cwd = lineFolder();
  const plain = await graphc(["check", "line.graph"], { cwd });
  const forced = await graphc(["check", "line.graph"], { cwd, env: { FORCE_COLOR: "1" } });
  const refused = await graphc(["check", "--no-color", "line.graph"], { cwd, env: { FORCE_COLOR: "1" } });
  const environment = await graphc(["check", "line.graph"], { cwd, env: { FORCE_COLOR: "1", NO_COLOR: "1" } });
  t.false(plain.stdout.includes("\u001B"));
  t.true(forced.stdout.includes("\u001B["));
  t.false(refused.stdout.includes("\u001B"));
  t.false(environment.stdout.includes("\u001B"));
});

test.serial("a mistyped file name is met with the nearest", async (t) => {
  const ended = await graphcHere(["check", "lina.graph"], { cwd: lineFolder() });
  t.is(ended.code, 1);
  t.regex(ended.stderr, /^error G064: cannot read "lina\.graph"[^\n]*\n *= hint: did you mean "line\.graph"\?\n$/);
});

test.serial(
  "variables beyond the machine's memory are refused before anything is allocated, at the largest",
  async (t) => {
    const graph =
      "graph g {\n  variable small: f32[4] = ones()\n  variable w: f32[500000, 500000] = ones()\n  y = sum(w)\n}\n";
    const cwd = folderWith({ "g.graph": graph });
    const checked = await graphcHere(["check", "g.graph"], { cwd });
    t.is(checked.code, 1);
    t.regex(checked.stderr, /error G102: the variables need 1\.0 TB, this machine has .* [GT]B\n +--> g\.graph:3:/);
    const run = await graphcHere(["run", "g.graph", "--fetch", "y", "--target", "reference"], { cwd });
    t.is(run.code, 1);
    t.regex(run.stderr, /error G102: the variables and their initial values need \d+\.\d\d TB, this machine has .*B/);
  },
);

/** A text after a fix that `--json` printed; its columns count characters. */
function mended(text: string, fix: unknown): string {
  const lines = text.split("\n").map((line) => [...line, "\n"]);
  const edits = at(fix, "edits");
  if (!Array.isArray(edits)) throw new Error("no edits");
  const offset = (line: unknown, column: unknown): number =>
    lines.slice(0, Number(line) - 1).reduce((sum, one) => sum + one.length, 0) + Number(column) - 1;
  const characters = [...text];
  const placed = edits.map((edit) => ({
    start: offset(at(edit, "line"), at(edit, "column")),
    end: offset(at(edit, "end_line"), at(edit, "end_column")),
    text: String(at(edit, "text")),
  }));
  for (const edit of placed.sort((a, b) => b.start - a.start))
    characters.splice(edit.start, edit.end - edit.start, ...edit.text);
  return characters.join("");
}

test.serial("--json has fixes as edits: one after another they mend the file", async (t) => {
  let text = `graph g {
  placeholder x: f32[4]
  s = "\u{1F600}"; b = tahn(x)
  y = sofmax(b)
}
`;
  for (const expected of ["line of its own", "tan", "softmax"]) {
    const cwd = folderWith({ "g.graph": text });
    const checked = await graphcHere(["check", "g.graph", "--json"], { cwd });
    const fix = at(onlyObject(checked), "diagnostics", 0, "fixes", 0);
    t.true(String(at(fix, "title")).includes(expected), `${expected}: ${checked.stdout}`);
    text = mended(text, fix);
  }
  const ended = await graphcHere(["check", "g.graph"], { cwd: folderWith({ "g.graph": text }) });
  t.is(ended.code, 0, `${ended.stderr}\n${text}`);
});

test.serial("a file that is not in UTF-8 is told apart from one that is binary", async (t) => {
  const cwd = folderWith({
    "wide.graph": Buffer.from("\uFEFFgraph g {\n}\n", "utf16le"),
    "old.graph": Buffer.from("graph g {\n  # caf\xE9\n}\n", "latin1"),
    "binary.graph": Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 0, 0xff),
  });
  for (const [file, text] of [
    ["wide.graph", /it is text in UTF-16, and not in UTF-8\n.*`iconv -f UTF-16 -t UTF-8`/],
    ["old.graph", /it is not text in UTF-8\n.*`iconv -f LATIN1 -t UTF-8`/],
    ["binary.graph", /it is not text in UTF-8\n.*this one is binary/],
  ] as const) {
    const ended = await graphcHere(["check", file], { cwd });
    t.is(ended.code, 1);
    t.regex(ended.stderr, text);
  }
});

test.serial("check alone warns of what nothing reads: who runs a file may fetch it", async (t) => {
  const text =
    "graph g {\n  placeholder x: f32\n  y = 2 * x\n  z = 3 * x\n  variable n: i64 = 0\n  update step {\n    n := n + 1\n  }\n  signature s(x) -> (y)\n}\n";
  const cwd = folderWith({ "a.graph": text });
  const checked = await graphcHere(["check", "--json", "a.graph"], { cwd });
  t.deepEqual(codesOf(checked), ["G155", "G155"]);
  t.deepEqual(at(onlyObject(checked), "diagnostics", 0, "fixes", 0, "title"), "remove `z`");
  const run = await graphcHere(["run", "a.graph", "--fetch", "z", "--feed", "x=2", "--target", "reference"], { cwd });
  t.deepEqual([run.code, run.stderr], [0, ""]);
});
