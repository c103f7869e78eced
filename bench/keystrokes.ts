import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  createProtocolConnection,
  type InitializeResult,
  type PublishDiagnosticsParams,
} from "vscode-languageserver/node";
import { median } from "../cli/samples.js";
import { type LongFile, longFiles } from "./long_files.js";
import { showUsage } from "./usage.js";

/**
 * What a keystroke costs in a file of a thousand lines, from the change to the last answer, through the server's own messages: an editor
 * tells the change, then asks for what has changed of the colours and for the hints of the lines that it shows, and gets the problems. Run it on a calm machine;
 * the load is printed beside the figures. On Linux the time that the server's thread spent
 * on a processor is told, too, which other work on the machine changes less. Parameters: how often, the `cli/main.js` of another build,
 * how many lines, and how long the typist rests between two keys.
 */
const parameters = process.argv.slice(2);
const [
  asked = "1",
  binary = fileURLToPath(new URL("../cli/main.js", import.meta.url)),
  length = "1000",
  rest = "90",
  ...more
] = parameters;
showUsage(
  `usage: node dist/bench/keystrokes.js [REPEATS] [MAIN] [LINES] [REST]

Measures what a keystroke costs in files of LINES lines (1000), each place REPEATS times (1), with the cli/main.js of this build or of
another, MAIN: once as people type, who look at a file for two seconds before the first key, and rest for REST milliseconds (90) between
the last answer and the next key, and once without any rest.`,
  parameters,
  [asked, length, rest].every((one) => /^[1-9]\d{0,3}$/.test(one)) && more.length === 0
    ? undefined
    : "REPEATS, LINES and REST are whole numbers from 1 to 9999",
);
const repeats = Number(asked);

/** When the typist rests, in milliseconds. */
interface Pace {
  readonly beforeTyping: number;
  readonly betweenKeys: number;
}

const human: Pace = { beforeTyping: 2000, betweenKeys: Number(rest) };
const restless: Pace = { beforeTyping: 0, betweenKeys: 0 };

/** What a keystroke may take, in milliseconds, so that nobody waits for it. */
const limit = 100;

/** What is typed, letter by letter, and deleted again. */
const typed = " + 1.0";

interface Place {
  readonly line: number;
  readonly character: number;
}

/** Ends of lines with a call, spread over the file. */
function places(text: string): readonly Place[] {
  const found = text.split("\n").flatMap((line, i) => {
    return /^\s+\w+ = .*\)$/.test(line) ? [{ line: i, character: line.length }] : [];
  });
  return [0.05, 0.3, 0.5, 0.8].map((share) => found[Math.floor(share * found.length)] ?? { line: 0, character: 0 });
}

/** Milliseconds that each thread of a process has run on a processor; none where the system does not tell. */
function processorTimes(pid: number | undefined): ReadonlyMap<string, number> {
  try {
    return new Map(
      readdirSync(`/proc/${pid}/task`).map((thread) => {
        const [ran] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
        return [thread, Number(ran) / 1e6];
      }),
    );
  } catch {
    return new Map();
  }
}

/** What the thread that worked most did since then: the others collect garbage and compile beside it. */
function processorTimeSince(before: ReadonlyMap<string, number>, pid: number | undefined): number {
  const spent = [...processorTimes(pid)].map(([thread, ran]) => ran - (before.get(thread) ?? 0));
  return spent.length === 0 ? Number.NaN : Math.max(...spent);
}

interface Told {
  readonly resultId: string;
}

interface Keystroke {
  /** Where it was, and what was typed; lines and columns from 1. */
  readonly place: string;
  readonly time: number;
  readonly processor: number;
}

interface Measured {
  readonly opened: number;
  readonly keystrokes: readonly Keystroke[];
}

