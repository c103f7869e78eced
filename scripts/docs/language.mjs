// The tables of docs/language.md that are made from the code; the rest of the page is written by hand.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** The text of docs/language.md with its tables anew. */
export async function languagePage(dist, root) {
  const { dataReaders, trainFields } = await import(
    pathToFileURL(join(dist, "dsl", "elaborate", "train_fields.js")).href
  );
  const page = readFileSync(join(root, "docs", "language.md"), "utf8");
  const readers = dataReaders.map(({ name, doc, parameters }) => {
    const list = parameters.map((one) => one.name).join(", ");
    return `| \`${name}(${list})\` | ${doc} |`;
  });
  const withFields = replaced(page, "train fields", ["| field | |", "| --- | --- |", ...trainFields.flatMap(rows)]);
  return replaced(withFields, "data readers", ["| reader | |", "| --- | --- |", ...readers]);
}

/** A field, and those of its record. */
function rows({ name, doc, value }) {
  const inner = value.kind === "record" ? value.fields : [];
  return [`| \`${name}\` | ${doc} |`, ...inner.map((one) => `| \`${one.name}\` in \`${name}\` | ${one.doc} |`)];
}

/** The page with these lines between the two comments of a table. */
function replaced(page, table, lines) {
  const parts = new RegExp(`(<!-- ${table}: [^\\n]*-->\\n)[\\s\\S]*?(<!-- end of the ${table} -->)`);
  if (!parts.test(page)) throw new Error(`docs/language.md has no place for the ${table}`);
  return page.replace(parts, (_, start, end) => `${start}\n${lines.join("\n")}\n\n${end}`);
}
