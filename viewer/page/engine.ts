import ELK from "elkjs/lib/elk-api.js";
import type { LayoutEngine } from "../layout.js";
import { embedded } from "./dom.js";

/** The layout engine, in a worker of its own: the page stays smooth meanwhile. */
export function workerEngine(): LayoutEngine {
  const started = embedded("engine").then((code) => {
    performance.mark("engine unpacked");
    const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    return new ELK({ workerFactory: () => new Worker(address) });
  });
  return async (graph) => {
    const result = await (await started).layout(graph);
    if (performance.getEntriesByName("first layout").length === 0) performance.mark("first layout");
    return result;
  };
}
