import type { Expression, Ident, Path } from "./ast.js";

/**
 * Reads an expression back as a path: `metrics.loss`, and `hidden/dense/w`, which the grammar reads as divisions.
 * Undefined where the expression is anything else. Train data use it, where only names can stand.
 */
export function pathOf(expression: Expression): Path | undefined {
  const segments: Ident[] = [];
  const separators: ("." | "/")[] = [];
  const visit = (e: Expression): boolean => {
    if (e.kind === "reference") {
      for (const [index, segment] of e.segments.entries()) {
        if (index > 0) separators.push(".");
        segments.push(segment);
      }
      return true;
    }
    if (e.kind !== "binary" || e.operator !== "/" || !visit(e.left)) return false;
    separators.push("/");
    return visit(e.right);
  };
  if (!visit(expression)) return undefined;
  const text = segments.map((s, i) => s.name + (separators[i] ?? "")).join("");
  return { kind: "path", segments, separators, text, span: expression.span };
}
