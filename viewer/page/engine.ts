import ELK from "elkjs/lib/elk-api.js";
import type { LayoutEngine } from "../layout.js";
import { embedded } from "./dom.js";

/** The layout engine, in a worker of its own: the page stays smooth meanwhile. */
export function workerEngine(): LayoutEngine {
  const started = embedded("engine").then((code) => {
    const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    return new ELK({ workerFactory: () => new Worker(address) });
  });
  return async (graph) => (await started).layout(graph);
}
