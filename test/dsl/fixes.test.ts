import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { catalogue } from "../../compiler/ir/codes/catalogue.js";
import type { Diagnostic } from "../../compiler/ir/diagnostic.js";
import type { Fix } from "../../compiler/ir/fix.js";
import { loadGraphFromText } from "../../dsl/load.js";
import { languageFolder, testFiles } from "../language/harness/folder.js";

/** A text after a fix of it. */
function mended(text: string, { edits }: Fix): string {
  return [...edits]
    .sort((a, b) => b.span.start - a.span.start)
    .reduce((result, { span, text: next }) => result.slice(0, span.start) + next + result.slice(span.end), text);
}

/** Of each kind of problem, how often it is found: without the places, which a fix moves. */
function counted(diagnostics: readonly Diagnostic[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { code, message } of diagnostics) {
    const key = `${code} ${message}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

interface Tried {
  readonly tried: number;
  readonly failed: readonly string[];
  readonly codes: ReadonlySet<string>;
}

/** Applies each fix of a text's problems alone, and tells those after which the problem is there as before. */
function tryFixes(file: string, text: string): Tried {
  const { diagnostics } = loadGraphFromText(text, file, { unused: true });
  // Of a list that is cut off the next ones move up.
  if (diagnostics.some(({ code }) => code === "G103")) return { tried: 0, failed: [], codes: new Set() };
  const before = counted(diagnostics);
  const failed: string[] = [];
  const codes = new Set<string>();
  let tried = 0;
  for (const { code, message, fixes = [] } of diagnostics) {
    for (const fix of fixes) {
      if (fix.edits.length === 0 || fix.edits.some(({ span }) => span.file !== file)) continue;
      tried++;
      codes.add(code);
      const next = mended(text, fix);
      const key = `${code} ${message}`;
      const left = counted(loadGraphFromText(next, file, { unused: true }).diagnostics).get(key) ?? 0;
      if (next === text || left >= (before.get(key) ?? 0)) failed.push(`${file}: ${key}: ${fix.title}`);
    }
  }
  return { tried, failed, codes };
}

test("each fix of a problem in the tests of the language mends it", (t) => {
  const all = testFiles().map((name) => {
    const path = join(languageFolder, name);
    return tryFixes(path, readFileSync(path, "utf8"));
  });
  t.deepEqual(
    all.flatMap(({ failed }) => failed),
    [],
  );
  const tried = all.reduce((sum, one) => sum + one.tried, 0);
  t.true(tried >= 60, `${tried} fixes`);
});

test("so does each fix of the manual's examples", (t) => {
  const all = catalogue
    .filter(({ example }) => !example.startsWith("$ "))
    .map(({ code, example }) => tryFixes(`/nowhere/${code}.graph`, example));
  t.deepEqual(
    all.flatMap(({ failed }) => failed),
    [],
  );
  const codes = new Set(all.flatMap((one) => [...one.codes]));
  t.true(codes.size >= 8, [...codes].join(" "));
});

/** What is wrong, and what it becomes by its first fix. */
const cases: readonly (readonly [wrong: string, right: string])[] = [
  ["  y = (1.0 + 2.0\n", "  y = (1.0 + 2.0)\n"],
  ["  y = [1.0, 2.0\n", "  y = [1.0, 2.0]\n"],
  ['  y = "text\n', '  y = "text"\n'],
  ["  y = 'it\\'s \"so\"'\n", '  y = "it\'s \\"so\\""\n'],
  ["  y = \u201Ctext\u201D\n", '  y = "text"\n'],
  ["  y = 3z\n", "  y = 3 * z\n"],
  ["  y = .5\n", "  y = 0.5\n"],
  ["  y = 1 < 2 < 3\n", "  y = 1 < 2 and 2 < 3\n"],
  ["  y = 1; z = 2\n", "  y = 1\n  z = 2\n"],
  ["  y = true&&!false\n", "  y = true and !false\n"],
  ["  // why\n", "  # why\n"],
  ["  let y = 3\n", "  y = 3\n"],
  ["  const y = 3\n", "  constant y = 3\n"],
  ["  placehoder y: f32\n", "  placeholder y: f32\n"],
  ["  y == 3\n", "  y = 3\n"],
  ["  if = 3\n", "  if_ = 3\n"],
  ["  y = 1.0\n  signature s() -> y, y/z\n", "  y = 1.0\n  signature s() -> (y, y/z)\n"],
  ["  y = 1.0\n  signature s() => (y)\n", "  y = 1.0\n  signature s() -> (y)\n"],
  ["  y = 1.0\n  signature s() (y)\n", "  y = 1.0\n  signature s() -> (y)\n"],
  ["  y = 3)\n", "  y = 3\n"],
  ["  y = 1 \u00D7 2\n", "  y = 1 * 2\n"],
  ['  y = 1.0 on "GPU"\n', '  y = 1.0 on "gpu"\n'],
];

test("what fixes write", (t) => {
  for (const [wrong, right] of cases) {
    const text = `graph g {\n${wrong}}\n`;
    const [problem] = loadGraphFromText(text, "/nowhere/a.graph").diagnostics;
    const [fix] = problem?.fixes ?? [];
    t.is(fix === undefined ? problem?.message : mended(text, fix), `graph g {\n${right}}\n`);
  }
});

test("lines of documentation that document nothing all become comments", (t) => {
  const text = "graph g {\n  y = 1.0\n  ## This\n  ## and that.\n}\n";
  const [problem] = loadGraphFromText(text, "/nowhere/a.graph").diagnostics;
  const [fix] = problem?.fixes ?? [];
  t.is(fix === undefined ? undefined : mended(text, fix), text.replaceAll("##", "#"));
});
