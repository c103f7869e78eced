import { readFile } from "node:fs/promises";
import test from "ava";
import fc from "fast-check";
import { GraphError } from "../../../compiler/ir/diagnostic.js";
import { byteSize, type NumericDType } from "../../../compiler/ir/dtype.js";
import { type Tensor, viewBytes } from "../../../compiler/ir/tensor.js";
import { loadData } from "../../../runtime/data/load.js";
import { safetensors } from "../../../runtime/data/references.js";
import { encodeSafetensors, readSafetensors, writeSafetensors } from "../../../runtime/files/safetensors.js";
import { failsWith, numbersOf, put, withFolder } from "../support.js";

/** A file by the format's description: the header's length as u64, the header, the data. */
function fileOf(header: unknown, data: Uint8Array = new Uint8Array()): Buffer {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, data]);
}

const dtypes: readonly NumericDType[] = ["f64", "f32", "f16", "bf16", "i64", "i32", "i8", "u8", "bool"];

const tensor: fc.Arbitrary<Tensor> = fc
  .record({ dtype: fc.constantFrom(...dtypes), shape: fc.array(fc.nat(4), { maxLength: 4 }) })
  .chain(({ dtype, shape }) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const bytes = count * byteSize(dtype);
    return fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((content) => {
      const stored = dtype === "bool" ? content.map((byte) => byte & 1) : content;
      return { dtype, shape, data: viewBytes(dtype, new Uint8Array(stored).buffer, 0, count) };
    });
  });

const text = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.constantFrom("__proto__", "constructor", '"', "../x", "a/b/w", ""),
);

test("what is written is read back, bit for bit, with any names, dtypes and shapes", async (t) => {
  await withFolder(async (folder) => {
    const path = `${folder}/x.safetensors`;
    const content = fc.record({
      tensors: fc.array(fc.tuple(text, tensor), { maxLength: 5 }).map((entries) => new Map(entries)),
      metadata: fc.array(fc.tuple(text, text), { maxLength: 3 }).map((entries) => new Map(entries)),
    });
    await fc.assert(
      fc.asyncProperty(content, async ({ tensors, metadata }) => {
        await writeSafetensors(path, { tensors, metadata });
        const back = await readSafetensors(path);
        t.deepEqual([...back.tensors.keys()].sort(), [...tensors.keys()].sort());
        for (const [name, { dtype, shape, data }] of tensors) {
          const found = back.tensors.get(name);
          t.deepEqual([found?.dtype, found?.shape], [dtype, shape]);
          t.deepEqual(Buffer.from(found?.data.buffer ?? new ArrayBuffer(0)), Buffer.from(data.buffer));
        }
        const own = [...back.metadata].filter(([key]) => key !== "graphc.sha256");
        t.deepEqual(own.sort(), [...metadata].sort());
      }),
      { numRuns: 60 },
    );
  });
});

test("a written file follows the format: aligned, without holes, equal for equal content", async (t) => {
  const tensors = new Map<string, Tensor>([
    ["b/u8", { dtype: "u8", shape: [3], data: Uint8Array.of(1, 2, 3) }],
    ["a/f32", { dtype: "f32", shape: [1, 2], data: Float32Array.of(1.5, -2) }],
    ["a/i64", { dtype: "i64", shape: [], data: BigInt64Array.of(7n) }],
    ["a/half", { dtype: "f16", shape: [1], data: Uint16Array.of(0x3c00) }],
  ]);
  const bytes = Buffer.concat(encodeSafetensors({ tensors, metadata: new Map([["note", 'say "hi"']]) }));
  const length = Number(bytes.readBigUInt64LE(0));
  t.is(length % 8, 0);
  const header = JSON.parse(bytes.toString("utf8", 8, 8 + length));
  t.deepEqual(Object.keys(header), ["__metadata__", "a/i64", "a/f32", "a/half", "b/u8"]);
  t.is(header.__metadata__.note, 'say "hi"');
  t.deepEqual(header["a/f32"], { dtype: "F32", shape: [1, 2], data_offsets: [8, 16] });
  t.is(bytes.readFloatLE(8 + length + 8), 1.5);
  t.is(bytes.length, 8 + length + 8 + 8 + 2 + 3);
  const other = new Map([...tensors].reverse());
  t.deepEqual(Buffer.concat(encodeSafetensors({ tensors: other, metadata: new Map([["note", 'say "hi"']]) })), bytes);
});

test("a file of another writer is read, its rows as data too", async (t) => {
  await withFolder(async (folder) => {
    const data = Buffer.alloc(27);
    [1, 2, 3, 4, 5, 6].forEach((value, index) => {
      data.writeFloatLE(value, 4 * index);
    });
    data.set([5, 0, 1], 24);
    const header = {
      mask: { dtype: "BOOL", shape: [3], data_offsets: [24, 27] },
      __metadata__: { format: "pt" },
      w: { dtype: "F32", shape: [3, 2], data_offsets: [0, 24] },
    };
    const path = await put(folder, "x.safetensors", fileOf(header, data));
    const { tensors, metadata } = await readSafetensors(path);
    t.deepEqual(numbersOf(tensors.get("w")), [1, 2, 3, 4, 5, 6]);
    t.deepEqual(numbersOf(tensors.get("mask")), [1, 0, 1]);
    t.deepEqual(metadata, new Map([["format", "pt"]]));
    const rows = await loadData(safetensors(path).slice(1, 2), { origin: "user", name: "w" });
    t.deepEqual(
      [rows.shape, numbersOf(rows)],
      [
        [1, 2],
        [3, 4],
      ],
    );
    await failsWith(t, () => loadData(safetensors(path, "v"), { origin: "user" }), "G079", /no column "v"/);
  });
});

