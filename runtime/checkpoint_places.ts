import { dirname } from "node:path";
import type { Graph } from "../compiler/ir/graph.js";
import type { Span } from "../compiler/ir/span.js";
import { placedAt } from "./failure.js";
import { resolveOutputPath } from "./files/paths.js";
import type { Settings, TrainOptions } from "./train_options.js";

/**
 * The settings with the places of their checkpoints. A `.graph` file's own paths start at its folder and stay in it unless
 * `allow` names another; the caller's are taken as they are. Throws GraphError G063.
 */
export async function placeCheckpoints(graph: Graph, settings: Settings, options: TrainOptions): Promise<Settings> {
  const place = (path: string, span: Span | undefined): Promise<string> =>
    placedAt(span, () =>
      resolveOutputPath(path, { origin: "file", baseDir: dirname(graph.file), allow: options.allow }),
    );
  const { checkpoint, best } = settings;
  const plan = graph.train;
  return {
    ...settings,
    checkpoint:
      checkpoint === undefined || options.checkpoint !== undefined
        ? checkpoint
        : { ...checkpoint, to: await place(checkpoint.to, plan?.checkpoint?.span) },
    best:
      best === undefined || options.best !== undefined ? best : { ...best, to: await place(best.to, plan?.best?.span) },
  };
}
