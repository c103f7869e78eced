import { readFile } from "node:fs/promises";
import test from "ava";
import fc from "fast-check";
import { GraphError } from "../../../compiler/ir/diagnostic.js";
import type { NumericDType } from "../../../compiler/ir/dtype.js";
import { decodeF16 } from "../../../compiler/ir/half.js";
import { allocate } from "../../../compiler/ir/tensor.js";
import { loadData, readDataSource } from "../../../runtime/data/load.js";
import { npy, npz } from "../../../runtime/data/references.js";
import { failsWith, fixtures, numbersOf, put, withFolder } from "../support.js";

// The fixtures were written by NumPy (make_fixtures.py beside them).
const context = { origin: "user", workingDir: fixtures } as const;
const upTo24 = Array.from({ length: 24 }, (_, index) => index);

const stored: readonly [string, NumericDType][] = [
  ["c_f8_le", "f64"],
  ["c_f8_be", "f64"],
  ["c_f4_le", "f32"],
  ["c_f4_be", "f32"],
  ["c_i8_le", "i64"],
  ["c_i8_be", "i64"],
  ["c_i4_le", "i32"],
  ["c_i2_le", "i32"],
  ["c_u2_be", "i32"],
  ["c_u4_le", "i64"],
  ["c_i1_le", "i8"],
  ["c_u1_le", "u8"],
  ["fortran", "f32"],
  ["fortran_be_i8", "i64"],
  ["version2", "f32"],
  ["version3", "f32"],
];

for (const [name, dtype] of stored) {
  test(`NumPy's ${name}.npy is read as ${dtype}, whole and by rows`, async (t) => {
    const whole = await loadData(npy(`${name}.npy`), context);
    t.is(whole.dtype, dtype);
    t.deepEqual(whole.shape, [4, 3, 2]);
    t.deepEqual(numbersOf(whole), upTo24);
    const rows = await loadData(npy(`${name}.npy`).slice(1, 3), context);
    t.deepEqual(rows.shape, [2, 3, 2]);
    t.deepEqual(numbersOf(rows), upTo24.slice(6, 18));
  });
}

test("half, bool, scalar, empty and special values are read", async (t) => {
  const half = await loadData(npy("c_f2_le.npy"), context);
  t.is(half.dtype, "f16");
  t.deepEqual(numbersOf(half).map(decodeF16), upTo24);
  const bools = await loadData(npy("bools.npy"), context);
  t.is(bools.dtype, "bool");
  t.deepEqual(
    numbersOf(bools),
    upTo24.map((value) => (value % 3 === 0 ? 1 : 0)),
  );
  const scalar = await loadData(npy("scalar.npy"), context);
  t.deepEqual([scalar.shape, numbersOf(scalar)], [[], [2.5]]);
  await failsWith(t, () => loadData(npy("scalar.npy").slice(0, 1), context), "G075", /holds a scalar/);
  t.deepEqual((await loadData(npy("empty.npy"), context)).shape, [0, 5]);
  const specials = await loadData(npy("specials.npy"), context);
  t.deepEqual(numbersOf(specials), [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 5e-324]);
});

test("element types that graphc lacks are refused by name", async (t) => {
  await failsWith(t, () => loadData(npy("complex.npy"), context), "G077", /NumPy type "<c8"/);
  await failsWith(t, () => loadData(npy("u8_wide.npy"), context), "G077", /NumPy type "<u8"/);
  await failsWith(t, () => loadData(npy("text.npy"), context), "G077", /NumPy type "<U2"/);
  await failsWith(t, () => loadData(npy("structured.npy"), context), "G077", /structured elements/);
});

