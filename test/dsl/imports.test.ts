import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { maximumFileLength } from "../../dsl/diagnostics.js";
import { loadGraph, loadGraphFromText } from "../../dsl/load.js";
import { shippedStdFolder } from "../../dsl/standard.js";
import { temporaryFolder } from "../runtime/programs.js";

/** A folder of files, which may stand in folders of their own. */
function folderOf(t: ExecutionContext, files: Readonly<Record<string, string | Buffer>>): string {
  const folder = temporaryFolder(t);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

/** What a main file of the folder is told that imports `path`: `G060 message (hint)`. */
function told(folder: string, path: string, allowPaths: readonly string[] = []): readonly string[] {
  const main = join(folder, "main.graph");
  writeFileSync(main, `import { f } from ${JSON.stringify(path)}\n\ngraph g {\n  y = f([1.0])\n}\n`);
  return loadGraph(main, { allowPaths }).diagnostics.map(
    ({ code, message, hint }) => `${code} ${message}${hint === undefined ? "" : ` (${hint})`}`,
  );
}

/** A library that imports another. */
function block(path: string): string {
  return `import { f as g } from ${JSON.stringify(path)}\nfn f(x: f32[...]) -> (y: f32[...]) {\n  y = g(x)\n}\n`;
}

const library = "fn f(x: f32[...]) -> (y: f32[...]) {\n  y = x\n}\n";

test("every name of every file of the standard library can be imported", (t) => {
  const files = readdirSync(shippedStdFolder).filter((file) => file.endsWith(".graph"));
  t.true(files.length > 10);
  for (const file of files) {
    const text = readFileSync(join(shippedStdFolder, file), "utf8");
    const names = [...text.matchAll(/^(?:fn|optimizer|constant) (\w+)/gm)].map(([, name]) => name);
    t.true(names.length > 0, file);
    for (const name of names) {
      const main = `import { ${name} as one } from "std/${file.slice(0, -".graph".length)}"\n\ngraph g {\n}\n`;
      t.deepEqual(loadGraphFromText(main, "main.graph").diagnostics, [], `${name} of ${file}`);
    }
  }
});

test("an import is relative to the file that it stands in, however deep", (t) => {
  const folder = folderOf(t, {
    "parts/helpers.graph": 'import { k } from "deep/consts"\nfn f(x: f32[...]) -> (y: f32[...]) {\n  y = k * x\n}\n',
    "parts/deep/consts.graph": "constant k = 3.0\n",
    "deep/consts.graph": "constant k = 4.0\n",
  });
  t.deepEqual(told(folder, "parts/helpers"), []);
  t.deepEqual(told(folder, "./parts/../parts/helpers.graph"), []);
});

test("a missing file is named as the importing file could, with what stands near it", (t) => {
  const folder = folderOf(t, { "parts/helpers.graph": library, "other.graph": library });
  const missing = (path: string): string => `G060 cannot import \`${path}.graph\`: there is no such file`;
  t.deepEqual(told(folder, "parts/helper"), [`${missing("parts/helper")} (did you mean \`parts/helpers.graph\`?)`]);
  t.deepEqual(told(folder, "parts/none"), [`${missing("parts/none")} (its folder has \`parts/helpers.graph\`)`]);
  t.deepEqual(told(folder, "port/helpers"), [`${missing("port/helpers")} (there is no folder \`port\`)`]);
  t.deepEqual(told(folder, "quite/different"), [`${missing("quite/different")} (there is no folder \`quite\`)`]);
  t.deepEqual(told(folder, "parts"), [
    `${missing("parts")} (\`parts\` is a folder: import a file, such as \`parts/helpers.graph\`)`,
  ]);
  t.deepEqual(told(folder, "unlike"), [`${missing("unlike")} (its folder has \`other.graph\`)`]);
  writeFileSync(join(folder, "parts/helpers.graph"), `import { k } from "helpful"\n${library}`);
  t.deepEqual(told(folder, "parts/helpers"), [missing("helpful")]);
});

test("a folder, a pipe, what is no text and what is too large are refused as what they are", (t) => {
  const folder = folderOf(t, {
    "bytes.graph": Buffer.from([0xff, 0xfe, 0x00, 0x80]),
    "long.graph": "# \n".repeat(maximumFileLength / 3 + 1),
    "longer.graph": "# \n".repeat(maximumFileLength + 1),
    "broken.graph": "fn = = =\n",
    "empty.graph": "",
  });
  mkdirSync(join(folder, "folder.graph"));
  t.deepEqual(told(folder, "folder"), ["G064 cannot import `folder.graph`: it is a folder"]);
  t.deepEqual(told(folder, "bytes"), ["G064 cannot import `bytes.graph`: it is not text in UTF-8"]);
  t.deepEqual(told(folder, "longer"), [
    `G064 cannot import \`longer.graph\`: it has ${3 * (maximumFileLength + 1)} bytes, too many for a source file`,
  ]);
  t.regex(told(folder, "long").join(), /^G100 the file has \d+ characters; the limit is \d+ \([^)]*\)$/);
  const [broken, ...others] = told(folder, "broken");
  t.deepEqual([broken?.slice(0, 4), others], ["G002", []], "that the broken file has no `f` is no second problem");
  t.deepEqual(told(folder, "empty"), ["G062 `empty.graph` has no `f` (it declares nothing)"]);
  if (process.platform === "win32") return;
  execFileSync("mkfifo", [join(folder, "pipe.graph")]);
  t.deepEqual(told(folder, "pipe"), ["G064 cannot import `pipe.graph`: it is not a regular file"]);
});

