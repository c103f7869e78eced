import { problem } from "../compiler/ir/codes.js";
import { GraphError } from "../compiler/ir/diagnostic.js";
import { isSymbolic, symbolsOf } from "../compiler/ir/dim.js";
import type { Graph } from "../compiler/ir/graph.js";
import { nearestName } from "../compiler/ir/nearest.js";
import type { Selection } from "../compiler/program.js";
import type { Sizes } from "./options.js";

/** A computation to look at, with the name it is shown under. */
export interface Choice {
  readonly name: string;
  readonly selection: Selection;
}

/** The signature asked for, or all; a graph without any is one computation of all its top-level names. */
export function choicesOf(graph: Graph, signature: string | undefined): readonly Choice[] {
  if (signature !== undefined) return [{ name: signature, selection: { kind: "signature", name: signature } }];
  if (graph.signatures.length > 0) {
    return graph.signatures.map(({ name }) => ({ name, selection: { kind: "signature", name } }));
  }
  const fetches = [...graph.inference.names.keys()].filter((name) => !name.includes("/") && !graph.strings.has(name));
  return fetches.length === 0 ? [] : [{ name: "all names", selection: { kind: "request", fetches, updates: [] } }];
}

/** Where a size came from, as it is shown. */
export type SizeOrigin = "given" | "batch" | "bound";

export interface Sized {
  readonly dims: ReadonlyMap<string, number>;
  readonly origins: ReadonlyMap<string, SizeOrigin>;
  /** Dims that nothing decides. */
  readonly open: readonly string[];
}

/**
 * Sizes for the dims that a computation mentions: those given, else the train block's batch where the train block runs it, else the
 * declared bound. Throws GraphError G083 for a given dim that the graph has not.
 */
export function sizesFor(
  graph: Graph,
  choice: Choice,
  mentioned: ReadonlySet<string>,
  given: Sizes | undefined,
): Sized {
  requireDims(graph, given);
  const batch = trainBatch(graph, choice.name);
  const dims = new Map<string, number>();
  const origins = new Map<string, SizeOrigin>();
  const open: string[] = [];
  for (const name of [...mentioned].sort()) {
    const bound = graph.dims.find((dim) => dim.name === name)?.bound;
    const [size, origin]: readonly [number | undefined, SizeOrigin] =
      given?.has(name) === true
        ? [given.get(name), "given"]
        : batch?.dim === name
          ? [batch.size, "batch"]
          : [bound, "bound"];
    if (size === undefined) open.push(name);
    else {
      dims.set(name, size);
      origins.set(name, origin);
    }
  }
  return { dims, origins, open };
}

/** As `sizesFor`, and throws GraphError G080 where a dim is left open. */
export function requireSizes(
  graph: Graph,
  choice: Choice,
  mentioned: ReadonlySet<string>,
  given: Sizes | undefined,
): Sized {
  const sized = sizesFor(graph, choice, mentioned, given);
  if (sized.open.length === 0) return sized;
  throw new GraphError(
    sized.open.map((name) =>
      problem(
        "G080",
        graph.dims.find((dim) => dim.name === name)?.span,
        `the size of the dim ${name} is not known in \`${choice.name}\``,
        {
          label: "declared without a bound",
          hint: `give \`--dim ${name}=32\`, or declare \`dim ${name} <= 1024\``,
        },
      ),
    ),
  );
}

function requireDims(graph: Graph, given: Sizes | undefined): void {
  const names = graph.dims.map(({ name }) => name);
  const unknown = [...(given?.keys() ?? [])].filter((name) => !names.includes(name));
  if (unknown.length === 0) return;
  throw new GraphError(
    unknown.map((name) => {
      const nearest = nearestName(name, names);
      const others = names.length === 0 ? `\`${graph.name}\` declares no dims` : `its dims are ${names.join(", ")}`;
      return problem("G083", undefined, `there is no dim \`${name}\``, {
        hint: nearest === undefined ? others : `did you mean \`${nearest}\`?`,
      });
    }),
  );
}

/** The dim that the train block's `batch` binds, in the signatures that training runs. */
export function trainBatch(
  graph: Graph,
  signature: string,
): { readonly dim: string; readonly size: number } | undefined {
  const { train } = graph;
  if (train?.batch === undefined || (signature !== train.run && signature !== train.validate?.run)) return undefined;
  // Without data in the file a program gives them: all placeholders that training feeds.
  const fed = graph.signatures.find(({ name }) => name === train.run)?.inputs ?? [];
  for (const name of train.data.size > 0 ? train.data.keys() : fed) {
    const first = graph.placeholders.find((placeholder) => placeholder.name === name)?.value.type.shape[0];
    const [symbol] = first !== undefined && isSymbolic(first) ? symbolsOf(first) : [];
    if (symbol !== undefined) return { dim: symbol, size: train.batch };
  }
  return undefined;
}

/** `N = 32`, or `-` without dims. */
export function sizesText({ dims }: Sized): string {
  return dims.size === 0 ? "-" : [...dims].map(([name, size]) => `${name} = ${size}`).join(", ");
}

/** Says of sizes that were not given where they come from: one remark for each kind. */
export function originRemarks(sized: readonly Sized[]): readonly string[] {
  const byOrigin = new Map<SizeOrigin, Set<string>>();
  for (const { dims, origins } of sized) {
    for (const [name, origin] of origins) {
      const texts = byOrigin.get(origin) ?? new Set<string>();
      byOrigin.set(origin, texts.add(`${name} = ${dims.get(name)}`));
    }
  }
  const remark = (origin: SizeOrigin, source: string): readonly string[] => {
    const texts = byOrigin.get(origin);
    return texts === undefined
      ? []
      : [`${[...texts].join(", ")} ${texts.size === 1 ? "is" : "are"} ${source}; --dim chooses another size`];
  };
  return [...remark("batch", "the train block's batch"), ...remark("bound", "the declared bound")];
}
