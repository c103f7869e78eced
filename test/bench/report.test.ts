import test from "ava";
import { readOptions } from "../../bench/options.js";
import { type PeerLine, parsePeerLines } from "../../bench/peer_lines.js";
import { remarks, resultFor, rowCells, tableLine, timeText, titlesOf } from "../../bench/report.js";
import { type Row, workloads } from "../../bench/workloads.js";

const row: Row = {
  name: "convnet, forward",
  shown: "time",
  goal: 0.01,
  operations: 2e9,
  peer: { name: "W4 lenet forward", holds: 1 },
};
const own = { seconds: 0.012, contended: false };
const lines = (...objects: readonly object[]): readonly PeerLine[] =>
  parsePeerLines(objects.map((one) => JSON.stringify(one)).join("\n"));
const only = (object: object) => lines({ name: "W4 lenet forward", ...object })[0]?.result;

test("lines of JSON with a name and a time are read, others passed over", (t) => {
  const text = [
    "Downloading...",
    '{"name": "W1 linreg step", "peer": "x", "median_us": 50.5, "contended": true, "ok": true}',
    '{"name": "W1 linreg weight", "check": "w1_w", "ok": true}',
    '{"name": 4, "median_us": 1}',
    '{"median_us": 1}',
    "{broken",
    "[1, 2]",
    "",
  ].join("\r\n");
  t.deepEqual(parsePeerLines(text), [
    { name: "W1 linreg step", result: { kind: "time", seconds: 50.5e-6, contended: true } },
  ]);
  t.deepEqual(parsePeerLines(""), []);
});

test("a wrong result has no time: what it computed is told", (t) => {
  const time = { median_us: 5 };
  t.deepEqual(only({ ...time, ok: false, value: 9952719, ref: 9458752.4 }), {
    kind: "wrong",
    detail: "it computed 9952719 where 9458752.4 is right",
  });
  t.deepEqual(only({ ...time, ok: false, accuracy: 0.1 }), { kind: "wrong", detail: "its accuracy is 0.1" });
  t.deepEqual(only({ ...time, ok: false }), { kind: "wrong", detail: "its result is wrong" });
  t.is(only({ ...time, ok: null })?.kind, "time");
});

test("an error, and a time that is none, are failures", (t) => {
  t.deepEqual(only({ error: "no kernel\nmore" }), { kind: "failed", detail: "no kernel" });
  for (const median_us of [0, -1, "5", null]) t.is(only({ median_us })?.kind, "failed", JSON.stringify(median_us));
  const result = only({ error: "e".repeat(500) });
  t.is(result?.kind === "failed" ? result.detail.length : 0, 120);
});

test("a peer's time is divided by how many of ours it holds, and a workload's failure is each row's", (t) => {
  const epoch: Row = { ...row, peer: { name: "W3 dnn epoch", holds: 1875 } };
  const found = resultFor(epoch, lines({ name: "W3 dnn epoch", median_us: 1.875e6 }));
  t.deepEqual(found, { kind: "time", seconds: 0.001, contended: false });
  t.deepEqual(resultFor(row, lines({ name: "W4", error: "no kernel" })), { kind: "failed", detail: "no kernel" });
  t.is(resultFor(row, lines({ name: "W4 lenet train step", median_us: 1 })), undefined);
  t.is(resultFor({ name: "own", shown: "time" }, lines({ name: "W4", error: "no kernel" })), undefined);
});

test("cells: own time, goal, floor, compile, peers, and the ratio to the best right peer", (t) => {
  const results = [
    only({ median_us: 24_000, contended: true }),
    only({ median_us: 1, ok: false }),
    only({ error: "no kernel" }),
    undefined,
  ];
  t.deepEqual(rowCells(row, own, 100, results), [
    "12.0 ms",
    "10.0 ms",
    "20.0 ms",
    "",
    "24.0 ms~",
    "wrong",
    "-",
    "",
    "0.50",
  ]);
  t.deepEqual(rowCells(row, { ...own, contended: true, compile: 1.5 }, 100, []), [
    "12.0 ms~",
    "10.0 ms",
    "20.0 ms",
    "1.50 s",
  ]);
  t.is(rowCells(row, own, 100, [undefined]).at(-1), "", "no peer, no ratio");
  t.is(rowCells(row, { seconds: 4e-8, contended: false }, 100, [only({ median_us: 4 })]).at(-1), "0.01");
});

