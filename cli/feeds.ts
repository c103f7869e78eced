import { existsSync } from "node:fs";
import { problem } from "../compiler/ir/codes.js";
import { type Diagnostic, GraphError } from "../compiler/ir/diagnostic.js";
import type { NumericDType } from "../compiler/ir/dtype.js";
import type { Graph } from "../compiler/ir/graph.js";
import { typeText } from "../compiler/ir/type.js";
import { loadData } from "../runtime/data/load.js";
import { parseDataArgument } from "../runtime/data/references.js";
import { placeholderNamed } from "../runtime/dataset.js";
import { type FeedValue, outOfRange } from "../runtime/feeds.js";
import { UsageError } from "./failure.js";
import type { Named } from "./options.js";
import { readLiteral, tooLargeIn } from "./values.js";

/** The values of `--feed`: literals as they stand; anything else is a data file. Rejects with GraphError, with all that is refused. */
export async function readFeeds(graph: Graph, feeds: Named | undefined): Promise<Readonly<Record<string, FeedValue>>> {
  const read: [string, FeedValue][] = [];
  const problems: Diagnostic[] = [];
  for (const [name, text] of feeds ?? []) {
    try {
      read.push([name, await readOne(graph, name, text)]);
    } catch (error) {
      if (!(error instanceof GraphError)) throw error;
      problems.push(...error.diagnostics);
    }
  }
  if (problems.length > 0) throw new GraphError(problems);
  return Object.fromEntries(read);
}

async function readOne(graph: Graph, name: string, text: string): Promise<FeedValue> {
  const placeholder = placeholderNamed(graph, name);
  const literal = readLiteral(text);
  if (typeof literal === "string") {
    const message = `\`${name}\` is ${typeText(placeholder.value.type)} and was fed a string`;
    throw new GraphError([
      problem("G082", placeholder.span, message, {
        label: "declared here",
        hint: "feed numbers, as in [[1, 2], [3, 4]], or a data file by its path",
      }),
    ]);
  }
  const tooLarge = literal === undefined ? undefined : tooLargeIn(text);
  if (tooLarge !== undefined) throw outOfRange(placeholder, tooLarge);
  if (literal !== undefined) return literal;
  if (text.trimStart().startsWith("[") && !existsSync(text)) {
    throw new UsageError(`--feed ${name} is not a list of numbers: ${shorten(text)}`);
  }
  const dtype = placeholder.value.type.dtype as NumericDType;
  return await loadData(parseDataArgument(text), { origin: "user", name, dtype });
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 60)} ... ${text.slice(-15)}` : text;
}
