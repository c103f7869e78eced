import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import test from "ava";

const binary = fileURLToPath(new URL("../../cli/main.js", import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What `graphc lsp` says of pieces of input that come one by one, and then end; it may end itself. */
function fed(pieces: readonly string[], parameters: readonly string[] = [], ends = true): Promise<Ended> {
  const child = spawn(process.execPath, [binary, "lsp", ...parameters], { stdio: "pipe" });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  // It may end before it has read all.
  child.stdin.on("error", () => undefined);
  for (const piece of pieces) child.stdin.write(piece);
  if (ends) child.stdin.end();
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, stdout, stderr })));
}

function message(content: object): string {
  const text = JSON.stringify({ jsonrpc: "2.0", ...content });
  return `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

const initialize = message({
  id: 1,
  method: "initialize",
  params: { processId: null, rootUri: null, capabilities: {} },
});

test("input that is no message of the protocol is refused with what is expected", async (t) => {
  for (const [pieces, said] of [
    [["hello\n"], /"hello\\n" where a message begins with `Content-Length: `/],
    [["hel"], /"hel" where/],
    [["Content-Length: x\r\n\r\n"], /where a message begins/],
    [["Content-Type: text\r\n\r\n{}"], /where a message begins/],
    [["Content-Length: 2\n\n{}"], /where a message begins/],
    [["x".repeat(100_000)], /"x{37}\.\.\."/],
    [[initialize, "{}"], /"\{\}" where a message begins/],
    [["Content-Len"], /"Content-Len" where a message begins/],
    [[], /ended without a message/],
  ] as const) {
    const { code, stderr } = await fed(pieces);
    t.is(code, 2, pieces.join());
    t.regex(stderr, said);
    t.regex(stderr, /an editor starts `graphc lsp`/);
  }
});

test("there is no --json", async (t) => {
  const { code, stdout } = await fed([], ["--json"]);
  t.is(code, 2);
  t.regex(JSON.parse(stdout).error.message, /`lsp` has no `--json`/);
});

test("messages may come in any pieces, with any headers that the protocol knows", async (t) => {
  const all =
    initialize.replace("Content-Length", "content-type: application/vscode-jsonrpc; charset=utf-8\r\nCONTENT-LENGTH") +
    message({ id: 2, method: "shutdown" }) +
    message({ method: "exit" });
  const { code, stdout, stderr } = await fed([...all], [], false);
  t.is(stderr, "");
  t.is(code, 0);
  t.regex(stdout, /"id":1,"result":\{/);
});

test("an editor that goes away without a word is told of", async (t) => {
  const { code, stderr } = await fed([initialize]);
  t.is(code, 1);
  t.regex(stderr, /before the editor said `shutdown` and `exit`/);
});
