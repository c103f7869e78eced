import test from "ava";
import fc from "fast-check";
import { Console } from "../../cli/console.js";
import { jsonText } from "../../cli/json.js";
import { bytesText, countText, metricText, secondsText } from "../../cli/numbers.js";
import { clockText, ProgressLine } from "../../cli/progress.js";
import { table } from "../../cli/table.js";
import { scalarText, tensorText } from "../../cli/tensor_text.js";
import { readLiteral } from "../../cli/values.js";

const f32 = (shape: readonly number[], ...data: readonly number[]) =>
  ({ dtype: "f32", shape, data: Float32Array.from(data) }) as const;

test("tensors print as nested lists in columns", (t) => {
  t.is(tensorText(f32([2, 2], 1, -0.5, 10.25, 0)), "[[ 1.00, -0.50],\n [10.25,  0.00]]");
  t.is(tensorText(f32([2, 1, 1], 1, 2)), "[[[1.0]],\n\n [[2.0]]]");
  t.is(
    tensorText({ dtype: "i64", shape: [2], data: BigInt64Array.of(-1n, 9223372036854775807n) }),
    "[                 -1, 9223372036854775807]",
  );
  t.is(tensorText({ dtype: "bool", shape: [2], data: Uint8Array.of(1, 0) }), "[ true, false]");
  t.is(tensorText({ dtype: "f16", shape: [1], data: Uint16Array.of(0x3c00) }), "[1.0]");
  t.is(tensorText({ dtype: "bf16", shape: [], data: Uint16Array.of(0x3f80) }), "1.0");
});

test("edge cases of tensors", (t) => {
  t.is(tensorText(f32([], 0.1)), "0.1");
  t.is(tensorText(f32([0, 3])), "[]");
  t.is(tensorText(f32([3], Number.NaN, Number.POSITIVE_INFINITY, -1)), "[ nan,  inf, -1.0]");
  t.is(tensorText(f32([2], 1e30, 1)), "[1.0000e+30,  1.0000e+0]");
  t.is(tensorText(f32([], -0)), "-0.0");
});

test("large tensors show their ends, long rows wrap", (t) => {
  const text = tensorText(f32([2000], ...Array.from({ length: 2000 }, (_, i) => i)));
  t.is(text, "[   0.0,    1.0,    2.0, ..., 1997.0, 1998.0, 1999.0]");
  const wide = tensorText(f32([60], ...Array.from({ length: 60 }, (_, i) => i)), 40);
  t.true(wide.split("\n").every((line) => line.length <= 40));
  const cut = tensorText(f32([100, 100], ...Array.from({ length: 10000 }, () => 1)));
  t.is(cut.split("\n").length, 7);
  t.is(cut.split("\n")[3], " ...,");
});

test("a printed f32 reads back as the same f32", (t) => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) =>
      Object.is(Math.fround(Number(scalarText(value, { dtype: "f32" }))), value),
    ),
  );
  t.pass();
});

test("JSON text is JSON, with NaN and the infinities as strings and any name as a key", (t) => {
  t.is(
    jsonText([Number.NaN, Number.NEGATIVE_INFINITY, -0, 1n << 63n, null]),
    '["NaN","-Infinity",-0,9223372036854775808,null]',
  );
  t.is(jsonText(new Map([["__proto__", 1]])), '{"__proto__":1}');
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      // JSON.parse makes plain values of the same types that jsonText takes.
      t.deepEqual(JSON.parse(jsonText(JSON.parse(JSON.stringify(value)))), JSON.parse(JSON.stringify(value)));
    }),
  );
});

test("literals of feeds", (t) => {
  t.is(readLiteral(" 1_000 "), 1000);
  t.is(readLiteral("-1.5e-3"), -0.0015);
  t.is(readLiteral("true"), true);
  t.is(readLiteral("-inf"), Number.NEGATIVE_INFINITY);
  t.is(readLiteral("nan"), Number.NaN);
  t.is(readLiteral("9007199254740993"), 9007199254740993n);
  t.deepEqual(readLiteral("[[1, 2], [3, 4],]"), [
    [1, 2],
    [3, 4],
  ]);
  t.deepEqual(readLiteral("[]"), []);
  t.is(readLiteral('"text"'), "text");
  for (const path of [
    "1.npy",
    "nano.csv",
    "truely",
    "[1",
    "1]",
    "[1,,2]",
    "a.idx[0:3]",
    "",
    "--1",
    "1e",
    "infinite.npy",
  ]) {
    t.is(readLiteral(path), undefined, path);
  }
  t.is(readLiteral(`${"[".repeat(40)}1${"]".repeat(40)}`), undefined);
  t.is(readLiteral("[".repeat(100_000)), undefined);
});

