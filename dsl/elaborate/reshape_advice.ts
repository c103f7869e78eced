import type { Dim } from "../../compiler/ir/dim.js";
import type { Advice } from "../../compiler/ir/fix.js";
import type { Value } from "../../compiler/ir/node.js";
import type { Span } from "../../compiler/ir/span.js";
import { shapeEquals, shapeText } from "../../compiler/ir/type.js";
import type { Env } from "./state.js";

/** Where two shapes differ in axes of size 1 only, `reshape` gives one the shape of the other. */
export function reshapeAdvice(
  env: Env,
  value: Value,
  shape: readonly Dim[],
  span: Span,
  why: string,
): Advice | undefined {
  const sizesOf = (all: readonly Dim[]): readonly Dim[] => all.filter((dim) => dim !== 1);
  if (!shapeEquals(sizesOf(shape), sizesOf(value.type.shape))) return undefined;
  const shown = env.frame.standard ? "..." : env.state.shared.texts.shown(span);
  const written = `reshape(${shown}, ${shapeText(shape)})`;
  return {
    text: `\`${written}\` ${why}`,
    fix: () =>
      // Elsewhere the dims have other names.
      env.frame.kind === "graph"
        ? {
            title: `change to \`${written}\``,
            edits: [
              { span: { ...span, end: span.start }, text: "reshape(" },
              { span: { ...span, start: span.end }, text: `, ${shapeText(shape)})` },
            ],
          }
        : undefined,
  };
}
