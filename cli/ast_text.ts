import type { SourceFile } from "../dsl/ast.js";
import { indexLines, locate, type SourceText } from "../dsl/source-text.js";
import { sourceText } from "./source.js";

/**
 * The syntax tree as indented text: a line a node with its kind, its plain fields and its place, its parts below it under
 * the names of their fields.
 */
export function astText(ast: SourceFile): string {
  const text = sourceText(ast.file);
  const source = text === undefined ? undefined : indexLines(text);
  const lines: string[] = [];
  print(ast, "", "", source, lines);
  return `${lines.join("\n")}\n`;
}

function print(node: object, field: string, indent: string, source: SourceText | undefined, lines: string[]): void {
  const plain: string[] = [];
  const parts: (readonly [string, object])[] = [];
  for (const [name, value] of Object.entries(node)) {
    if (name === "kind" || name === "span" || name === "file") continue;
    if (Array.isArray(value)) {
      if (value.some((item) => typeof item === "object")) {
        for (const item of value) if (typeof item === "object" && item !== null) parts.push([name, item]);
      } else if (value.length > 0) plain.push(`${name}=[${value.map(plainText).join(" ")}]`);
    } else if (typeof value === "object" && value !== null) parts.push([name, value]);
    else if (value !== undefined) plain.push(`${name}=${plainText(value)}`);
  }
  const kind = "kind" in node ? String(node.kind) : "";
  const place = placeOf(node, source);
  const head = [field === "" ? "" : `${field}:`, kind, ...plain, place].filter((text) => text !== "");
  lines.push(`${indent}${head.join(" ")}`);
  for (const [name, part] of parts) print(part, name, `${indent}  `, source, lines);
}

function placeOf(node: object, source: SourceText | undefined): string {
  if (source === undefined || !("span" in node) || !isSpan(node.span)) return "";
  const { line, column } = locate(source, node.span.start);
  return `@${line}:${column}`;
}

function isSpan(value: unknown): value is { readonly start: number } {
  return typeof value === "object" && value !== null && "start" in value && typeof value.start === "number";
}

function plainText(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
