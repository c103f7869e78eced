import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The checkout, from `dist/test/docs` or `build-NAME/test/docs`. */
export const root = join(import.meta.dirname, "..", "..", "..");

/** The pages that people write; generated pages are checked by what makes them. */
export const writtenPages: readonly string[] = [
  "README.md",
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
  ...readdirSync(join(root, "examples"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `examples/${name}/README.md`),
].filter((page) => existsSync(join(root, page)));

export function pageText(page: string): string {
  return readFileSync(join(root, page), "utf8");
}

export interface Block {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  /** What stands behind the language: `error=G012`, `file=shared.graph`. */
  readonly marks: ReadonlyMap<string, string>;
  readonly text: string;
}

/** The fenced blocks of a page. */
export function blocksOf(page: string): readonly Block[] {
  const blocks: Block[] = [];
  let open: { line: number; info: string; lines: string[] } | undefined;
  pageText(page)
    .split("\n")
    .forEach((line, i) => {
      if (!line.startsWith("```")) open?.lines.push(line);
      else if (open === undefined) open = { line: i + 1, info: line.slice(3), lines: [] };
      else {
        const [language = "", ...marks] = open.info.split(" ");
        const pairs = marks.map((mark) => mark.split("=")).map(([name = "", value = ""]) => [name, value] as const);
        blocks.push({ page, line: open.line, language, marks: new Map(pairs), text: `${open.lines.join("\n")}\n` });
        open = undefined;
      }
    });
  return blocks;
}
