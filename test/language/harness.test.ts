import { join } from "node:path";
import test from "ava";
import { blessed } from "./harness/bless.js";
import { problemsOf } from "./harness/check.js";
import { languageFolder } from "./harness/folder.js";
import { loadText } from "./harness/load.js";

/** What the harness must refuse: a wrong expectation of each kind. */

const path = join(languageFolder, "example.graph");
const inGraph = (...lines: readonly string[]): string => `graph g {\n${lines.map((line) => `  ${line}\n`).join("")}}\n`;
const problems = (...lines: readonly string[]) => problemsOf(loadText(path, inGraph("# from: arithmetic", ...lines)));

const refused: readonly (readonly [string, RegExp, ...string[]])[] = [
  ["a wrong value", /line 3: y: \[1\] is 4, not 5/, "y = [1.0, 2.0] * 2  # expect [2, 5]"],
  ["a value beyond the tolerance", /is 2, not 2\.00001/, "y = 2.0  # expect 2.00001"],
  ["another dtype", /the dtype is f32, not f64/, "y = 2.0  # expect f64 2"],
  ["another shape", /the shape is \[2\], not \[2, 1\]/, "y = [1.0, 2.0]  # expect [[1], [2]]"],
  ["a decimal for an integer", /\[0\] is 2, not 2\.0/, "y = 2  # expect 2.0"],
  ["zero for a negative zero", /\[0\] is 0, not -0/, "y = 0.0  # expect -0"],
  ["a number for NaN", /\[0\] is NaN, not 1/, "y = nan  # expect 1"],
  ["an edge that is not there", /no value `z`/, "y = 1.0", "# expect z 1"],
  ["a wrong gradient", /\[0\] is 2, not 3/, "x = [1.0]", "y = x ** 2  # gradient in x [3]"],
  ["differences of f32", /differences need one/, "x = [1.0]", "y = x ** 2  # gradient in x numeric"],
  ["a wrong text", /y is "a", not "b"/, 'y = "a"  # expect "b"'],
  ["a missing diagnostic", /missing: line 3: # error G012 at 7: unknown/, "y = 1.0  # error G012 at 7: unknown"],
  ["an unexpected diagnostic", /not expected: line 3: # error G012 at 7-9: unknown/, "y = abc  # from: x"],
  ["a run that does not fail", /y does not fail/, "y = 4 // 2  # fails G089 at 7-12: an integer is divided by zero"],
  ["a directive that cannot be read", /line 3: `a` is no value/, "y = 1.0  # expect a"],
  ["a form that has changed", /the form is now/, "y = 1.0", "# graph:", "#   computation y {"],
];

for (const [what, message, ...lines] of refused) {
  test(`refuses ${what}`, async (t) => {
    const found = await problems(...lines).catch((error: unknown) => [String(error)]);
    t.regex(found.join("\n"), message);
  });
}

test("refuses a value that cites nothing, and a file that expects nothing", async (t) => {
  t.regex((await problemsOf(loadText(path, inGraph("y = 1.0  # expect 1")))).join(), /cites/);
  t.regex((await problemsOf(loadText(path, inGraph("y = 1.0")))).join(), /expects nothing/);
});

test("reads values over several lines, of scopes, after updates and with feeds", async (t) => {
  const found = await problems(
    "placeholder x: i64[2]  # feed [1, 2]",
    "variable w: i64 = 5",
    "scope metrics {",
    "  y = x + w  # expect [6, 7]",
    "}",
    "z = [[1.0, 2.0], [3.0, inf]] / 2",
    "# expect z [[0.5, 1],",
    "#   [1.5, inf]]",
    "update u {",
    "  w := w + 1",
    "}",
    "# does u",
    "# expect w 6",
  );
  t.deepEqual(found, []);
});

test("blessing writes diagnostics and forms, and leaves values alone", async (t) => {
  const text = inGraph("# from: nothing", "y = 2.0  # expect 3", "# graph:");
  const once = await blessed(loadText(path, text));
  t.regex(once, /# expect 3\n {2}# graph:\n {2}# {3}computation/);
  t.is(await blessed(loadText(path, once)), once);
  const wrong = inGraph("y = abc  # error G020 at 1: old", "z = def + ghi");
  const mended = await blessed(loadText(path, wrong));
  t.deepEqual(await problemsOf(loadText(path, mended)), []);
  t.regex(mended, /y = abc {2}# error G012 at 7-9: unknown name `abc`/);
  t.regex(mended, /z = def \+ ghi {2}# error G012.*\n {2}# error G012/);
});