test("npz: stored and deflated columns, by name, by placeholder, the only one", async (t) => {
  for (const file of ["stored.npz", "deflated.npz"]) {
    const image = await loadData(npz(file, "image").slice(2), context);
    t.deepEqual([image.dtype, image.shape, numbersOf(image)], ["u8", [2, 3, 2], upTo24.slice(12)]);
    const label = await loadData(npz(file), { ...context, name: "label" });
    t.deepEqual([label.dtype, numbersOf(label)], ["i64", [0, 1, 2, 3]]);
  }
  t.deepEqual(numbersOf(await loadData(npz("single.npz"), { ...context, name: "x" })), [0, 1, 2]);
  await failsWith(t, () => loadData(npz("stored.npz", "imag"), context), "G079", /no column "imag"/);
  await failsWith(
    t,
    () => loadData(npz("stored.npz"), { ...context, name: "x" }),
    "G079",
    /has 2 columns, none named "x"/,
  );
  await failsWith(t, () => loadData(npz("c_f4_le.npy"), context), "G071", /not a .npz file/);
  const source = await readDataSource("deflated.npz", context);
  t.deepEqual([...source.columns.keys()], ["image", "label", "zeros"]);
});

/** A .npy file of version 1 with this header text. */
function npyBytes(header: string, data: Uint8Array): Buffer {
  const start = Buffer.from("\x93NUMPY\x01\x00\x00\x00", "latin1");
  start.writeUInt16LE(header.length, 8);
  return Buffer.concat([start, Buffer.from(header, "latin1"), data]);
}

test("headers that are not right are refused, other spellings of a right one are read", async (t) => {
  await withFolder(async (folder) => {
    const inFolder = { origin: "user", workingDir: folder } as const;
    const wrong: readonly [string, string, RegExp][] = [
      ["{'descr': '<f4', 'fortran_order': False}", "G071", /expected \{'descr'/],
      ["{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'shape': (2,)}", "G071", /not understood/],
      ["{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}", "G071", /not understood/],
      ["{'descr': '<f4', 'fortran_order': False, 'shape': (1, , 2)}", "G071", /the shape/],
      ["{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", "G071", /the shape/],
      ["{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,)}", "G072", /cut short/],
      [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 1099511627776, 1099511627776)}",
        "G071",
        /no array has the shape/,
      ],
      ["__import__('os').system('true')", "G071", /expected/],
      ["", "G071", /expected/],
    ];
    for (const [header, code, message] of wrong) {
      await put(folder, "x.npy", npyBytes(header, new Uint8Array(8)));
      await failsWith(t, () => loadData(npy("x.npy"), inFolder), code, message);
    }
    await put(folder, "x.npy", npyBytes(`{"shape":(2L,1),"fortran_order":True ,"descr":"=f4"}\n`, new Uint8Array(8)));
    t.deepEqual((await loadData(npy("x.npy"), inFolder)).shape, [2, 1]);
  });
});

/** One change to a file: cut at a place, or a bit flipped. */
const damage = fc.oneof(
  fc.record({ kind: fc.constant("cut" as const), at: fc.nat() }),
  fc.record({ kind: fc.constant("flip" as const), at: fc.nat(), bit: fc.nat(7) }),
);

for (const name of ["c_f4_be.npy", "fortran.npy", "stored.npz", "deflated.npz"]) {
  test(`a damaged ${name} gives a GraphError or a tensor, and never asks for wild memory`, async (t) => {
    const good = await readFile(`${fixtures}/${name}`);
    await withFolder(async (folder) => {
      await fc.assert(
        fc.asyncProperty(damage, async (fault) => {
          const bytes = Buffer.from(good);
          const at = fault.at % bytes.length;
          if (fault.kind === "flip") {
            bytes[at] = (bytes[at] ?? 0) ^ (1 << fault.bit);
          }
          await put(folder, name, fault.kind === "cut" ? bytes.subarray(0, at) : bytes);
          const reference = name.endsWith(".npz") ? npz(name, "image") : npy(name);
          try {
            const tensor = await loadData(reference, { origin: "user", workingDir: folder }, (dtype, count) => {
              t.true(count <= good.length * 1032, `${count} elements asked for`);
              return allocate(dtype, count);
            });
            t.is(
              tensor.data.length,
              tensor.shape.reduce((product, size) => product * size, 1),
            );
          } catch (error) {
            t.true(error instanceof GraphError, String(error));
          }
        }),
        { numRuns: 150 },
      );
    });
  });
}