test("rates are operations a second, also a peer's", (t) => {
  const rate: Row = { ...row, shown: "rate", operations: 1e9 };
  t.deepEqual(
    rowCells({ ...rate, goal: "PyTorch's" }, { seconds: 0.01, contended: false }, 200, [only({ median_us: 20_000 })]),
    ["100 GF/s", "PyTorch's", "200 GF/s", "", "50.0 GF/s", "0.50"],
  );
});

test("columns stand below their titles, however long these are", (t) => {
  const titles = titlesOf(["TensorFlow.js", "jax-js"]);
  t.deepEqual(titles, ["graphc", "goal", "floor at peak", "compile", "TensorFlow.js", "jax-js", "graphc/best"]);
  const heading = tableLine("", titles, titles);
  const line = tableLine(
    "W4",
    titles.map(() => "1.00 ms"),
    titles,
  );
  t.is(line.length, heading.length);
  for (const title of ["TensorFlow.js", "jax-js"]) {
    const end = heading.indexOf(title) + title.length;
    t.is(line.slice(end - 7, end), "1.00 ms");
  }
  t.deepEqual(titlesOf([]), ["graphc", "goal", "floor at peak", "compile"]);
});

test("remarks name the row that is wrong, and a workload that failed once", (t) => {
  const rows = [row, { ...row, name: "convnet, a step", peer: { name: "W4 lenet train step", holds: 1 } }];
  const wrong = lines(
    { name: "W4 lenet forward", median_us: 1, ok: false },
    { name: "W4 lenet train step", median_us: 1 },
  );
  t.deepEqual(remarks("Fake", rows, wrong), ["Fake, convnet, forward: its result is wrong"]);
  t.deepEqual(remarks("Fake", rows, lines({ name: "W4", error: "no kernel" })), ["Fake, W4: no kernel"]);
  t.deepEqual(remarks("Fake", rows, []), []);
});

test("times have three digits in the unit that suits", (t) => {
  t.deepEqual([4e-12, 14.3e-9, 0.9999e-6, 27e-6, 0.0123, 0.12345, 1.5, 123].map(timeText), [
    "0.004 ns",
    "14.3 ns",
    "1.00 us",
    "27.0 us",
    "12.3 ms",
    "123 ms",
    "1.50 s",
    "123 s",
  ]);
  t.is(timeText(Number.NaN), "-");
});

test("workloads and peers are chosen by name, and an unknown one names those there are", (t) => {
  const read = (...words: readonly string[]) => readOptions(words, ["W1", "W4"], ["none", "pytorch"]);
  t.deepEqual(read(), { only: [], peers: undefined });
  t.deepEqual(read("W4 W1", "--peers", "pytorch"), { only: ["W4", "W1"], peers: ["pytorch"] });
  t.deepEqual(read("--peers", "none"), { only: [], peers: [] });
  t.throws(() => read("W5"), { message: "there is no workload W5; known are `W1`, `W4`" });
  t.throws(() => read("--peers", "torch"), { message: "there is no peer torch; known are `none`, `pytorch`" });
});

test("every row of the schedule has a name of its own, and its peers' line is of its workload", (t) => {
  const names = workloads.flatMap(({ name, rows }) => rows.map((one) => `${name} ${one.name}`));
  t.is(new Set(names).size, names.length);
  for (const { name, rows } of workloads) {
    for (const one of rows) if (one.peer !== undefined) t.true(one.peer.name.startsWith(`${name} `), one.peer.name);
  }
});
