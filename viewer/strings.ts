import type { Graph } from "../compiler/ir/graph.js";
import type { Selection } from "../compiler/program.js";
import { shortened } from "./boxes.js";
import type { ViewBuilder } from "./builder.js";

/** Characters of a string that a document quotes. */
const mostText = 400;

/** What a selection fetches that is a string: no op computes it, and no computation has it. */
export function stringsOf({ strings, signatures }: Graph, selection: Selection): ReadonlyMap<string, string> {
  const asked =
    selection.kind === "request"
      ? selection.fetches
      : (signatures.find(({ name }) => name === selection.name)?.outputs ?? []);
  return new Map(
    asked.flatMap((name) => {
      const text = strings.get(name);
      return text === undefined ? [] : [[name, text] as const];
    }),
  );
}

/** Each string as a constant that leads to an output. Gives where they stand, as the stems of other views. */
export function addStrings(builder: ViewBuilder, strings: ReadonlyMap<string, string>): ReadonlyMap<string, number> {
  const made = new Map<string, number>();
  for (const [name, text] of strings) {
    const at = builder.add({
      kind: "constant",
      op: "constant",
      name,
      text: JSON.stringify(shortened(text, mostText)),
      work: "constant",
      role: "forward",
      inputs: [],
      outputs: [builder.type({ dtype: "string", shape: [] })],
      group: -1,
      places: builder.lines.places([builder.sources.stringSpan(name) ?? []].flat()),
      attributes: [],
      stems: builder.sinkStems(`constant ${name}`),
      why: [],
    });
    made.set(`constant ${name}`, at);
    made.set(`output ${name}`, builder.sink("output", name, [[at, 0]], "forward", -1));
  }
  return made;
}
