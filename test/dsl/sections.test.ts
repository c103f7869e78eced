import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { loadGraphFromText } from "../../dsl/load.js";
import { parse } from "../../dsl/parse.js";
import { sectionsOf, textOfSection } from "../../dsl/sections.js";
import { shippedStdFolder } from "../../dsl/standard.js";

for (const name of readdirSync(shippedStdFolder)) {
  test(`each function of std/${name} alone is what it is in the whole file`, (t) => {
    const text = readFileSync(join(shippedStdFolder, name), "utf8");
    const whole = parse(text, name);
    t.true(whole.ok);
    const sections = sectionsOf(text);
    if (sections === undefined) {
      t.fail("the file is not formatted");
      return;
    }
    const found = [...sections.functions.values()].map((section) => {
      const alone = parse(textOfSection(text, section), name);
      t.deepEqual(alone.diagnostics, []);
      t.is(alone.ast.items.length, 1);
      return alone.ast.items[0];
    });
    const isFunction = (item: { readonly kind: string }): boolean => item.kind === "fn" || item.kind === "optimizer";
    t.deepEqual(found, whole.ast.items.filter(isFunction));
    const rest = sections.rest === undefined ? [] : parse(sections.rest, name).ast.items;
    t.deepEqual(
      rest,
      whole.ast.items.filter((item) => !isFunction(item)),
    );
  });
}

test("comments before a function are its own; what stands between functions is the rest", (t) => {
  const text =
    '## A file.\n\nimport { a } from "std/b"\n\n## F.\nfn f(x) -> (y) {\n  y = x\n}\n\nfn g(x,\n) -> (y) {\n  y = x\n}\n';
  const sections = sectionsOf(text);
  t.deepEqual([...(sections?.functions.keys() ?? [])], ["f", "g"]);
  const [f] = sections?.functions.values() ?? [];
  t.true(text.slice(f?.start, f?.end).startsWith("## F.\nfn f"));
  t.is(sections?.rest?.trim(), text.slice(0, text.indexOf("## F.")).trim());
  t.is(sections?.rest?.length, text.length);
});

test("a file that is not formatted, or declares a name twice, is not split", (t) => {
  t.is(sectionsOf("fn\nf(x) -> (y) { y = x }\n"), undefined);
  t.is(sectionsOf("fn f(x) -> (y) {\n}\nfn f(x) -> (y) {\n}\n"), undefined);
});

test("functions that nobody calls are not read: a fault in them shows only where they are used", (t) => {
  const files = new Map([
    ["math.graph", "fn good(x) -> (y) {\n  y = x + 1.0\n}\n\nfn bad(x) -> (y) {\n  y = = x\n}\n"],
  ]);
  const readFile = (path: string): string => files.get(path.split(/[\\/]/).at(-1) ?? "") ?? "";
  const load = (text: string) => loadGraphFromText(text, "main.graph", { readFile, stdFolder: "std" }).diagnostics;
  t.deepEqual(load("graph g {\n  x = good(1.0)\n}\n"), []);
  t.true(load("graph g {\n  x = bad(1.0)\n}\n").some((d) => d.severity === "error"));
});
