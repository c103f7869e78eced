import { type InlayHint, InlayHintKind } from "vscode-languageserver";
import type { Analysis } from "./analysis.js";
import { bindersWithin } from "./binders.js";
import { meaningTexts } from "./describe.js";

/** The inferred types of what is bound without one, between two offsets. */
export function inlayHints({ source, facts }: Analysis, start: number, end: number): readonly InlayHint[] {
  const names = facts.namesIn(source.file);
  const hints: InlayHint[] = [];
  for (const { kind, type, span } of bindersWithin(source.binders, start, end)) {
    if (!shown.has(kind) || type !== undefined || span.start < start || span.end > end) continue;
    const fact = names.get(span.start);
    const isTensor = fact?.meanings.every((meaning) => meaning.kind === "tensor") === true;
    const texts = isTensor && fact?.standIn === false ? meaningTexts(fact) : [];
    const [only] = texts;
    if (only === undefined || texts.length > 1) continue;
    hints.push({
      position: source.document.positionAt(span.end),
      label: `: ${only}`,
      kind: InlayHintKind.Type,
    });
  }
  return hints;
}

const shown: ReadonlySet<string> = new Set(["binding", "variable", "constant", "sequence", "carry"]);
