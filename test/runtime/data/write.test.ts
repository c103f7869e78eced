import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import type { NumericDType } from "../../../compiler/ir/dtype.js";
import { decodeBF16, decodeF16, encodeBF16, encodeF16, numbersToHalves } from "../../../compiler/ir/half.js";
import { shortestNumber } from "../../../compiler/ir/shortest.js";
import { allocate, type Tensor } from "../../../compiler/ir/tensor.js";
import { loadData } from "../../../runtime/data/load.js";
import { csv, parseDataArgument } from "../../../runtime/data/references.js";
import { TensorFile, writeTensors } from "../../../runtime/data/write.js";
import { failsWith, fixtures, numbersOf, withFolder } from "../support.js";

const writeTensor = (path: string, name: string, tensor: Tensor) => writeTensors([{ path, name, tensor }]);
const upTo24 = Array.from({ length: 24 }, (_, index) => index);

test("the .npy files that are written are those that NumPy writes, byte for byte", async (t) => {
  const tensors: readonly [string, Tensor][] = [
    ["c_f8_le", { dtype: "f64", shape: [4, 3, 2], data: Float64Array.from(upTo24) }],
    ["c_f4_le", { dtype: "f32", shape: [4, 3, 2], data: Float32Array.from(upTo24) }],
    ["c_f2_le", { dtype: "f16", shape: [4, 3, 2], data: numbersToHalves("f16", upTo24) }],
    ["c_i8_le", { dtype: "i64", shape: [4, 3, 2], data: BigInt64Array.from(upTo24, BigInt) }],
    ["c_i1_le", { dtype: "i8", shape: [4, 3, 2], data: Int8Array.from(upTo24) }],
    ["bools", { dtype: "bool", shape: [4, 3, 2], data: Uint8Array.from(upTo24, (value) => (value % 3 === 0 ? 1 : 0)) }],
    ["scalar", { dtype: "f32", shape: [], data: Float32Array.of(2.5) }],
    ["empty", { dtype: "f32", shape: [0, 5], data: new Float32Array() }],
  ];
  for (const [name, tensor] of tensors) {
    await withFolder(async (folder) => {
      await writeTensor(join(folder, "x.npy"), "x", tensor);
      t.deepEqual(await readFile(join(folder, "x.npy")), await readFile(`${fixtures}/${name}.npy`), name);
    });
  }
});

test("a tensor written in any format is read back", async (t) => {
  const dtypes: readonly NumericDType[] = ["f64", "f32", "f16", "i64", "i32", "i8", "u8", "bool"];
  await withFolder(async (folder) => {
    for (const dtype of dtypes) {
      for (const shape of [[3], [2, 3], [0], [0, 2]]) {
        const data = allocate(
          dtype,
          shape.reduce((product, size) => product * size, 1),
        );
        if (data instanceof BigInt64Array) {
          data.fill(1n);
        } else {
          data.fill(1, 1);
        }
        const tensor: Tensor = { dtype, shape, data };
        for (const name of ["x.npy", "x.safetensors", "x.csv"]) {
          await writeTensor(join(folder, name), "p,q", tensor);
          const columns = Array.from({ length: shape[1] ?? 0 }, (_, index) => `p,q.${index}`);
          const reference = name === "x.csv" && shape.length === 2 ? csv(name, { columns }) : parseDataArgument(name);
          const back = await loadData(reference, { origin: "user", workingDir: folder, dtype });
          t.deepEqual([back.dtype, back.shape, numbersOf(back)], [dtype, shape, numbersOf(tensor)], name);
        }
      }
    }
  });
});

test("a file that is written some rows at a time is the one that is written at once", async (t) => {
  const data = Float32Array.from({ length: 21 }, (_, index) => index / 3);
  await withFolder(async (folder) => {
    for (const extension of ["npy", "safetensors", "csv"]) {
      const [pieces, whole] = [join(folder, `pieces.${extension}`), join(folder, `whole.${extension}`)];
      await writeTensor(pieces, "x", { dtype: "f32", shape: [1], data: Float32Array.of(1.5) });
      const old = await readFile(pieces);
      const file = await TensorFile.create(pieces, "x", { dtype: "f32", shape: [7, 3] });
      for (const [start, end] of [
        [0, 9],
        [9, 18],
        [18, 21],
      ] as const)
        await file.append(data.subarray(start, end));
      await file.finish();
      t.deepEqual(await readFile(pieces), old);
      await TensorFile.publishAll([file]);
      await writeTensor(whole, "x", { dtype: "f32", shape: [7, 3], data });
      t.deepEqual(await readFile(pieces), await readFile(whole), extension);
      const dropped = await TensorFile.create(pieces, "x", { dtype: "f32", shape: [1, 3] });
      await dropped.append(data.subarray(0, 3));
      await dropped.discard();
      t.deepEqual(await readFile(pieces), await readFile(whole), extension);
    }
    t.is((await readdir(folder)).length, 6);
  });
});

