import { gzipSync } from "node:zlib";
import test from "ava";
import fc from "fast-check";
import { decodeF16 } from "../../../compiler/ir/half.js";
import { type LoadContext, loadData, readDataSource } from "../../../runtime/data/load.js";
import { type CsvOptions, csv } from "../../../runtime/data/references.js";
import { failsWith, numbersOf, put, withFolder } from "../support.js";

async function read(
  text: string | Uint8Array,
  options: CsvOptions = {},
  context: Partial<LoadContext> = {},
  rows?: readonly [number, number],
) {
  return withFolder(async (folder) => {
    await put(folder, "t.csv", text);
    const reference = csv("t.csv", options);
    return loadData(rows === undefined ? reference : reference.slice(...rows), {
      origin: "user",
      workingDir: folder,
      ...context,
    });
  });
}

const table = 'x,"y, in cm",label\r\n1.5,-2,0\r\n"3",4e1,1\r\n.5,NaN,2\r\n';

test("columns are read by name, one as a vector, several as a matrix", async (t) => {
  const label = await read(table, { column: "label" });
  t.deepEqual([label.dtype, label.shape, numbersOf(label)], ["i64", [3], [0, 1, 2]]);
  const both = await read(table, { columns: ["y, in cm", "x"] });
  t.deepEqual([both.dtype, both.shape, numbersOf(both)], ["f32", [3, 2], [-2, 1.5, 40, 3, Number.NaN, 0.5]]);
  const middle = await read(table, { column: "x" }, {}, [1, 3]);
  t.deepEqual(numbersOf(middle), [3, 0.5]);
});

test("the placeholder chooses the column and the dtype", async (t) => {
  const label = await read(table, {}, { name: "label", dtype: "u8" });
  t.deepEqual([label.dtype, numbersOf(label)], ["u8", [0, 1, 2]]);
  const half = await read(table, { column: "x" }, { dtype: "f16" });
  t.deepEqual(numbersOf(half).map(decodeF16), [1.5, 3, 0.5]);
  const own = await read(table, { column: "label", dtype: "f64" }, { dtype: "u8" });
  t.is(own.dtype, "f64");
  await failsWith(t, () => read(table, {}, { name: "z" }), "G079", /has 3 columns, none named "z"; which is meant/);
  await failsWith(t, () => read(table, { column: "labl" }), "G079", /no column "labl"/);
});

test("without a header a table is a matrix, a single column a vector", async (t) => {
  const matrix = await read("1,2\n3,4\n");
  t.deepEqual([matrix.dtype, matrix.shape, numbersOf(matrix)], ["i64", [2, 2], [1, 2, 3, 4]]);
  t.deepEqual((await read("1\n2\n3")).shape, [3]);
  t.deepEqual(numbersOf(await read("1,2\n3,4\n", { column: "1" })), [2, 4]);
  t.deepEqual((await read("1,2\n3,4\n", { header: true, column: "2" })).shape, [1]);
  t.deepEqual((await read("a\n")).shape, [0]);
  t.deepEqual(numbersOf(await read("\ufeffa\n7\n\n\n")), [7]);
  t.deepEqual(numbersOf(await read(gzipSync("a\n7\n"))), [7]);
});