async function measure({ name, text }: LongFile, { beforeTyping, betweenKeys }: Pace): Promise<Measured> {
  const child = spawn(process.execPath, [binary, "lsp"], { stdio: ["pipe", "pipe", "inherit"] });
  const connection = createProtocolConnection(child.stdout, child.stdin);
  const uri = `file:///nowhere/${name}.graph`;
  let told: (() => void) | undefined;
  connection.onNotification("textDocument/publishDiagnostics", (parameters: PublishDiagnosticsParams) => {
    if (parameters.uri === uri) told?.();
  });
  const problems = (): Promise<void> => new Promise((resolve) => (told = resolve));
  connection.listen();
  const client = { processId: process.pid, rootUri: null, capabilities: {} };
  const { capabilities } = await connection.sendRequest<InitializeResult>("initialize", client);
  const provider = capabilities.semanticTokensProvider;
  const tellsChanges = typeof provider?.full === "object" && provider.full.delta === true;
  await connection.sendNotification("initialized", {});
  const start = performance.now();
  const first = problems();
  await connection.sendNotification("textDocument/didOpen", {
    textDocument: { uri, languageId: "graph", version: 1, text },
  });
  await first;
  let colours = await connection.sendRequest<Told>("textDocument/semanticTokens/full", { textDocument: { uri } });
  const opened = performance.now() - start;
  const keystrokes: Keystroke[] = [];
  let version = 1;
  const change = async (range: { readonly start: Place; readonly end: Place }, inserted: string): Promise<void> => {
    if (betweenKeys > 0) await setTimeout(betweenKeys);
    const [begin, spent] = [performance.now(), processorTimes(child.pid)];
    const done = problems();
    const textDocument = { uri };
    const around = {
      start: { line: Math.max(0, range.start.line - 30), character: 0 },
      end: { line: range.start.line + 30, character: 0 },
    };
    version++;
    const change = { textDocument: { uri, version }, contentChanges: [{ range, text: inserted }] };
    await connection.sendNotification("textDocument/didChange", change);
    const told = tellsChanges
      ? connection.sendRequest<Told>("textDocument/semanticTokens/full/delta", {
          textDocument,
          previousResultId: colours.resultId,
        })
      : connection.sendRequest<Told>("textDocument/semanticTokens/full", { textDocument });
    [colours] = await Promise.all([
      told,
      done,
      connection.sendRequest("textDocument/inlayHint", { textDocument, range: around }),
    ]);
    keystrokes.push({
      place: `${range.start.line + 1}:${range.start.character + 1}, ${inserted === "" ? "a deletion" : JSON.stringify(inserted)}`,
      time: performance.now() - begin,
      processor: processorTimeSince(spent, child.pid),
    });
  };
  if (beforeTyping > 0) await setTimeout(beforeTyping);
  for (let i = 0; i < repeats; i++) {
    for (const place of places(text)) {
      const at = (behind: number): Place => ({ ...place, character: place.character + behind });
      for (const [k, letter] of [...typed].entries()) await change({ start: at(k), end: at(k) }, letter);
      for (let k = typed.length; k > 0; k--) await change({ start: at(k - 1), end: at(k) }, "");
    }
  }
  await connection.sendRequest("shutdown");
  await connection.sendNotification("exit");
  connection.dispose();
  return { opened, keystrokes };
}

console.log(
  `${cpus()[0]?.model ?? "processor unknown"}, load ${loadavg()
    .map((load) => load.toFixed(1))
    .join(" ")}\n`,
);
/** The least that is no less than a share of all. */
function most(all: readonly number[], share: number): number {
  return [...all].sort((a, b) => a - b)[Math.ceil(share * all.length) - 1] ?? Number.NaN;
}

async function tell(title: string, pace: Pace): Promise<void> {
  const heads = ["lines", "opened", "median", "95 %", "longest", `over ${limit} ms`, "processor", "95 %", "longest"];
  console.log(`${title}\n\n${"file".padEnd(12)}${heads.map((one) => one.padStart(12)).join("")}`);
  const slowest: string[] = [];
  for (const file of longFiles(Number(length))) {
    const { opened, keystrokes } = await measure(file, pace);
    const spread = (all: readonly number[]): readonly number[] => [median(all), most(all, 0.95), most(all, 1)];
    const shown = (all: readonly number[]): readonly string[] => all.map((time) => `${time.toFixed(1)} ms`);
    const times = keystrokes.map(({ time }) => time);
    const processor = keystrokes.map(({ processor }) => processor);
    const over = `${times.filter((time) => time > limit).length} of ${times.length}`;
    const lines = String(file.text.split("\n").length);
    const cells = [lines, ...shown([opened, ...spread(times)]), over, ...shown(spread(processor))].map((one) =>
      one.padStart(12),
    );
    console.log(`${file.name.padEnd(12)}${cells.join("")}`);
    const [last] = [...keystrokes].sort((a, b) => b.time - a.time);
    const number = last === undefined ? 0 : keystrokes.indexOf(last) + 1;
    slowest.push(`the longest in ${file.name}: keystroke ${number} of ${keystrokes.length}, at ${last?.place}`);
  }
  console.log(`\n${slowest.join("\n")}\n`);
}

await tell(
  `As people type: ${human.beforeTyping} ms between opening and the first key, ${human.betweenKeys} ms between an answer and the next key.`,
  human,
);
await tell("Without rest: each key follows the last answer at once.", restless);
console.log(
  `load ${loadavg()
    .map((load) => load.toFixed(1))
    .join(" ")}`,
);
