import { deviceEdges, lowerPart, notesOf, partsOf } from "../compiler/backends/gpu/compile.js";
import { problem } from "../compiler/ir/codes.js";
import type { Diagnostic } from "../compiler/ir/diagnostic.js";
import type { Graph } from "../compiler/ir/graph.js";
import { dimsOf } from "../compiler/ir/specialise.js";
import { optimise, prepareComputation } from "../compiler/prepare.js";
import { choicesOf, sizesFor, sizesText } from "./specialisation.js";
import { attempt } from "./target.js";

/** What a page would only find out when it runs the graph. */
export interface PageNotes {
  /** What its device lacks, and what does not fit in it with sizes that a page need not choose. */
  readonly warnings: readonly Diagnostic[];
  readonly remarks: readonly string[];
}

/** A size for dims that nothing bounds: what a device lacks does not depend on it. */
const anySize = 2;

/** Looks at all signatures as a page runs them. Throws GraphError G102 where one does not fit in a device with any sizes. */
export function pageNotes(graph: Graph): PageNotes {
  const warnings = new Map<string, Diagnostic>();
  const add = (found: readonly Diagnostic[]): void => {
    for (const one of found) warnings.set(`${one.message} ${one.span?.file} ${one.span?.start}`, one);
  };
  for (const choice of choicesOf(graph, undefined)) {
    const prepared = prepareComputation(graph, choice.selection);
    const sized = sizesFor(graph, choice, dimsOf(prepared), undefined);
    const dims = new Map([...sized.open.map((name) => [name, anySize] as const), ...sized.dims]);
    // A size that nobody has chosen may not do.
    const bound = attempt(() => optimise(graph, prepared, dims, { followsPlaces: true }));
    if ("error" in bound) continue;
    const { partition, placement } = partsOf(bound.value);
    add(notesOf(bound.value, placement));
    const lowered = attempt(() => {
      for (const part of partition.parts) if (part.side === "device") lowerPart(part, deviceEdges(partition), true);
    });
    if (!("error" in lowered)) continue;
    if (dims.size === 0) throw lowered.error;
    const sizes = `, with ${sizesText(sized)}`;
    add(lowered.error.diagnostics.map((one) => ({ ...one, message: one.message + sizes, severity: "warning" })));
  }
  const isMixed = warnings.size > 0 || graph.devices.has("cpu");
  const remarks = isMixed ? ["in a page JavaScript does the cpu's part, much slower than native code"] : [];
  return { warnings: [...warnings.values(), ...unreadable(graph)], remarks };
}

/** Data that the train block names and pages do not read: one warning a format. */
function unreadable({ train }: Graph): readonly Diagnostic[] {
  const sources = [...(train?.data ?? []), ...(train?.validate?.data ?? [])];
  return (["csv", "npz"] as const).flatMap((kind) => {
    const found = sources.filter(([, { reference }]) => reference.kind === kind);
    const [first] = found;
    if (first === undefined) return [];
    const names = [...new Set(found.map(([name]) => name))];
    const hint = `give \`train\` the rows: \`session.train({ data: { ${names.map((name) => `${name}: ...`).join(", ")} } })\``;
    const message = `a page does not read .${kind}, which ${names.join(", ")} ${names.length === 1 ? "comes" : "come"} from`;
    return [problem("G071", first[1].span, message, { hint, severity: "warning" })];
  });
}