test("what is wrong with a file is said", async (t) => {
  const f32 = (begin: number, end: number, shape: readonly unknown[] = [1]) => ({
    dtype: "F32",
    shape,
    data_offsets: [begin, end],
  });
  const claim = Buffer.alloc(8);
  claim.writeBigUInt64LE(2n ** 40n);
  const four = new Uint8Array(4);
  const cases: readonly [Uint8Array, RegExp][] = [
    [new Uint8Array(), /0 bytes, too few for a header/],
    [claim, /header claims 1099511627776 bytes, at most 100000000/],
    [fileOf({}).subarray(0, 9), /header claims 2 bytes, the file has 9/],
    [fileOf("[]"), /not a JSON object/],
    [fileOf("{"), /not JSON: expected a string at character 1/],
    [fileOf('{"a": {}} x'), /goes on after/],
    [fileOf("[".repeat(1000)), /nesting is too deep/],
    [Buffer.concat([fileOf("").subarray(0, 0), Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 0xff])]), /not UTF-8/],
    [
      fileOf(
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
        four,
      ),
      /"a" stands twice/,
    ],
    [fileOf({ a: f32(0, 8) }, new Uint8Array(8)), /"a" is F32 \[1\], 4 bytes, but its data_offsets span 8/],
    [fileOf({ a: f32(0, 4), b: f32(8, 12) }, new Uint8Array(12)), /leaves a hole before/],
    [fileOf({ a: f32(0, 4), b: f32(0, 4) }, four), /overlaps/],
    [fileOf({ a: f32(4, 8) }, new Uint8Array(8)), /hole/],
    [fileOf({ a: f32(0, 4) }, new Uint8Array(3)), /cut short: its header promises 4 bytes of data, 3 are there/],
    [fileOf({ a: f32(0, 4) }, new Uint8Array(5)), /1 bytes follow the last tensor/],
    [fileOf({ a: f32(0, 4, [-1]) }, four), /is not \{dtype, shape, data_offsets\}/],
    [fileOf({ a: f32(0, 4, [0.5]) }, four), /is not \{dtype/],
    [fileOf({ a: f32(4, 0) }, four), /span -4/],
    [fileOf({ a: { ...f32(0, 4), extra: 1 } }, four), /is not \{dtype/],
    [fileOf({ a: { ...f32(0, 4), dtype: "Q4" } }, four), /unknown type "Q4"/],
    [fileOf({ a: f32(0, 0, [0, 2 ** 52, 2 ** 52]) }), /"a" is F32/],
    [fileOf({ a: f32(0, 4, [2 ** 40, 2 ** 40]) }, four), /Infinity bytes/],
    [fileOf({ __metadata__: { a: 1 } }), /__metadata__ holds "a", which is not a string/],
    [fileOf({ __metadata__: [] }), /__metadata__ is not an object/],
  ];
  await withFolder(async (folder) => {
    for (const [bytes, message] of cases) {
      const path = await put(folder, "x.safetensors", bytes);
      await failsWith(t, () => readSafetensors(path), "G091", message);
    }
    const path = await put(
      folder,
      "x.safetensors",
      fileOf({ a: { dtype: "U16", shape: [2], data_offsets: [0, 4] } }, four),
    );
    await failsWith(t, () => readSafetensors(path), "G077", /"a" of .* has type U16/);
    await failsWith(t, () => readSafetensors(`${folder}/none`), "G064", /no such file/);
  });
});

test("what can't be saved is refused before anything is written", async (t) => {
  const one: Tensor = { dtype: "u8", shape: [1], data: Uint8Array.of(1) };
  const none = new Map<string, string>();
  await failsWith(
    t,
    () => encodeSafetensors({ tensors: new Map([["__metadata__", one]]), metadata: none }),
    "G092",
    /keeps that name/,
  );
  await failsWith(
    t,
    () => encodeSafetensors({ tensors: new Map([["\ud800", one]]), metadata: none }),
    "G092",
    /Unicode/,
  );
  await failsWith(
    t,
    () => encodeSafetensors({ tensors: new Map([["x", { ...one, shape: [2] }]]), metadata: none }),
    "G092",
    /1 elements do not fill \[2\]/,
  );
});

test("every single flipped bit and every cut of a file of ours is noticed", async (t) => {
  await withFolder(async (folder) => {
    const path = `${folder}/x.safetensors`;
    const tensors = new Map<string, Tensor>([
      ["w", { dtype: "f32", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }],
    ]);
    await writeSafetensors(path, { tensors, metadata: new Map([["graphc.step", "500"]]) });
    const good = await readFile(path);
    const { readWeights } = await import("../../../runtime/files/checkpoint.js");
    const fails = async (bytes: Uint8Array, what: string): Promise<void> => {
      await put(folder, "x.safetensors", bytes);
      try {
        await readWeights(path);
        t.fail(`${what} was not noticed`);
      } catch (error) {
        t.true(error instanceof GraphError, `${what}: ${error}`);
      }
    };
    for (let at = 0; at < good.length; at++) {
      await fails(good.subarray(0, at), `a cut at ${at}`);
      const bytes = Buffer.from(good);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
      await fails(bytes, `a flip in byte ${at}`);
    }
  });
});
