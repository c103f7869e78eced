/** Other programs that do the same work: which there are, and how one is run. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { median } from "../cli/samples.js";
import { oneLine, type PeerLine, parsePeerLines } from "./peer_lines.js";

export interface Peer {
  /** The title of its column. */
  readonly title: string;
  /** Run in the peers' folder, with the name of a workload as the last parameter. */
  readonly command: readonly string[];
  /** The workloads that it has. */
  readonly workloads: readonly string[];
  /** How it is installed. */
  readonly install: string;
  /** Variables of the environment that it needs. */
  readonly environment?: readonly string[];
}

/** A process that does the first step of W2, prints `first loss NUMBER` and ends. */
export const startupWorkload = "W10";

const python = existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "python3";
const trained = ["W1", "W2", "W3", "W4", "W6", "W7", "W8"];
const npm = "npm install --ignore-scripts in the peers' folder or a copy of it, which PEERS_NPM names";

/** Those whose scripts the folder has, where it has no `peers.json` of its own. */
const usualPeers: readonly Peer[] = [
  {
    title: "PyTorch",
    command: [python, "torch_bench.py", "--epochs", "1"],
    workloads: [...trained, startupWorkload],
    install: "the Debian packages python3-torch, python3-numpy and libopenblas0-pthread",
  },
  {
    title: "NumPy",
    command: [python, "numpy_bench.py"],
    workloads: ["W1", "W2", "W3", "W7", "W8", startupWorkload],
    install: "the Debian packages python3-numpy and libopenblas0-pthread",
  },
  {
    title: "ONNX Runtime",
    command: [process.execPath, "ort_bench.mjs"],
    workloads: ["W3", "W4", "W6", "W7", "W8"],
    install: `${npm}, and export_onnx.py, which writes the models to ONNX_DIR`,
    environment: ["ONNX_DIR"],
  },
  {
    title: "TensorFlow.js",
    command: [process.execPath, "tfjs_bench.mjs", "--backend", "wasm", "--epochs", "1"],
    workloads: [...trained, startupWorkload],
    install: npm,
  },
  {
    title: "jax-js",
    command: [process.execPath, "jaxjs_bench.mjs", "--epochs", "1"],
    // A step of W4 takes it ten seconds, the whole of W4 minutes.
    workloads: [...trained.filter((name) => name !== "W4"), startupWorkload],
    install: npm,
  },
];

/** Peers' names as a user types them: `onnx-runtime`. */
export const peerKey = (title: string): string => title.toLowerCase().replace(/[^a-z0-9]+/g, "-");

/** Throws an Error that says what is wrong with the folder's `peers.json`. */
export function peersOf(folder: string): readonly Peer[] {
  const file = join(folder, "peers.json");
  if (!existsSync(file)) return usualPeers;
  const wrong = (what: string): Error => new Error(`${file}: ${what}; bench/README.md describes it`);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error));
  }
  if (!Array.isArray(value)) throw wrong("it is not a list of peers");
  const entries: readonly unknown[] = value;
  return entries.map((entry, index) => {
    const peer = peerOf(entry);
    if (peer === undefined) {
      throw wrong(`entry ${index + 1} lacks \`title\`, \`command\` or \`workloads\`, or one is of another type`);
    }
    return peer;
  });
}

function peerOf(entry: unknown): Peer | undefined {
  if (typeof entry !== "object" || entry === null) return undefined;
  const { title, command, workloads, install, environment }: Readonly<Record<string, unknown>> = { ...entry };
  if (typeof title !== "string" || !isTexts(command) || command.length === 0 || !isTexts(workloads)) return undefined;
  if (install !== undefined && typeof install !== "string") return undefined;
  if (environment !== undefined && !isTexts(environment)) return undefined;
  return {
    title,
    command,
    workloads,
    install: install ?? "see its own documentation",
    ...(environment === undefined ? {} : { environment }),
  };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === "string");
}

/** What a run of a peer's process gave. */
export type PeerRun =
  /** `cut` says why it ended before its own end. */
  | { readonly kind: "ran"; readonly lines: readonly PeerLine[]; readonly cut?: string }
  /** It can't run here, with any workload. */
  | { readonly kind: "absent"; readonly why: string }
  /** This workload gave nothing. */
  | { readonly kind: "failed"; readonly why: string };

