import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { at, codesOf, folderWith, graphc, graphcHere, onlyObject } from "./support.js";

const untidy = "graph g {\n    x   =  1 # kept\n}\n";
const tidy = "graph g {\n  x = 1  # kept\n}\n";

test("fmt rewrites files in place and leaves formatted ones alone", async (t) => {
  const cwd = folderWith({ "a.graph": untidy, "b.graph": tidy });
  const first = await graphc(["fmt", "a.graph", "b.graph"], { cwd });
  t.deepEqual(first, { code: 0, stdout: "formatted a.graph\n", stderr: "" });
  t.is(readFileSync(join(cwd, "a.graph"), "utf8"), tidy);
  t.deepEqual(await graphc(["fmt", "a.graph"], { cwd }), { code: 0, stdout: "", stderr: "nothing to change\n" });
  t.deepEqual(readdirSync(cwd).sort(), ["a.graph", "b.graph"]);
});

test.serial("fmt --check lists what would change and writes nothing", async (t) => {
  const cwd = folderWith({ "a.graph": untidy, "b.graph": tidy });
  const { code, stdout } = await graphcHere(["fmt", "--check", "a.graph", "b.graph"], { cwd });
  t.is(code, 1);
  t.is(stdout, "a.graph\n");
  t.is(readFileSync(join(cwd, "a.graph"), "utf8"), untidy);
  const json = await graphcHere(["fmt", "--check", "--json", "a.graph", "b.graph"], { cwd });
  t.is(json.code, 1);
  t.deepEqual(onlyObject(json), { changed: ["a.graph"], written: false, diagnostics: [] });
});

test.serial("fmt formats what it can and reports the rest", async (t) => {
  const bad = "graph g {\n  x = \n}\n";
  const latin1 = Buffer.concat([Buffer.from("# caf"), Buffer.from([0xe9]), Buffer.from("\ngraph g {\n}\n")]);
  const cwd = folderWith({ "a.graph": untidy, "bad.graph": bad, "latin1.graph": latin1 });
  mkdirSync(join(cwd, "folder.graph"));
  const ended = await graphcHere(
    ["fmt", "--json", "bad.graph", "latin1.graph", "folder.graph", "none.graph", "a.graph"],
    { cwd },
  );
  t.is(ended.code, 1);
  t.deepEqual(codesOf(ended), ["G002", "G064", "G064", "G064"]);
  t.deepEqual(at(onlyObject(ended), "changed"), ["a.graph"]);
  t.is(readFileSync(join(cwd, "bad.graph"), "utf8"), bad);
  t.deepEqual(readFileSync(join(cwd, "latin1.graph")), latin1);
});