test("text has the fewest digits that read back to the same element", async (t) => {
  await withFolder(async (folder) => {
    const rows: readonly (readonly [Tensor, string])[] = [
      [
        { dtype: "f32", shape: [4], data: Float32Array.of(0.3, 1 / 3, 1e-45, 16777216) },
        "0.3 0.33333334 1e-45 16777216",
      ],
      [{ dtype: "f16", shape: [3], data: numbersToHalves("f16", [0.3, 65504, 6e-8]) }, "0.3 65504 6e-8"],
      [{ dtype: "bf16", shape: [2], data: numbersToHalves("bf16", [0.3, 1e38]) }, "0.3 1e+38"],
      [{ dtype: "f64", shape: [1], data: Float64Array.of(Math.fround(0.3)) }, "0.30000001192092896"],
    ];
    for (const [tensor, text] of rows) {
      const path = join(folder, `${tensor.dtype}.csv`);
      await writeTensor(path, "x", tensor);
      t.is((await readFile(path, "utf8")).trim().split("\n").slice(1).join(" "), text);
    }
  });
  const bits = new Uint16Array(2 ** 16).map((_, i) => i);
  for (const dtype of ["f16", "bf16"] as const) {
    const decode = dtype === "f16" ? decodeF16 : decodeBF16;
    const encode = dtype === "f16" ? encodeF16 : encodeBF16;
    const changed = bits.filter((i) => !Number.isNaN(decode(i)) && encode(shortestNumber(dtype, decode(i))) !== i);
    t.deepEqual([...changed], []);
  }
});

test("special values survive as text; bf16 becomes f32", async (t) => {
  await withFolder(async (folder) => {
    const context = { origin: "user", workingDir: folder } as const;
    const data = Float64Array.of(Number.NaN, Number.NEGATIVE_INFINITY, -0, 5e-324, 1 / 3);
    await writeTensor(join(folder, "x.csv"), "x", { dtype: "f64", shape: [5], data });
    t.deepEqual((await loadData(csv("x.csv", { dtype: "f64" }), context)).data, data);
    const brain: Tensor = { dtype: "bf16", shape: [1], data: Uint16Array.of(0x3fc0) };
    await writeTensor(join(folder, "x.npy"), "x", brain);
    const back = await loadData(parseDataArgument("x.npy"), context);
    t.deepEqual([back.dtype, numbersOf(back)], ["f32", [1.5]]);
    const deep: Tensor = { dtype: "u8", shape: [1, 1, 1], data: Uint8Array.of(1) };
    await failsWith(t, () => writeTensor(join(folder, "y.csv"), "x", deep), "G092", /rank 3 is not a table/);
    await failsWith(t, () => writeTensor(join(folder, "y.bin"), "x", deep), "G071", /no format is known for writing/);
  });
});

test("tensors that are written together are all there or none", async (t) => {
  await withFolder(async (folder) => {
    const one: Tensor = { dtype: "f32", shape: [1], data: Float32Array.of(1.5) };
    const deep: Tensor = { dtype: "f32", shape: [1, 1, 1], data: Float32Array.of(1.5) };
    const paths = ["a.npy", "b.csv"].map((name) => join(folder, name));
    const [a = "", b = ""] = paths;
    const both = [
      { path: a, name: "a", tensor: one },
      { path: b, name: "b", tensor: deep },
    ];
    await failsWith(t, () => writeTensors(both), "G092", /rank 3 is not a table/);
    t.deepEqual(await readdir(folder), []);
    await writeTensors(both.map((tensor) => ({ ...tensor, tensor: one })));
    t.deepEqual(await readdir(folder), ["a.npy", "b.csv"]);
  });
});
