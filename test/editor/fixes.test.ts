import test from "ava";
import { DiagnosticTag } from "vscode-languageserver";
import { catalogue } from "../../compiler/ir/codes/catalogue.js";
import { type Edit, type Editor, edited, editorOn, type Shown } from "./client.js";

interface Action {
  readonly title: string;
  readonly kind: string;
  readonly edit: { readonly changes: Readonly<Record<string, readonly Edit[]>> };
}

const file = "a.graph";

/** The text after the first quick fix that is offered for a problem, and what is wrong then. */
async function mended(
  editor: Editor,
  shown: Shown,
): Promise<{ readonly text: string; readonly after: readonly Shown[]; readonly title: string } | undefined> {
  const [action] = await editor.request<readonly Action[]>("textDocument/codeAction", {
    textDocument: { uri: editor.uri(file) },
    range: shown.range,
    context: { diagnostics: [shown] },
  });
  if (action === undefined) return undefined;
  const before = editor.text(file);
  const text = edited(before, action.edit.changes[editor.uri(file)] ?? []);
  return { text, after: await editor.type(file, before, text), title: action.title };
}

/** Wrong, the title of the fix, right. */
const cases: readonly (readonly [wrong: string, title: string, right: string])[] = [
  ["graph g {\n  y = tanhh(1.0)\n}\n", "change to `tanh`", "graph g {\n  y = tanh(1.0)\n}\n"],
  [
    "## Doc.\ngraph g {\n  y = dense([[1.0]], units=2)\n}\n",
    'import it: `import { dense } from "std/layers"`',
    'import { dense } from "std/layers"\n\n## Doc.\ngraph g {\n  y = dense([[1.0]], units=2)\n}\n',
  ],
  ['import { a } from "std/layrs"\n', 'change to `"std/layers"`', 'import { a } from "std/layers"\n'],
  ["graph g {\n  y = true && false\n}\n", "change to `and`", "graph g {\n  y = true and false\n}\n"],
  ["graph g {\n  y = !true\n}\n", "change to `not`", "graph g {\n  y = not true\n}\n"],
  ["graph g {\n  y = 2.0 ^ 3.0\n}\n", "change to `**`", "graph g {\n  y = 2.0 ** 3.0\n}\n"],
  ["graph g {\n  y = 1;\n}\n", "remove it", "graph g {\n  y = 1\n}\n"],
  ["graph g {\n  y = 'text'\n}\n", 'change to `"text"`', 'graph g {\n  y = "text"\n}\n'],
  ["graph g {\n  y = 1.\n}\n", "change to `1.0`", "graph g {\n  y = 1.0\n}\n"],
  [
    "graph g {\n  placeholder x: f32[N]\n}\n",
    "insert `dim N <= 1024`",
    "graph g {\n  dim N <= 1024\n  placeholder x: f32[N]\n}\n",
  ],
  [
    "graph g {\n  placeholder x: f32\n  y = x + 1\n  signature run() -> (y)\n}\n",
    "insert `x`",
    "graph g {\n  placeholder x: f32\n  y = x + 1\n  signature run(x) -> (y)\n}\n",
  ],
  [
    "graph g {\n  placeholder x: i64\n  y: f32 = x\n}\n",
    "change to `cast(x, to=f32)`",
    "graph g {\n  placeholder x: i64\n  y: f32 = cast(x, to=f32)\n}\n",
  ],
  [
    "graph g {\n  placeholder x: f32[2, 4]\n  placeholder h: f32[2, 6]\n  y = concatenate([x, h])\n}\n",
    "insert `axis=1`",
    "graph g {\n  placeholder x: f32[2, 4]\n  placeholder h: f32[2, 6]\n  y = concatenate([x, h], axis=1)\n}\n",
  ],
  [
    "graph g {\n  placeholder x: f32[2, 4]\n  placeholder t: i64[2]\n  y = argmax(x) == t\n}\n",
    "insert `axis=-1`",
    "graph g {\n  placeholder x: f32[2, 4]\n  placeholder t: i64[2]\n  y = argmax(x, axis=-1) == t\n}\n",
  ],
  [
    "graph g {\n  placeholder x: f32\n  y = x + 1\n\n  ## Of no use.\n  z = x # none\n  signature run(x) -> (y)\n}\n",
    "remove `z`",
    "graph g {\n  placeholder x: f32\n  y = x + 1\n\n  signature run(x) -> (y)\n}\n",
  ],
  [
    'import { flatten, dense } from "std/layers"\ngraph g {\n  y = dense([[1.0]], units=2)\n}\n',
    "remove `flatten`",
    'import { dense } from "std/layers"\ngraph g {\n  y = dense([[1.0]], units=2)\n}\n',
  ],
  [
    'import { dense, flatten } from "std/layers"\ngraph g {\n  y = dense([[1.0]], units=2)\n}\n',
    "remove `flatten`",
    'import { dense } from "std/layers"\ngraph g {\n  y = dense([[1.0]], units=2)\n}\n',
  ],
  ["graph g {\n  y = 2.0 + 1.0 on gpu\n}\n", 'change to `"gpu"`', 'graph g {\n  y = 2.0 + 1.0 on "gpu"\n}\n'],
];

