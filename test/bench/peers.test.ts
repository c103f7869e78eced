import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { type Peer, peerEnvironment, peerKey, peersOf, runPeer, startPeer } from "../../bench/peers.js";

/** A peer that runs a script of JavaScript, which finds the workload's name in `process.argv[1]`. */
const peer = (script: string, rest: Partial<Peer> = {}): Peer => ({
  title: "Fake",
  command: [process.execPath, "-e", script],
  workloads: ["W4"],
  install: "nothing",
  ...rest,
});
const run = (one: Peer, limit?: number) => runPeer(one, "W4", tmpdir(), process.env, limit);

test("a peer's process is given the workload's name, and its lines are read", (t) => {
  const script = `
    console.log("warming up");
    console.log(JSON.stringify({ name: process.argv[1] + " forward", median_us: 1500 }))`;
  t.deepEqual(run(peer(script)), {
    kind: "ran",
    lines: [{ name: "W4 forward", result: { kind: "time", seconds: 0.0015, contended: false } }],
  });
});

test("what a peer printed counts though it ends badly or too late", (t) => {
  const line = `console.log('{"name": "W4 forward", "median_us": 1}')`;
  t.is(run(peer(`${line}; process.exitCode = 3`)).kind, "ran");
  const late = run(peer(`${line}; setTimeout(() => {}, 60_000)`), 6);
  t.is(late.kind === "ran" ? late.cut : undefined, "stopped after 6 s");
});

test("a peer that can't run at all says why in a line: no program, no library, no variable", (t) => {
  t.deepEqual(run(peer("", { command: ["graphc-no-such-program", "bench.py"] })), {
    kind: "absent",
    why: "there is no program graphc-no-such-program",
  });
  const library = run(peer(`require("graphc-no-such-library")`));
  t.deepEqual(library, { kind: "absent", why: "Error: Cannot find module 'graphc-no-such-library'" });
  const python = `console.error("Traceback (most recent call last):\\n  File x\\nModuleNotFoundError: No module named 'torch'"); process.exit(1)`;
  t.deepEqual(run(peer(python)), { kind: "absent", why: "ModuleNotFoundError: No module named 'torch'" });
  t.deepEqual(run(peer("", { environment: ["GRAPHC_NO_SUCH_VARIABLE"] })), {
    kind: "absent",
    why: "GRAPHC_NO_SUCH_VARIABLE is not set",
  });
});

test("a workload that gives nothing is that workload's failure only", (t) => {
  t.deepEqual(run(peer("")), { kind: "failed", why: "it printed no result and ended with 0" });
  t.deepEqual(run(peer("setTimeout(() => {}, 60_000)"), 1), { kind: "failed", why: "stopped after 1 s" });
});

test("a start-up is a whole process, whose loss has to be right", (t) => {
  const begin = (script: string) => startPeer(peer(script), tmpdir(), process.env, 2);
  const right = begin(`if (process.argv[1] === "W10") setTimeout(() => console.log("first loss 2.3025853"), 200)`);
  t.true(right.kind === "started" && right.seconds > 0.2 && right.seconds < 30, JSON.stringify(right));
  t.deepEqual(begin(`console.log("first loss 2.31")`), {
    kind: "failed",
    why: "its first loss is 2.31 where 2.302585 is right",
  });
  t.deepEqual(begin(""), { kind: "failed", why: "it printed no result and ended with 0" });
  t.deepEqual(begin(`require("graphc-no-such-library")`), {
    kind: "absent",
    why: "Error: Cannot find module 'graphc-no-such-library'",
  });
});

test("peers run on one thread, find MNIST, and are not slowed down by what the environment says", (t) => {
  const { OPENBLAS_CORETYPE: core, ...rest } = peerEnvironment(
    { OPENBLAS_CORETYPE: "Haswell", HOME: "/h" },
    "/p",
    "/m",
  );
  t.is(core, undefined);
  t.deepEqual(rest, {
    HOME: "/h",
    OPENBLAS_NUM_THREADS: "1",
    OMP_NUM_THREADS: "1",
    PYTHONDONTWRITEBYTECODE: "1",
    MNIST_DIR: "/m",
    PEERS_NPM: "/p",
  });
  const given = peerEnvironment({ MNIST_DIR: "/other", PEERS_NPM: "/npm" }, "/p", "/m");
  t.like(given, { MNIST_DIR: "/other", PEERS_NPM: "/npm" });
});

test("a folder's peers.json stands instead of the usual peers; what is wrong in it is told", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "graphc-peers-"));
  const write = (text: string): void => writeFileSync(join(folder, "peers.json"), text);
  try {
    t.true(peersOf(folder).some(({ title }) => title === "PyTorch"));
    write(`[{ "title": "My own", "command": ["./bench", "-1"], "workloads": ["W4"], "environment": ["MODELS"] }]`);
    t.deepEqual(peersOf(folder), [
      {
        title: "My own",
        command: ["./bench", "-1"],
        workloads: ["W4"],
        install: "see its own documentation",
        environment: ["MODELS"],
      },
    ]);
    t.is(peerKey("My own"), "my-own");
    write("{");
    t.throws(() => peersOf(folder), { message: /peers\.json: .*JSON/ });
    write("{}");
    t.throws(() => peersOf(folder), { message: /it is not a list of peers/ });
    for (const entry of [
      null,
      1,
      {},
      { title: "A", command: [], workloads: [] },
      { title: "A", command: "a", workloads: [] },
    ]) {
      write(JSON.stringify([entry]));
      t.throws(() => peersOf(folder), { message: /entry 1 lacks/ });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
