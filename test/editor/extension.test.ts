import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { parse } from "../../dsl/parse.js";
import { root } from "../docs/pages.js";
import { Window } from "./window.js";

/** The client of the VS Code extension, as it is packaged: on a stand-in for the editor's module and the real server. */

const binary = join(root, "dist", "cli", "main.js");
const folderOfExtension = join(root, "editor", "vscode");

function folderWith(t: ExecutionContext, files: Readonly<Record<string, string>> = {}): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "graphc-vscode-")));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

function install(folder: string): void {
  mkdirSync(join(folder, "node_modules", ".bin"), { recursive: true });
  symlinkSync(binary, join(folder, "node_modules", ".bin", "graphc"));
}

const broken = "graph g {\n  x = relu(y)\n}\n";
const sound = "graph g {\n  placeholder x: f32[3]\n  y = relu(x)\n  signature f(x) -> (y)\n}\n";

/** The extension, active in a window; it is deactivated with the test at the latest. */
async function activated(t: ExecutionContext, window: Window): Promise<{ deactivate(): Promise<void> }> {
  const extension = window.load(join(folderOfExtension, "dist", "extension.js"));
  t.teardown(() => extension.deactivate());
  await extension.activate(window.context);
  return extension;
}

test("the graphc above the open folder is started: problems, hover and inlay hints arrive; it ends with the window", async (t) => {
  const folder = folderWith(t);
  install(folder);
  const inner = join(folder, "models");
  const file = join(inner, "a.graph");
  mkdirSync(inner);
  writeFileSync(file, broken);
  const window = new Window({ folders: [inner] });
  window.open(file);
  const extension = await activated(t, window);
  t.deepEqual(window.messages, []);
  t.deepEqual(
    window.started.map(({ spawnargs }) => spawnargs),
    [[join(folder, "node_modules", ".bin", "graphc"), "lsp", "--stdio"]],
  );
  const [problem] = await window.problems(file);
  t.is(problem?.code, "G012");
  t.is(problem?.range.start.line, 1);
  window.change(file, sound);
  t.deepEqual(await window.problems(file), []);
  t.regex(await window.hover(file, 2, 2), /y: f32\[3\]/);
  t.deepEqual(await window.inlayHints(file), [": f32[3]"]);
  window.configure("inlayHints.enabled", false);
  t.deepEqual(await window.inlayHints(file), []);
  const [server] = window.started;
  t.is(server?.exitCode, null);
  await extension.deactivate();
  if (server?.exitCode === null) await once(server, "exit");
  t.is(server?.exitCode, 0);
});

test("the setting comes first; restarting starts another server and ends the first", async (t) => {
  const folder = folderWith(t, { "a.graph": sound });
  const window = new Window({ folders: [folder], settings: { path: binary, allowPaths: ["shared"] } });
  window.open(join(folder, "a.graph"));
  await activated(t, window);
  t.deepEqual(await window.problems(join(folder, "a.graph")), []);
  t.deepEqual(window.started[0]?.spawnargs.slice(1), [
    binary,
    "lsp",
    "--allow-path",
    join(folder, "shared"),
    "--stdio",
  ]);
  await window.command("graphc.restartServer");
  t.is(window.started.length, 2);
  const [first, second] = window.started;
  if (first?.exitCode === null) await once(first, "exit");
  t.is(second?.exitCode, null);
});

test("without graphc one message says so, with a button that leads to the setting", async (t) => {
  const window = new Window({ folders: [], settings: { path: "/nowhere/graphc" }, press: "Open Setting" });
  await activated(t, window);
  t.deepEqual(window.messages, [
    {
      text: 'graphc: there is no file /nowhere/graphc, which the setting "graphc.path" names.',
      buttons: ["Open Setting"],
    },
  ]);
  t.deepEqual(window.executed, [["workbench.action.openSettings", "graphc.path"]]);
  t.deepEqual(window.started, []);
});

test("a program that is no language server is told, with its output behind a button", async (t) => {
  const folder = folderWith(t, { "other.js": "process.exit(3)" });
  const window = new Window({ folders: [folder], settings: { path: "other.js" } });
  await activated(t, window);
  t.true(window.messages.some(({ text, buttons }) => text.includes("did not start") && buttons[0] === "Show Output"));
});

test("nothing is started before the folder is trusted", async (t) => {
  const folder = folderWith(t, { "a.graph": broken });
  install(folder);
  const window = new Window({ folders: [folder], trusted: false });
  window.open(join(folder, "a.graph"));
  await activated(t, window);
  await window.command("graphc.check");
  t.deepEqual([window.started, window.executed], [[], []]);
  t.deepEqual(
    window.messages.map(({ text }) => text),
    ["graphc: programs are run when the folder is trusted."],
  );
  window.trust();
  t.is((await window.problems(join(folder, "a.graph"))).length, 1);
});

