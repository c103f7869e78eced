import test from "ava";
import { Facts } from "../../../dsl/elaborate/facts.js";
import { describe } from "../../../dsl/elaborate/meaning.js";
import { loadGraphFromText } from "../../../dsl/load.js";

/** Each `«name»` of a text, with where it is bound and what it is: `line:column kind`. */
function factsOf(marked: string, others: Readonly<Record<string, string>> = {}): readonly string[] {
  const text = marked.replaceAll(/[«»]/g, "");
  const facts = new Facts();
  const readFile = (path: string): string => {
    const found = others[path];
    if (found !== undefined) return found;
    throw Object.assign(new Error("none"), { code: "ENOENT" });
  };
  const load = loadGraphFromText(text, "main.graph", {
    facts,
    ...(Object.keys(others).length > 0 ? { readFile } : {}),
  });
  const names = facts.namesIn("main.graph");
  const found: string[] = [];
  let removed = 0;
  for (const match of marked.matchAll(/«(\w+)»/g)) {
    const fact = names.get(match.index - removed);
    removed += 2;
    const { origin } = fact ?? {};
    const before = (load.files.get(origin?.file ?? "") ?? "").slice(0, origin?.start ?? 0).split("\n");
    const place = origin === undefined ? "-" : `${origin.file}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
    found.push(`${match[1]} ${place} ${[...new Set(fact?.meanings.map(describe))].join(" | ")}`);
  }
  return found;
}

test("names of a graph lead to where they are bound, with what they are", (t) => {
  const found = factsOf(`
graph g {
  dim «N»
  placeholder «x»: «f32»[«N», 4]
  scope «s» {
    «y» = «tanh»(«x»)
  }
  z = «s».«y» + 1
  signature run(«x») -> («s».«y»)
}
`);
  t.deepEqual(found, [
    "N main.graph:3:7 the int N",
    "x main.graph:4:15 the tensor f32[N, 4]",
    "f32 - ",
    "N main.graph:3:7 the int N",
    "s main.graph:5:9 a scope",
    "y main.graph:6:5 the tensor f32[N, 4]",
    "tanh - a function",
    "x main.graph:4:15 the tensor f32[N, 4]",
    "s main.graph:5:9 a scope",
    "y main.graph:6:5 the tensor f32[N, 4]",
    "x main.graph:4:15 the tensor f32[N, 4]",
    "s main.graph:5:9 a scope",
    "y main.graph:6:5 the tensor f32[N, 4]",
  ]);
});
