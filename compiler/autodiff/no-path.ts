import { problem } from "../ir/codes.js";
import type { Diagnostic, Note } from "../ir/diagnostic.js";
import type { Value } from "../ir/node.js";
import { type SourceTable, writtenAs } from "../ir/sources.js";
import type { Span } from "../ir/span.js";
import { cutsBetween } from "../ops/reach.js";

/** More than this many places do not help. */
const mostNotes = 8;

/** G050: no gradient path from `y` to `x`, with every op that cuts one. */
export function noPath(y: Value, x: Value, sources: SourceTable, spans: readonly Span[]): Diagnostic {
  const cuts = cutsBetween(y, x);
  const notes = cuts.slice(0, mostNotes).map(
    ({ node, reason }): Note => ({
      span: sources.spansOf(node)[0],
      message: `\`${node.op}\` cuts the gradient here: ${reason}`,
    }),
  );
  const names = [...new Set(cuts.map(({ node }) => `\`${node.op}\``))];
  const [place] = sources.spansOf(x.node);
  const origin: readonly Note[] =
    place === undefined ? [] : [{ span: place, message: `${describe(x, sources)} is here` }];
  const message =
    cuts.length === 0
      ? `the value that is differentiated does not depend on ${describe(x, sources)}`
      : `no gradient path leads to ${describe(x, sources)}: ${names.join(", ")} ${names.length === 1 ? "cuts" : "cut"} it`;
  const hint =
    cuts.length === 0
      ? undefined
      : "use what has a slope in its place, such as `softmax` for `argmax`, `sigmoid` for a comparison";
  return problem("G050", spans[0], message, { notes: [...notes, ...origin], hint });
}

/** The name that the text has for an edge, or else its op. */
function describe({ node }: Value, sources: SourceTable): string {
  const { name, path } = node.attributes;
  if (node.op === "variable" && typeof path === "string") return `the variable \`${path}\``;
  if (node.op === "placeholder" && typeof name === "string") return `the placeholder \`${name}\``;
  const word = writtenAs(sources.spansOf(node), node.op);
  return node.op === "parameter" ? `\`${word}\`` : `the result of \`${word}\``;
}