/** One process for one workload, which ends within `limit` seconds or is stopped. */
export function runPeer(
  peer: Peer,
  workload: string,
  folder: string,
  environment: NodeJS.ProcessEnv,
  limit = 120,
): PeerRun {
  const child = spawnPeer(peer, workload, folder, environment, limit);
  if (child.kind !== "ended") return child;
  const lines = parsePeerLines(child.stdout);
  if (lines.length === 0) return { kind: child.isFine ? "failed" : "absent", why: child.why };
  return child.isCut ? { kind: "ran", lines, cut: child.why } : { kind: "ran", lines };
}

/** Seconds of whole processes that each do one step of W2 from zero weights, whose loss is the logarithm of 10. */
export function startPeer(
  peer: Peer,
  folder: string,
  environment: NodeJS.ProcessEnv,
  repeats = 5,
): { readonly kind: "started"; readonly seconds: number } | Exclude<PeerRun, { readonly kind: "ran" }> {
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    const child = spawnPeer(peer, startupWorkload, folder, environment, 60);
    times.push((performance.now() - start) / 1000);
    if (child.kind !== "ended") return child;
    const [, loss] = /^first loss (\S+)$/m.exec(child.stdout) ?? [];
    if (loss === undefined) return { kind: child.isFine ? "failed" : "absent", why: child.why };
    if (!(Math.abs(Number(loss) - Math.log(10)) < 1e-3)) {
      return { kind: "failed", why: `its first loss is ${loss} where 2.302585 is right` };
    }
  }
  return { kind: "started", seconds: median(times) };
}

type PeerProcess =
  | {
      readonly kind: "ended";
      readonly stdout: string;
      /** Its exit code was 0. */
      readonly isFine: boolean;
      /** It was stopped. */
      readonly isCut: boolean;
      /** What it complained of, for where its output is of no use. */
      readonly why: string;
    }
  | { readonly kind: "absent"; readonly why: string };

function spawnPeer(
  peer: Peer,
  workload: string,
  folder: string,
  environment: NodeJS.ProcessEnv,
  limit: number,
): PeerProcess {
  const missing = (peer.environment ?? []).filter((name) => (environment[name] ?? "") === "");
  if (missing.length > 0) return { kind: "absent", why: `${missing.join(" and ")} is not set` };
  const [program = "", ...parameters] = peer.command;
  const child = spawnSync(program, [...parameters, workload], {
    cwd: folder,
    env: environment,
    encoding: "utf8",
    timeout: limit * 1000,
    killSignal: "SIGKILL",
    maxBuffer: 2 ** 26,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stdout = child.stdout ?? "";
  if (child.error !== undefined) {
    const code = "code" in child.error ? child.error.code : undefined;
    if (code === "ENOENT") return { kind: "absent", why: `there is no program ${program}` };
    const why = code === "ETIMEDOUT" ? `stopped after ${limit} s` : oneLine(child.error.message);
    return { kind: "ended", stdout, isFine: true, isCut: true, why };
  }
  const why = complaint(child.stderr) ?? `it printed no result and ended with ${child.status ?? child.signal}`;
  return { kind: "ended", stdout, isFine: child.status === 0, isCut: false, why };
}

/** The line of a traceback, of Python's or of Node's, that says what is wrong. */
function complaint(text: string): string | undefined {
  const lines = text.trim().split("\n");
  const line = lines.find((one) => /^\w*Error\b.*:/.test(one)) ?? lines.at(-1) ?? "";
  return line === "" ? undefined : oneLine(line);
}

/** One thread, MNIST where the development dependency has it, and nothing that slows a library down. */
export function peerEnvironment(given: NodeJS.ProcessEnv, folder: string, mnist: string): NodeJS.ProcessEnv {
  const {
    OPENBLAS_CORETYPE: _coreType,
    OPENBLAS_L2_SIZE: _cacheSize,
    ATEN_CPU_CAPABILITY: _capability,
    ...rest
  } = given;
  return {
    ...rest,
    OPENBLAS_NUM_THREADS: "1",
    OMP_NUM_THREADS: "1",
    PYTHONDONTWRITEBYTECODE: "1",
    MNIST_DIR: given["MNIST_DIR"] ?? mnist,
    PEERS_NPM: given["PEERS_NPM"] ?? folder,
  };
}