test("a library imports what lies anywhere in the main file's folder, and nothing outside", (t) => {
  const outside = folderOf(t, { "secret.graph": library });
  const folder = folderOf(t, {
    "lib/util.graph": library,
    "beside.graph": library,
    "lib/blocks/deep/one.graph": block("../../util"),
    "lib/blocks/two.graph": block("../../beside.graph"),
    "lib/blocks/three.graph": block("deep/../../blocks/deep/one"),
    "lib/blocks/round.graph": block("../../main"),
    "lib/blocks/missing.graph": block("../utll"),
  });
  for (const path of ["lib/blocks/deep/one", "lib/blocks/two", "lib/blocks/three"])
    t.deepEqual(told(folder, path), [], path);
  t.regex(told(folder, "lib/blocks/round").join(), /^G061 .*main\.graph -> round\.graph -> main\.graph/);
  t.deepEqual(told(folder, "lib/blocks/missing"), [
    "G060 cannot import `../utll.graph`: there is no such file (did you mean `../util.graph`?)",
  ]);
  const name = basename(outside);
  symlinkSync(outside, join(folder, "lib/linked"));
  symlinkSync(join(folder, "lib"), join(folder, "lib/blocks/again"));
  symlinkSync("..", join(folder, "lib/up"));
  const escapes: readonly (readonly [string, boolean])[] = [
    [`../../../${name}/secret`, false],
    [`../up/../../../${name}/secret`, false],
    [join(folder, "lib/util"), false],
    ["../linked/secret", true],
    [`../up/../linked/../../../${name}/secret`, false],
    ["again/linked/secret", true],
  ];
  for (const [path, byLink] of escapes) {
    writeFileSync(join(folder, "lib/blocks/escape.graph"), block(path));
    const [message, ...others] = told(folder, "lib/blocks/escape");
    t.regex(
      message ?? "",
      byLink ? /^G063 .*through a symbolic link/ : /^G063 .*leaves the folder of the main file \(/,
      path,
    );
    t.deepEqual(others, []);
    t.is(told(folder, "lib/blocks/escape", [outside]).length === 0, path.includes("secret"), path);
  }
  for (const path of ["again/util", "../up/beside", "../up/lib/util"]) {
    writeFileSync(join(folder, "lib/blocks/inside.graph"), block(path));
    t.deepEqual(told(folder, "lib/blocks/inside"), [], path);
  }
});

test("a library by itself may import what its project has, and nothing else", (t) => {
  const files = {
    "secret.graph": library,
    "app/lib/util.graph": library,
    "app/lib/blocks/two.graph": block("../util"),
    "app/lib/blocks/out.graph": block("../../../secret"),
    "app/lib/blocks/main.graph": `${block("../util")}\ngraph g {\n  x = 1\n}\n`,
  };
  const folder = folderOf(t, files);
  const alone = (path: string, allowPaths: readonly string[] = []) =>
    loadGraph(join(folder, "app/lib/blocks", path), { allowPaths }).diagnostics.map(
      ({ code, message, hint }) => `${code} ${message} (${hint})`,
    );
  const util = join(folder, "app/lib");
  t.deepEqual(alone("two.graph"), [
    `G063 the import \`../util\` leaves the folder of this library (if you trust the file, allow the place: \`--allow-path ${util}\`; ` +
      "a package.json or .git marks a project, in which libraries may import each other)",
  ]);
  t.deepEqual(alone("two.graph", [util]), []);
  writeFileSync(join(folder, "app/package.json"), "{}");
  t.deepEqual(alone("two.graph"), []);
  t.deepEqual(alone("out.graph"), [
    `G063 the import \`../../../secret\` leaves the project of this library (if you trust the file, allow the place: \`--allow-path ${folder}\`)`,
  ]);
  symlinkSync(folder, join(folder, "app/lib/up"));
  writeFileSync(join(folder, "app/lib/blocks/link.graph"), block("../up/secret"));
  t.regex(alone("link.graph").join(), /^G063 .*leaves the project of this library through a symbolic link/);
  // What runs is where it may be copied to another machine, without the project around it.
  t.regex(alone("main.graph").join(), /^G063 the import `..\/util` leaves the folder of the main file/);
});

test("an import stays in its folder, also through links, unless the place is allowed", (t) => {
  const outside = folderOf(t, { "lib.graph": library });
  const folder = folderOf(t, { "lib.graph": library });
  const hint = (place: string) => `(if you trust the file, allow the place: \`--allow-path ${place}\`)`;
  symlinkSync(outside, join(folder, "linked"));
  symlinkSync(join(outside, "lib.graph"), join(folder, "link.graph"));
  symlinkSync(join(folder, "lib.graph"), join(folder, "within.graph"));
  for (const path of ["linked/lib", "link"]) {
    t.deepEqual(told(folder, path), [
      `G063 the import \`${path}\` leaves the folder of the main file through a symbolic link ${hint(outside)}`,
    ]);
    t.deepEqual(told(folder, path, [outside]), []);
  }
  t.deepEqual(told(folder, "within"), []);
  t.deepEqual(told(folder, "a/../../lib"), [
    `G063 the import \`a/../../lib\` leaves the folder of the main file ${hint(dirname(folder))}`,
  ]);
  t.deepEqual(told(folder, join(outside, "lib"), [outside]), []);
  // The folder itself may be a link: its own files are within, and a missing one is missing.
  const alias = join(outside, "alias");
  symlinkSync(folder, alias);
  t.deepEqual(told(alias, "lib"), []);
  t.regex(told(alias, "lub").join(), /^G060 cannot import `lub\.graph`: there is no such file/);
});
