// docs/std.md from the table of built-in functions and the `##` texts of dsl/std/*.graph.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** The text of docs/std.md. */
export async function functionsPage(dist, root) {
  const load = (...path) => import(pathToFileURL(join(dist, "dsl", ...path)));
  const { intrinsics } = await load("elaborate", "intrinsics", "table.js");
  const { preludeFiles } = await load("imports.js");
  const { parse } = await load("parse.js");
  const prelude = new Set([...preludeFiles].map((name) => `${name.replace(/^std\/|\.graph$/g, "")}.graph`));
  const folder = join(root, "dsl", "std");
  const names = readdirSync(folder).sort();
  const textOf = (name) => readFileSync(join(folder, name), "utf8");
  const files = names.map((name) => describeFile(name, textOf(name), parse, prelude.has(name)));
  const contents = names.map((name) => contentsOf(name, textOf(name), parse, prelude.has(name)));
  // `and`, `or` and `not` are operators: as words of the language they cannot be called.
  const callable = [...intrinsics.values()].filter(({ name }) => !["and", "or", "not"].includes(name));
  const builtIn = callable.map(describeIntrinsic).sort();
  return `${[intro, `${contentsHead}\n${contents.join("\n")}`, "## Built in", ...builtIn, ...files].join("\n\n")}\n`;
}

const intro = `<!-- Made from the code and dsl/std by scripts/docs.mjs: change the documentation there, then \`npm run docs\`. -->

# Functions

What a \`.graph\` file can call. The [built-in functions](#built-in) are the [core ops](ops.md) with friendly arguments, and
what only the compiler can answer. All else is the standard library, written in the language itself under
[dsl/std](../dsl/std): open a file and read how \`softmax\` or \`adam\` is made.

Functions under *visible everywhere* need no import. Any argument may be given by position or by name.
[The language](language.md#functions) says how the kinds of parameters read.`;

const contentsHead = "| file | functions and optimizers |\n| --- | --- |";

/** A row of the table of contents; imported files are set off from those that are visible everywhere. */
function contentsOf(name, text, parse, everywhere) {
  const title = name.replace(/\.graph$/, "");
  const declared = parse(text, name).ast.items.filter((item) => item.kind === "fn" || item.kind === "optimizer");
  const list = declared.map((item) => `\`${item.name.name}\``).join(", ");
  return `| [std/${title}](#std${title})${everywhere ? ", visible everywhere" : ""} | ${list} |`;
}

function describeIntrinsic({ name, doc, parameters, result }) {
  const shown = parameters.map(
    ({ name: parameter, kind, default: standing, variadic = false }) =>
      `${parameter}${variadic ? "..." : ""}: ${kind}${standing === undefined ? "" : ` = ${standing}`}`,
  );
  const notes = parameters.filter((parameter) => parameter.doc !== undefined);
  return [
    `### ${name}`,
    fence(`${name}(${shown.join(", ")}) -> ${result}`),
    doc,
    ...(notes.length === 0 ? [] : [notes.map((one) => `- \`${one.name}\`: ${one.doc}`).join("\n")]),
  ].join("\n\n");
}

function describeFile(name, text, parse, everywhere) {
  const { ast } = parse(text, name);
  const title = name.replace(/\.graph$/, "");
  const summary = ast.doc?.text ?? "";
  const how = everywhere ? "Visible everywhere." : `\`import { ... } from "std/${title}"\`.`;
  const parts = ast.items
    .filter((item) => item.kind === "fn" || item.kind === "optimizer")
    .map((item) =>
      [
        `### ${item.name.name}`,
        fence(text.slice(item.span.start, item.body.span.start).trim()),
        ...(item.doc === undefined ? [] : [item.doc.text]),
      ].join("\n\n"),
    );
  const cleaned = summary.replace(/\s*Visible everywhere without an import\./, "").replaceAll("\n", " ");
  return [`## std/${title}`, `${cleaned} ${how} ([source](../dsl/std/${name}))`, ...parts].join("\n\n");
}

function fence(text) {
  return `\`\`\`\n${text}\n\`\`\``;
}
