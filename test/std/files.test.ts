import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import test from "ava";
import { format } from "../../dsl/format.js";
import { loadGraph } from "../../dsl/load.js";
import { parse } from "../../dsl/parse.js";
import { shippedStdFolder } from "../../dsl/standard.js";

const folder = shippedStdFolder;
const files = readdirSync(folder).filter((name) => name.endsWith(".graph"));
const testsOf = "test/std";
const languageTests = "test/language";

for (const file of files) {
  test(`${file} checks by itself, is formatted, and documents itself and all that it declares`, (t) => {
    const path = join(folder, file);
    t.deepEqual(loadGraph(path, {}).diagnostics, []);
    const text = readFileSync(path, "utf8");
    const formatted = format(text, path);
    t.is(formatted.ok ? formatted.text : "", text);
    const { ast } = parse(text, path);
    t.truthy(ast.doc);
    const silent = ast.items.flatMap((item) =>
      (item.kind === "fn" || item.kind === "optimizer") && item.doc === undefined ? [item.name.name] : [],
    );
    t.deepEqual(silent, []);
  });
}

test("every function of the standard library is used by its tests", (t) => {
  const tests = [
    ...readdirSync(testsOf)
      .filter((name) => name !== basename(import.meta.filename).replace(".js", ".ts"))
      .map((name) => join(testsOf, name)),
    ...readdirSync(languageTests, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".graph"))
      .map((name) => join(languageTests, name)),
  ]
    .map((path) => readFileSync(path, "utf8"))
    .join("\n");
  const library = files.map((file) => readFileSync(join(folder, file), "utf8")).join("\n");
  const names = [...library.matchAll(/^(?:fn|optimizer) (\w+)/gm)].map(([, name]) => name ?? "");
  t.true(names.length > 50);
  // What another function of the library calls is tested through it.
  const called = (name: string): boolean => new RegExp(`(?<!^(?:fn|optimizer) )\\b${name}\\(`, "m").test(library);
  t.deepEqual(
    names.filter((name) => !new RegExp(`\\b${name}\\b`).test(tests) && !called(name)),
    [],
  );
});