test("literals read back what JSON writes", (t) => {
  const nested = fc.array(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true })));
  fc.assert(
    fc.property(nested, (value) => {
      const literal = readLiteral(jsonText(value));
      t.is(literal === undefined ? "" : jsonText(literal), jsonText(value));
    }),
  );
});

test("numbers for people", (t) => {
  t.is(countText(1234567), "1,234,567");
  t.is(countText(12), "12");
  t.deepEqual([0, 999, 1000, 999_949, 999_950, 1.5e9, 8e12].map(bytesText), [
    "0 B",
    "999 B",
    "1.0 kB",
    "1000 kB",
    "1.0 MB",
    "1.5 GB",
    "8.0 TB",
  ]);
  t.deepEqual([0.0421, 1, 12.34, 65, 7380].map(secondsText), [
    "0.042 s",
    "1.00 s",
    "12.3 s",
    "1 min 05 s",
    "2 h 03 min",
  ]);
  t.deepEqual([355.95983, 0.5, 1e-9, Number.NaN, 0, -27.176934].map(metricText), [
    "355.9598",
    "0.5",
    "1e-9",
    "NaN",
    "0",
    "-27.17693",
  ]);
  t.deepEqual([0.2, 61, 3723, Number.POSITIVE_INFINITY].map(clockText), ["0:01", "1:01", "1:02:03", "-"]);
});

test("tables align their columns, wide characters too", (t) => {
  t.is(
    table(
      [{ title: "a" }, { title: "n", align: "right" }],
      [
        ["漢字", "1"],
        ["x", "100"],
      ],
    ),
    "a       n\n漢字    1\nx     100",
  );
});

for (const [what, columns, least] of [
  ["a wide terminal", 120, 24],
  ["one of 80 columns", 80, 6],
] as const) {
  test.serial(`on ${what} the bar has one width, whatever the digits beside it, and never goes back`, (t) => {
    const { isTTY, columns: before, write } = process.stderr;
    const drawn: string[] = [];
    let now = 0;
    try {
      Object.assign(process.stderr, { isTTY: true, columns, write: (text: string) => drawn.push(text) > 0 });
      const line = new ProgressLine(new Console({ color: false }), { LANG: "C.UTF-8" }, () => now);
      const losses = [2.302, 0.5, 0.001234, 12.25, 1.5e-5, 1, 0.00025, 3, 0.123, 0.1];
      for (const [i, loss] of losses.entries()) {
        now += 200;
        const metrics = new Map([["metrics.loss", loss]]);
        line.update({ title: "digits", step: 10 ** (i % 3) + 100 * i, steps: 1000, seconds: i ** 3 / 9, metrics });
      }
    } finally {
      Object.assign(process.stderr, { isTTY, columns: before, write });
    }
    t.is(drawn.length, 10);
    const bars = drawn.map((text) => /[█▏▎▍▌▋▊▉]*░*/.exec(text.slice(text.indexOf("%") + 2))?.[0] ?? "");
    t.is(new Set(bars.map((bar) => bar.length)).size, 1, drawn.join("\n"));
    t.true((bars[0]?.length ?? 0) >= least, drawn[0]);
    const filled = bars.map((bar) => bar.replaceAll("░", "").length);
    t.deepEqual(
      filled,
      [...filled].sort((a, b) => a - b),
    );
    for (const text of drawn) {
      t.true(text.replace("\r\u001B[2K", "").length < columns, text);
      t.regex(text, /loss \S+ .* steps\/s {2}ETA /);
    }
    t.regex(drawn.at(-1) ?? "", /loss 0\.1 +[▁▂▃▄▅▆▇█]{10} /);
  });
}
