import { mkdirSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { type Edit, edited, editorOn, type Position, type Range, textIn } from "./client.js";

const line = `graph g {
  dim N <= 8
  placeholder x: f32[N, 4]
  y = tanh(x)
  z = sum(y)
  signature run(x) -> (z)
}
`;

test.serial(
  "problems are told while typing, with places, notes and hints, and vanish when they are mended",
  async (t) => {
    const editor = await editorOn(t);
    t.deepEqual(await editor.open("a.graph", line), []);
    const [shown, ...others] = await editor.type("a.graph", "tanh(x)", "tanhh(x) + [1.0, 2.0]");
    t.deepEqual(others, []);
    t.is(shown?.code, "G012");
    t.is(shown?.severity, 1);
    t.is(shown?.message, "unknown name `tanhh`\nhint: did you mean `tanh`?");
    t.is(textIn(editor.text("a.graph"), shown?.range ?? { start: zero, end: zero }), "tanhh");
    const [product] = await editor.type("a.graph", "tanhh", "tanh");
    t.is(product?.code, "G020");
    t.true((product?.relatedInformation.length ?? 0) > 0);
    t.deepEqual(await editor.type("a.graph", " + [1.0, 2.0]", ""), []);
  },
);

const zero: Position = { line: 0, character: 0 };

test.serial("what is broken in one place leaves the rest of the file alive", async (t) => {
  const editor = await editorOn(t);
  const broken = line.replace("y = tanh(x)", "y = tanh(x)\n  w = = (3\n  v = y * 2");
  const shown = await editor.open("a.graph", broken);
  t.true(shown.length > 0 && shown.every(({ code }) => code < "G010"), JSON.stringify(shown));
  const hover = await editor.ask<{ contents: { value: string } }>("hover", "a.graph", "|v = y");
  t.is(hover.contents.value, "```graph\nv: f32[N, 4]\n```");
  const places = await editor.ask<readonly unknown[]>("references", "a.graph", "|y = tanh", {
    context: { includeDeclaration: true },
  });
  t.is(places.length, 3);
  const symbols = await editor.request<readonly { name: string; children: readonly { name: string }[] }[]>(
    "textDocument/documentSymbol",
    { textDocument: { uri: editor.uri("a.graph") } },
  );
  t.deepEqual(
    symbols[0]?.children.map(({ name }) => name),
    ["N", "x", "y", "w", "v", "z", "run"],
  );
});

test.serial("columns are UTF-16 code units, also behind characters of two", async (t) => {
  const editor = await editorOn(t);
  const pick = "fn pick(_text: string, x: f32[...]) -> (y: f32[...]) {\n  y = x\n}\n";
  const text = pick + line.replace("y = tanh(x)", 'y = tanh(x) # 𝒙 é 日本\n  s = pick("😀é", nope)');
  const [shown] = await editor.open("a.graph", text);
  const start = '  s = pick("😀é", '.length;
  t.is(shown?.code, "G012");
  t.deepEqual(shown?.range, { start: { line: 7, character: start }, end: { line: 7, character: start + 4 } });
  const left = await editor.type("a.graph", "nope", "y");
  t.deepEqual(
    left.map(({ code, range }) => [code, range.start.character]),
    [["G155", 2]],
  );
  const edit = await editor.ask<{ changes: Record<string, readonly Edit[]> }>("rename", "a.graph", 'é", |y', {
    newName: "value",
  });
  const renamed = edited(editor.text("a.graph"), edit.changes[editor.uri("a.graph")] ?? []);
  t.true(renamed.includes('s = pick("😀é", value)'), renamed);
  t.true(renamed.includes("value = tanh(x) # 𝒙 é 日本"), renamed);
});

test.serial("lines may end as on Windows; formatting lays out as `graphc fmt` does", async (t) => {
  const editor = await editorOn(t);
  const messy = "graph g {\r\n  x=1.0\r\n\r\n\r\n  y   = x+1.0 # why\r\n}\r\n";
  t.deepEqual(await editor.open("a.graph", messy), []);
  const document = { textDocument: { uri: editor.uri("a.graph") }, options: { tabSize: 2, insertSpaces: true } };
  const edits = await editor.request<readonly Edit[]>("textDocument/formatting", document);
  const formatted = edited(messy, edits);
  t.is(
    formatted,
    "graph g {\n  x = 1.0\n\n  y = x + 1.0 # why\n}\n".replace(
      " # why",
      formatted.includes("  # why") ? "  # why" : " # why",
    ),
  );
  await editor.type("a.graph", messy, formatted);
  t.deepEqual(await editor.request("textDocument/formatting", document), []);
  await editor.type("a.graph", "x + 1.0", "x  +  (");
  t.deepEqual(await editor.request("textDocument/formatting", document), []);
  await editor.type("a.graph", "x  +  (", "x  +  2.0");
  const [only, ...others] = await editor.request<readonly Edit[]>("textDocument/formatting", document);
  t.deepEqual(others, []);
  // Only the line that changes is written.
  t.is(only?.range.start.line, 3);
  t.is(only?.range.end.line, 4);
});

const library = `## Twice.
fn double(x: f32[...]) -> (y: f32[...]) {
  y = x * 2.0
}
`;
const user = `import { double } from "./lib"

graph g {
  placeholder x: f32[3]
  y = double(x)
}
`;

test.serial("a file that others import: unsaved text counts, and what it breaks elsewhere is told there", async (t) => {
  const editor = await editorOn(t, { "lib.graph": library, "closed.graph": user, "other.graph": line });
  t.deepEqual(await editor.open("main.graph", user), []);
  t.deepEqual(await editor.open("lib.graph", library), []);
  const main = editor.published("main.graph", (shown) => shown.length > 0);
  const closed = editor.published("closed.graph", (shown) => shown.length > 0);
  editor.typeOnly("lib.graph", "fn double(", "fn doubled(");
  t.deepEqual(
    (await main).map(({ code, message }) => [code, message]),
    [["G062", "`lib.graph` has no `double`\nhint: did you mean `doubled`?"]],
  );
  t.is((await closed)[0]?.code, "G062");
  const mended = editor.published("main.graph", (shown) => shown.length === 0);
  editor.typeOnly("lib.graph", "fn doubled(", "fn double(");
  t.deepEqual(await mended, []);
  // Closed without saving, the disk counts again.
  editor.typeOnly("lib.graph", "fn double(", "fn doubled(");
  await editor.published("main.graph", (shown) => shown.length > 0);
  const back = editor.published("main.graph", (shown) => shown.length === 0);
  editor.close("lib.graph");
  t.deepEqual(await back, []);
});

test.serial("a file that is deleted or appears on the disk", async (t) => {
  const editor = await editorOn(t, { "lib.graph": library });
  t.deepEqual(await editor.open("main.graph", user), []);
  const change = (type: number): void => {
    editor.notify("workspace/didChangeWatchedFiles", { changes: [{ uri: editor.uri("lib.graph"), type }] });
  };
  unlinkSync(join(editor.folder, "lib.graph"));
  const gone = editor.published("main.graph");
  change(3);
  t.is((await gone)[0]?.code, "G060");
  writeFileSync(join(editor.folder, "lib.graph"), library);
  const back = editor.published("main.graph");
  change(1);
  t.deepEqual(await back, []);
});

test.serial("renames go over files, imports under another name stay", async (t) => {
  const alias = user.replace("{ double }", "{ double as d }").replace("double(x)", "d(x)");
  const editor = await editorOn(t, { "lib.graph": library, "alias.graph": alias, "sub/user.graph": line });
  await editor.open("main.graph", user);
  const { changes } = await editor.ask<{ changes: Record<string, readonly Edit[]> }>(
    "rename",
    "main.graph",
    "dou|ble(x)",
    { newName: "twofold" },
  );
  const after = (file: string, text: string): string => edited(text, changes[editor.uri(file)] ?? []);
  t.deepEqual(
    Object.keys(changes).sort(),
    ["alias.graph", "lib.graph", "main.graph"].map((file) => editor.uri(file)).sort(),
  );
  t.is(after("lib.graph", library), library.replace("fn double", "fn twofold"));
  t.is(after("main.graph", user), user.replaceAll("double", "twofold"));
  t.is(after("alias.graph", alias), alias.replace("double", "twofold"));
  await editor.open("alias.graph", alias);
  const own = await editor.ask<{ changes: Record<string, readonly Edit[]> }>("rename", "alias.graph", "|d(x)", {
    newName: "e",
  });
  t.is(
    edited(alias, own.changes[editor.uri("alias.graph")] ?? []),
    alias.replace("as d", "as e").replace("= d(x)", "= e(x)"),
  );
  t.deepEqual(Object.keys(own.changes), [editor.uri("alias.graph")]);
});

test.serial("imports may not leave the folder, as on the command line", async (t) => {
  const outside = { "outside/lib.graph": library };
  const text = user.replace("./lib", "../outside/lib");
  const editor = await editorOn(t, outside);
  mkdirSync(join(editor.folder, "inside"));
  const [shown] = await editor.open("inside/main.graph", text);
  t.is(shown?.code, "G063");
  symlinkSync(join(editor.folder, "outside"), join(editor.folder, "inside", "link"));
  const [linked] = await editor.type("inside/main.graph", "../outside/lib", "./link/lib");
  t.is(linked?.code, "G063");
  const words = await editor.ask<readonly { label: string }[]>("completion", "inside/main.graph", "{ |double");
  t.false(words.some(({ label }) => label === "double"));
});

test.serial("--allow-path names folders that imports may lead to", async (t) => {
  const text = user.replace("./lib", "../outside/lib");
  const folderFirst = await editorOn(t, { "outside/lib.graph": library });
  const allowed = await editorOn(t, {}, ["--allow-path", join(folderFirst.folder, "outside")]);
  const absolute = text.replace("../outside", join(folderFirst.folder, "outside"));
  t.deepEqual(await allowed.open("main.graph", absolute), []);
});

test.serial("huge, empty and nonsensical files, and places beyond the end", async (t) => {
  const editor = await editorOn(t);
  const [large] = await editor.open("large.graph", `graph g {\n${"# comment\n".repeat(500_000)}}\n`);
  t.is(large?.code, "G100");
  t.deepEqual(await editor.open("empty.graph", ""), []);
  const nonsense = "\u0000}{)(]]] graph fn := := \" ' `` \u{1F600} import from";
  t.true((await editor.open("nonsense.graph", nonsense)).length > 0);
  const nested = `graph g {\n  x = ${"(".repeat(3000)}1${")".repeat(3000)}\n}\n`;
  t.true((await editor.open("nested.graph", nested)).length > 0);
  for (const file of ["empty.graph", "nonsense.graph", "nested.graph", "never-opened.graph"]) {
    const textDocument = { uri: editor.uri(file) };
    const range: Range = { start: zero, end: { line: 9999, character: 9999 } };
    for (const position of [zero, { line: 9999, character: 9999 }, { line: 0, character: 9 }]) {
      for (const method of ["hover", "definition", "completion", "signatureHelp", "documentHighlight"])
        await t.notThrowsAsync(editor.request(`textDocument/${method}`, { textDocument, position }), method);
    }
    for (const method of ["documentSymbol", "inlayHint", "semanticTokens/full", "formatting"])
      await t.notThrowsAsync(editor.request(`textDocument/${method}`, { textDocument, range, options: {} }), method);
    await t.notThrowsAsync(
      editor.request("textDocument/codeAction", { textDocument, range, context: { diagnostics: [] } }),
    );
  }
});

test.serial("a document that is not on the disk", async (t) => {
  const editor = await editorOn(t);
  const uri = "untitled:Untitled-1";
  editor.notify("textDocument/didOpen", { textDocument: { uri, languageId: "graph", version: 1, text: line } });
  const hover = await editor.request<{ contents: { value: string } }>("textDocument/hover", {
    textDocument: { uri },
    position: { line: 3, character: 2 },
  });
  t.is(hover.contents.value, "```graph\ny: f32[N, 4]\n```");
});

test.serial("it ends with the editor, and says nothing but the protocol", async (t) => {
  const editor = await editorOn(t);
  await editor.open("a.graph", line);
  t.is(await editor.end(), 0);
  t.is(editor.stderr, "");
  const cut = await editorOn(t);
  const ended = new Promise((resolve) => cut.child.once("exit", (code) => resolve(code)));
  cut.child.stdin?.end();
  t.true([0, 1].includes(Number(await ended)));
});
