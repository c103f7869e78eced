import { parseArgs } from "node:util";

/** What `make bench` was asked for. */
export interface BenchOptions {
  /** Names of workloads and `startup`; empty is all of them. */
  readonly only: readonly string[];
  /** Keys of peers; undefined is all of them. */
  readonly peers: readonly string[] | undefined;
}

/** Names of workloads, then `--peers KEY,...`. Throws an Error that names what there is where one is unknown. */
export function readOptions(
  parameters: readonly string[],
  workloads: readonly string[],
  peers: readonly string[],
): BenchOptions {
  const { positionals, values } = parseArgs({
    args: [...parameters],
    allowPositionals: true,
    options: { peers: { type: "string" } },
  });
  const split = (text: string): readonly string[] => text.split(/[\s,]+/).filter((word) => word !== "");
  const only = positionals.flatMap(split);
  const chosen = values.peers === undefined ? undefined : split(values.peers).filter((key) => key !== "none");
  requireKnown("workload", only, workloads);
  requireKnown("peer", chosen ?? [], peers);
  return { only, peers: chosen };
}

function requireKnown(what: string, names: readonly string[], known: readonly string[]): void {
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  throw new Error(
    `there is no ${what} ${unknown.join(", ")}; known are ${known.map((name) => `\`${name}\``).join(", ")}`,
  );
}
