import { createRequire } from "node:module";
import type { ELK } from "elkjs/lib/elk-api.js";
import type { LayoutEngine } from "./layout.js";

/** The layout engine in this process. It is large, so it is loaded when first asked for. */
export function localEngine(): LayoutEngine {
  let elk: ELK | undefined;
  return (graph) => {
    elk ??= new (createRequire(import.meta.url)("elkjs/lib/elk.bundled.js") as new () => ELK)();
    return elk.layout(graph);
  };
}