test.serial("hints that say what to write are quick fixes, and mend the problem", async (t) => {
  const editor = await editorOn(t);
  await editor.open(file, "");
  for (const [wrong, title, right] of cases) {
    const [shown] = await editor.type(file, editor.text(file), wrong);
    const result = shown === undefined ? undefined : await mended(editor, shown);
    t.is(result?.title, title);
    t.is(result?.text, right);
    t.false(
      result?.after.some(({ code, message }) => code === shown?.code && message === shown?.message),
      wrong,
    );
  }
});

test.serial("what nothing reads is shown faded, and can be kept under another name", async (t) => {
  const editor = await editorOn(t);
  const text = "graph g {\n  placeholder x: f32\n  y = x + 1\n  z = x\n  signature run(x) -> (y)\n}\n";
  const [shown, ...others] = await editor.open(file, text);
  t.deepEqual(others, []);
  t.is(shown?.code, "G155");
  t.deepEqual(shown?.tags, [DiagnosticTag.Unnecessary]);
  const actions = await editor.request<readonly Action[]>("textDocument/codeAction", {
    textDocument: { uri: editor.uri(file) },
    range: shown?.range,
    context: { diagnostics: [shown] },
  });
  t.deepEqual(
    actions.map(({ title }) => title),
    ["remove `z`", "rename to `_z`"],
  );
  const kept = edited(text, actions[1]?.edit.changes[editor.uri(file)] ?? []);
  t.is(kept, text.replace("z = x", "_z = x"));
  t.deepEqual(await editor.type(file, text, kept), []);
  // While something is wrong, what is not read may be what was meant to be.
  const wrong = text.replace("(y)", "(yy)");
  t.deepEqual(
    (await editor.type(file, kept, wrong)).map(({ code }) => code),
    ["G012"],
  );
});

test.serial("in the manual's example of each problem, a quick fix makes no other problem of the syntax", async (t) => {
  const editor = await editorOn(t);
  await editor.open(file, "");
  let fixed = 0;
  for (const { code, example } of catalogue) {
    if (example.startsWith("$ ") || example === editor.text(file)) continue;
    for (const shown of await editor.type(file, editor.text(file), example)) {
      if (editor.text(file) !== example) await editor.type(file, editor.text(file), example);
      const result = await mended(editor, shown);
      if (result === undefined) continue;
      fixed++;
      const same = result.after.filter((one) => one.code === shown.code && one.message === shown.message);
      t.deepEqual(same, [], `${code}: ${result.title}`);
    }
  }
  t.true(fixed >= 3, String(fixed));
});
