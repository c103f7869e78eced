import { gzipSync } from "node:zlib";
import test from "ava";
import fc from "fast-check";
import type { DataReference } from "../../../compiler/ir/data.js";
import { GraphError } from "../../../compiler/ir/diagnostic.js";
import { allocate } from "../../../compiler/ir/tensor.js";
import { loadData } from "../../../runtime/data/load.js";
import { csv, idx, parseDataArgument, safetensors } from "../../../runtime/data/references.js";
import { put, withFolder } from "../support.js";

const idxFile = Buffer.concat([Buffer.from([0, 0, 0x0d, 2, 0, 0, 0, 4, 0, 0, 0, 2]), Buffer.alloc(32, 0x3f)]);
const header =
  '{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"v":{"dtype":"I64","shape":[],"data_offsets":[16,24]}}';
const safetensorsFile = Buffer.concat([
  Buffer.from([header.length, 0, 0, 0, 0, 0, 0, 0]),
  Buffer.from(header),
  Buffer.alloc(24, 1),
]);
const csvFile = Buffer.from('a,"b ""c""",d\r\n1,2.5e3,-3\r\n"4",nan,6\r\n7,8,9\r\n');

const files: readonly { readonly name: string; readonly bytes: Buffer; readonly reference: DataReference }[] = [
  { name: "a.idx", bytes: idxFile, reference: idx("a.idx") },
  { name: "b.gz", bytes: gzipSync(idxFile), reference: idx("b.gz").slice(1, 3) },
  { name: "c.safetensors", bytes: safetensorsFile, reference: safetensors("c.safetensors", "w") },
  { name: "d.csv", bytes: csvFile, reference: csv("d.csv", { columns: ["a", "d"] }) },
  { name: "unknown", bytes: idxFile, reference: parseDataArgument("unknown") },
];

const fault = fc.oneof(
  fc.record({ kind: fc.constant("cut" as const), at: fc.nat() }),
  fc.record({ kind: fc.constant("flip" as const), at: fc.nat(), bit: fc.nat(7) }),
  fc.record({
    kind: fc.constant("overwrite" as const),
    at: fc.nat(),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }),
  }),
);

for (const { name, bytes, reference } of files) {
  test(`a damaged ${name} gives a GraphError or a tensor whose data fill its shape`, async (t) => {
    await withFolder(async (folder) => {
      await fc.assert(
        fc.asyncProperty(fault, async (change) => {
          const damaged = Buffer.from(bytes);
          const at = change.at % bytes.length;
          if (change.kind === "flip") {
            damaged[at] = (damaged[at] ?? 0) ^ (1 << change.bit);
          } else if (change.kind === "overwrite") {
            Buffer.from(change.bytes).copy(damaged, at);
          }
          await put(folder, name, change.kind === "cut" ? damaged.subarray(0, at) : damaged);
          try {
            const tensor = await loadData(reference, { origin: "user", workingDir: folder }, (dtype, count) => {
              t.true(count <= bytes.length * 1032, `${count} elements asked for`);
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

test("any bytes at all are a table, or refused", async (t) => {
  await withFolder(async (folder) => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ maxLength: 100 }),
          fc.string().map((text) => Buffer.from(text)),
        ),
        async (bytes) => {
          await put(folder, "x.csv", bytes);
          try {
            const tensor = await loadData(csv("x.csv"), { origin: "user", workingDir: folder });
            t.true(tensor.shape.length <= 2);
          } catch (error) {
            t.true(error instanceof GraphError, String(error));
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
