import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import type { Doc, FunctionDeclaration, OptimizerDeclaration } from "../../dsl/ast.js";
import { format } from "../../dsl/format.js";
import { loadGraph } from "../../dsl/load.js";
import { parse } from "../../dsl/parse.js";
import { shippedStdFolder } from "../../dsl/standard.js";
import { derivations, parts } from "./derivations.js";

const folder = shippedStdFolder;
const files = readdirSync(folder).filter((name) => name.endsWith(".graph"));

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

type Declaration = FunctionDeclaration | OptimizerDeclaration;

interface Documented {
  readonly file: string;
  /** What the comment at the top says of all that follows. */
  readonly about: string;
  readonly declarations: readonly Declaration[];
}

const text = (doc: Doc | undefined): string => (doc?.text ?? "").replaceAll("\n", " ");
const library: readonly Documented[] = files.map((file) => {
  const { ast } = parse(readFileSync(join(folder, file), "utf8"), file);
  const declarations = ast.items.flatMap((one) => (one.kind === "fn" || one.kind === "optimizer" ? [one] : []));
  return { file: file.replace(".graph", ""), about: text(ast.doc), declarations };
});
const nameOf = ({ name }: Declaration): string => name.name;
const all = library.flatMap(({ declarations }) => declarations);

/** The files of layers, losses, optimizers and the like: each of their functions is somebody's published method. */
const methods =
  "activations attention clipping convolution initialisers layers losses metrics normalisation optimizers recurrent regularisation schedules unsupervised";

/** Those whose functions are all of one shape, which the comment at their top says. */
const alike = ["activations", "initialisers", "optimizers", "schedules"];

/** Their words are their formula. */
const inWords = ["zeros", "ones", "constant", "flatten", "lstm_with_cells", "bidirectional"];

test("each method says its shapes, itself or for its whole file, its formula, and where it is from", (t) => {
  const shapes = /\[[^\]`]*\]|any shape|of the shape of|\bscalar|a number|`shape`/;
  const formula = /[\w)\]|] (\*\*?|\/|\+|-|:?=|==|@|>=?|<=?) [\w(|-]|\b(max|min|log|sqrt)\(/;
  const source =
    /[A-Z]\w+( et al\.| and [A-Z]\w+|, [A-Z]\w+ and [A-Z]\w+)?, \d{4}|\(\d{4}\)|\b(PyTorch|Keras|TensorFlow|scikit-learn|ONNX)'s?/;
  const lacking = library
    .filter(({ file }) => methods.split(" ").includes(file))
    .flatMap(({ file, about, declarations }) =>
      declarations
        .filter((one) => !Object.hasOwn(parts, nameOf(one)))
        .flatMap((one) => [
          ...(shapes.test(text(one.doc)) || (alike.includes(file) && shapes.test(about))
            ? []
            : [`${file}: ${nameOf(one)} gives no shapes`]),
          ...(formula.test(text(one.doc)) || inWords.includes(nameOf(one))
            ? []
            : [`${file}: ${nameOf(one)} gives no formula`]),
          ...(source.test(text(one.doc)) ? [] : [`${file}: ${nameOf(one)} gives no source`]),
        ]),
    );
  t.deepEqual(lacking, []);
});

test("each function of the standard library is compared with values of another source, by the test that the table names", (t) => {
  const names = all.map(nameOf);
  const tested = derivations.flatMap((one) => one.names.split(/\s+/).map((name) => ({ name, test: one.test })));
  const listed = [...tested.map(({ name }) => name), ...Object.keys(parts)];
  t.deepEqual(listed.toSorted(), names.toSorted());
  const uncalled = tested.filter(({ name, test: path }) => {
    const content = readFileSync(join(path.startsWith("language/") ? "test" : "test/std", path), "utf8");
    // A call, or the function as an argument or in a table of calls; what is imported alone is not used.
    const used = content.replaceAll(/import \{[^}]*\}/g, "");
    return (
      !new RegExp(`\\b${name}\\(|\\bname: "${name}"`).test(used) ||
      (path.endsWith(".graph") && !used.includes("# from:"))
    );
  });
  t.deepEqual(uncalled, []);
});

test("each part of the library is called by the function whose test reaches it", (t) => {
  const called = (one: string, by: string): boolean => {
    const seen = new Set<string>();
    const reach = (name: string): boolean => {
      if (name === one) return true;
      if (seen.has(name)) return false;
      seen.add(name);
      return (bodies.get(name) ?? []).some(reach);
    };
    return reach(by);
  };
  const sources = files.map((file) => readFileSync(join(folder, file), "utf8")).join("\n");
  const names = new Set(all.map(nameOf));
  const bodies = new Map(
    sources
      .split(/^(?=(?:fn|optimizer) )/m)
      .slice(1)
      .map((body) => {
        const [, own = ""] = body.match(/^\w+ (\w+)/) ?? [];
        const words = body.match(/\b\w+(?=\()|(?<== )\w+/g) ?? [];
        return [own, words.filter((word) => word !== own && names.has(word))] as const;
      }),
  );
  const apart = Object.entries(parts).filter(([part, by]) => Object.hasOwn(parts, by) || !called(part, by));
  t.deepEqual(apart, []);
});