test("commands: the page of the graph, the check in a terminal; what graphc refuses is told", async (t) => {
  const folder = folderWith(t, { "a.graph": sound });
  install(folder);
  const file = join(folder, "a.graph");
  const window = new Window({ folders: [folder] });
  window.open(file);
  await activated(t, window);
  await window.command("graphc.showGraph");
  t.regex(
    window.pages.get("Graph of a.graph") ?? "",
    /<style>body { padding: 0 }<\/style><\/head>[\s\S]*<script id="document"/,
  );
  await window.command("graphc.check");
  t.like(window.executed.at(-1)?.[0], {
    execution: { process: join(folder, "node_modules", ".bin", "graphc"), args: ["check", file] },
  });
  writeFileSync(file, broken);
  await window.command("graphc.showGraph");
  t.deepEqual(
    window.messages.map(({ text, buttons }) => [text.split("\n").length, /G012/.test(text), ...buttons]),
    [[1, true, "Show Output"]],
  );
});

test("the manifest names commands that there are, and files that there are", (t) => {
  const manifest = JSON.parse(readFileSync(join(folderOfExtension, "package.json"), "utf8"));
  const window = new Window({ folders: [], settings: { path: "/nowhere" } });
  return activated(t, window).then(() => {
    const named = manifest.contributes.commands.map(({ command }: { readonly command: string }) => command);
    t.deepEqual([...named].sort(), [...window.commands].sort());
    const paths = [
      manifest.icon,
      manifest.main,
      ...manifest.contributes.languages.map(({ configuration }: { readonly configuration: string }) => configuration),
      ...manifest.contributes.grammars.map(({ path }: { readonly path: string }) => path),
      ...manifest.contributes.snippets.map(({ path }: { readonly path: string }) => path),
    ];
    for (const path of paths) t.true(existsSync(join(folderOfExtension, path)), path);
    t.is(readFileSync(join(folderOfExtension, "LICENSE"), "utf8"), readFileSync(join(root, "LICENSE"), "utf8"));
  });
});

/** A snippet as it is when nothing is typed into its places. */
function filledIn(body: readonly string[]): string {
  const values = new Map<string, string>();
  const text = body.join("\n").replace(/\|([^,|]*)[^|]*\|\}/g, ":$1}");
  const expand = (part: string): string =>
    part.replace(/\$\{(\d+):((?:[^{}]|\$\{\d+:[^{}]*\})*)\}|\$(\d+)/g, (_, number, inner = "", bare = "") => {
      const value = values.get(number ?? bare) ?? expand(inner);
      values.set(number ?? bare, value);
      return value;
    });
  return expand(text);
}

const snippets: Readonly<Record<string, { readonly prefix: string; readonly body: readonly string[] }>> = JSON.parse(
  readFileSync(join(folderOfExtension, "snippets", "graph.json"), "utf8"),
);
for (const [name, { body }] of Object.entries(snippets))
  test(`the snippet ${name} is a part of the language`, (t) => {
    const text = filledIn(body);
    const isItem = /^(?:## .*\n)?(?:graph|fn|optimizer|import)\b/.test(text);
    const file = isItem ? text : `graph g {\n${text}\n}\n`;
    t.deepEqual(
      parse(file, "x.graph").diagnostics.map(({ message }) => `${message}\n${file}`),
      [],
    );
  });

test("lines are indented, and documentation goes on, as the configuration says", (t) => {
  const { indentationRules, onEnterRules, wordPattern } = JSON.parse(
    readFileSync(join(folderOfExtension, "language-configuration.json"), "utf8"),
  );
  const increases = new RegExp(indentationRules.increaseIndentPattern);
  for (const line of ["graph g {", "  y = f(", "  a = [  # list", 'x = f("{", {']) t.regex(line, increases);
  for (const line of ["y = f(x)", "# {", 'x = "{"', "x = 3  # ("]) t.notRegex(line, increases);
  t.regex("  }", new RegExp(indentationRules.decreaseIndentPattern));
  const [goesOn, ends] = onEnterRules.map(({ beforeText }: { readonly beforeText: string }) => new RegExp(beforeText));
  t.regex("  ## What it gives.", goesOn);
  for (const line of ["  ## ", "  # note", "x = 3  ## no", "### x"]) t.notRegex(line, goesOn);
  t.regex("  ## ", ends);
  t.deepEqual("a.b_1 + 1_0.5e-3".match(new RegExp(wordPattern, "g")), ["a", "b_1", "1_0.5e-3"]);
});