test("semicolons and tabs are read where the first line has no comma; decimal commas are told of", async (t) => {
  for (const sign of [";", "\t"]) {
    const text = `x${sign}"a, b"\n1.5${sign}2\n3${sign}-4\n`;
    const both = await read(text, { columns: ["a, b", "x"] });
    t.deepEqual(
      [both.shape, numbersOf(both)],
      [
        [2, 2],
        [2, 1.5, -4, 3],
      ],
    );
  }
  const commas = await read("a;b,c\n1,2\n", { column: "a;b" });
  t.deepEqual(numbersOf(commas), [1]);
  const reason = /"2,5" is not a number \(decimals are written with a point\), in column "y"/;
  await failsWith(t, () => read("x;y\n1;2,5\n", { column: "y" }), "G076", reason);
  await failsWith(t, () => read("1,5;2,5\n"), "G076", /line 1: "1,5" is not a number \(decimals/);
});

test("64-bit integers are exact", async (t) => {
  const wide = await read("9007199254740993\n-9223372036854775808\n9223372036854775807\n5\n");
  t.deepEqual(wide.data, BigInt64Array.of(9007199254740993n, -(2n ** 63n), 2n ** 63n - 1n, 5n));
  t.is((await read("9223372036854775808\n")).dtype, "f32");
  await failsWith(
    t,
    () => read("9223372036854775808\n", { dtype: "i64" }),
    "G076",
    /line 1: "9223372036854775808" is not an i64/,
  );
});

test("the line and the column of a wrong field are named", async (t) => {
  const cases: readonly [string, CsvOptions, string, RegExp][] = [
    ["a,b\n1,2\n3,\n", { column: "b" }, "G076", /line 3: the value is missing, in column "b"/],
    ["a,b\n1,2\n3,x\n", { column: "b" }, "G076", /line 3: "x" is not a number, in column "b"/],
    ["a,b\n1,2\n3\n", { column: "b" }, "G076", /line 3: the line has 1 field, expected 2/],
    ["a,b\n1,2\n\n3,4\n", { column: "b" }, "G076", /line 3: the line is empty/],
    ["a\n1\n\n2\n", {}, "G076", /line 3: the line is empty/],
    ['"a\nb",c\n1,2\n3,oops\n', { column: "c" }, "G076", /line 4: "oops"/],
    ["a\n300\n", { dtype: "u8" }, "G076", /line 2: "300" is not a u8, a whole number from 0 to 255/],
    ["a\n1.5\n", { dtype: "i32" }, "G076", /line 2: "1.5" is not an i32/],
    ["a\nnan\n", { dtype: "i64" }, "G076", /line 2: "nan" is not an i64/],
    ["a\n2\n", { dtype: "bool" }, "G076", /line 2: "2" is not a bool/],
    ['a\n"1\n2\n', {}, "G076", /a quoted field is not closed/],
    ['a\n"1"2\n', {}, "G076", /line 2: a quoted field goes on after its closing quote/],
    ["a,a\n1,2\n", { column: "a" }, "G079", /two columns named "a"/],
    ["", {}, "G071", /is empty/],
  ];
  for (const [text, options, code, message] of cases) {
    await failsWith(t, () => read(text, options), code, message);
  }
  await failsWith(t, () => read("a\n1\n2\n", {}, {}, [0, 3]), "G075", /rows \[0:3\] are not in .* has 2 rows/);
});

test("true and false are bools", async (t) => {
  t.deepEqual(numbersOf(await read("a\ntrue\nFalse\n1\n0\n", { dtype: "bool" })), [1, 0, 1, 0]);
});

test("all columns of a table, and names that look like code", async (t) => {
  await withFolder(async (folder) => {
    await put(folder, "t.csv", "__proto__,constructor\n1,2\n");
    const { columns } = await readDataSource("t.csv", { origin: "user", workingDir: folder });
    t.deepEqual(
      [...columns].map(([name, tensor]) => [name, ...numbersOf(tensor)]),
      [
        ["__proto__", 1],
        ["constructor", 2],
      ],
    );
  });
});

test("any table of doubles survives being written and read", async (t) => {
  const row = fc.tuple(fc.double(), fc.double());
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), async (rows) => {
      const text = `a,b\n${rows.map((values) => values.map((value) => (Object.is(value, -0) ? "-0" : String(value))).join(",")).join("\n")}\n`;
      const tensor = await read(text, { columns: ["a", "b"], dtype: "f64" });
      t.deepEqual(numbersOf(tensor), rows.flat());
    }),
    { numRuns: 30 },
  );
});
