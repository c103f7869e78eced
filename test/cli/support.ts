import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execute } from "../../cli/execute.js";

export const binary = fileURLToPath(new URL("../../cli/main.js", import.meta.url));

export interface Ended {
  /** The exit code, or the name of the signal that ended the process. */
  readonly code: number | NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

export interface StartOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the built binary as a user would, away from any terminal. */
export function start(parameters: readonly string[], { cwd, env }: StartOptions = {}): Started {
  const clean = { ...process.env, ...env };
  for (const name of ["FORCE_COLOR", "NO_COLOR", "GRAPHC_DEBUG"]) if (env?.[name] === undefined) delete clean[name];
  const child = spawn(process.execPath, [binary, ...parameters], {
    cwd,
    env: clean,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code: signal ?? code, stdout, stderr }));
  });
  return { child, ended };
}

export function graphc(parameters: readonly string[], options: StartOptions = {}): Promise<Ended> {
  return start(parameters, options).ended;
}

/** A new folder with these files. */
export function folderWith(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), "graphc-cli-"));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

/** The one JSON object on a line that standard output must be. */
export function onlyObject({ stdout }: Ended): Readonly<Record<string, unknown>> {
  const lines = stdout.split("\n");
  if (lines.length !== 2 || lines[1] !== "") throw new Error(`not one line: ${JSON.stringify(stdout)}`);
  const value: unknown = JSON.parse(lines[0] ?? "");
  if (!isRecord(value)) throw new Error(`not an object: ${stdout}`);
  return value;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The member of nested objects and lists; fails where there is none. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) {
      throw new Error(`no ${path.join(".")} in ${JSON.stringify(value)}`);
    }
    found = Object.entries(found).find(([name]) => name === String(key))?.[1];
  }
  return found;
}

/** The codes of the diagnostics that `--json` printed. */
export function codesOf(ended: Ended): readonly unknown[] {
  const diagnostics = at(onlyObject(ended), "diagnostics");
  return Array.isArray(diagnostics) ? diagnostics.map((d) => at(d, "code")) : [];
}

/** Fits y = 2 x + 1; every size of batch is allowed, so that flags can be seen to work. */
export const lineGraph = `## A straight line.
graph line {
  seed 7
  dim N <= 64
  placeholder x: f32[N]
  placeholder y: f32[N]
  placeholder rate: f32 = 0.1
  variable w: f32 = 0
  variable b: f32 = 0
  p = x * w + b
  scope metrics {
    loss = mean((p - y) ** 2)
  }
  dw, db = gradients(metrics.loss, [w, b])
  update learn {
    w := w - rate * dw
    b := b - rate * db
  }
  signature predict(x) -> (p)
  signature evaluate(x, y) -> (metrics.loss)
  signature fit(x, y) does learn -> (metrics.loss)
  train {
    run = fit
    data = { x = csv("line.csv"), y = csv("line.csv") }
    batch = 4
    steps = 40
    report = { every = 10, of = [metrics.loss, w, b] }
  }
}
`;

/** What a run says of its variables that nobody has trained. */
export const untrained =
  "note: w and 1 other variable have their initial values; --weights PATH takes those that `graphc train --save PATH` wrote\n";

/** Sixteen rows of the line y = 2 x + 1. */
export const lineTable = `x,y\n${Array.from({ length: 16 }, (_, i) => `${i / 8 - 1},${(i / 8 - 1) * 2 + 1}`).join("\n")}\n`;

export function lineFolder(): string {
  return folderWith({ "line.graph": lineGraph, "line.csv": lineTable });
}

/** What `work` writes to this process's streams, and the code that it gives. */
export async function capture(work: () => Promise<number>): Promise<Ended> {
  const real = { stdout: process.stdout.write, stderr: process.stderr.write };
  const written = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    process[name].write = (text: string | Uint8Array) => {
      written[name] += typeof text === "string" ? text : Buffer.from(text).toString();
      return true;
    };
  }
  try {
    const code = await work();
    return { code, ...written };
  } finally {
    for (const name of ["stdout", "stderr"] as const) process[name].write = real[name];
  }
}

/**
 * The same as `graphc` within this process, which spares starting one: for what depends on neither signals nor streams.
 * Tests that use it are serial, since a process has one working directory and one standard output.
 */
export async function graphcHere(parameters: readonly string[], { cwd }: StartOptions = {}): Promise<Ended> {
  const before = process.cwd();
  try {
    if (cwd !== undefined) process.chdir(cwd);
    return await capture(() => execute(parameters));
  } finally {
    process.chdir(before);
  }
}
