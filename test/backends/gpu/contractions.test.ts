/** Contractions with several sums a thread, held against products of small integers, which f32 adds up exactly in any order. */
import test, { type ExecutionContext } from "ava";
import { type DeviceName, returnsVectors } from "../../../compiler/backends/gpu/devices/device.js";
import { Session } from "../../../index.js";
import { compileText } from "../../runtime/programs.js";
import { forEachDevice } from "./support.js";

function integers(length: number, seed: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => ((i * 7919 + seed * 104_729) % 7) - 3);
}

type At = (...place: readonly number[]) => number;

/** Reads a row-major array. */
function reader(data: Float32Array, shape: readonly number[]): At {
  return (...place) => data[place.reduce((sum, at, axis) => sum * (shape[axis] ?? 1) + at, 0)] ?? Number.NaN;
}

interface Case {
  readonly title: string;
  readonly lhs: readonly number[];
  readonly rhs: readonly number[];
  readonly product: string;
  readonly result: readonly number[];
  /** One element of the result, by its definition. */
  readonly element: (a: At, b: At, place: readonly number[]) => number;
  readonly launches: number;
}

function sum(terms: number, term: (k: number) => number): number {
  let total = 0;
  for (let k = 0; k < terms; k++) total += term(k);
  return total;
}

const cases: readonly Case[] = [
  {
    title: "a product",
    lhs: [128, 512],
    rhs: [512, 136],
    product: "a @ b",
    result: [128, 136],
    element: (a, b, [i = 0, j = 0]) => sum(512, (k) => a(i, k) * b(k, j)),
    launches: 2,
  },
  {
    title: "both operands transposed",
    lhs: [512, 128],
    rhs: [136, 512],
    product: "transpose(a) @ transpose(b)",
    result: [128, 136],
    element: (a, b, [i = 0, j = 0]) => sum(512, (k) => a(k, i) * b(j, k)),
    launches: 2,
  },
  {
    title: "rows that no four divide: four columns a thread",
    lhs: [129, 512],
    rhs: [512, 136],
    product: "a @ b",
    result: [129, 136],
    element: (a, b, [i = 0, j = 0]) => sum(512, (k) => a(i, k) * b(k, j)),
    launches: 2,
  },
  {
    title: "neither rows nor columns in fours: a sum a thread",
    lhs: [129, 512],
    rhs: [512, 133],
    product: "a @ b",
    result: [129, 133],
    element: (a, b, [i = 0, j = 0]) => sum(512, (k) => a(i, k) * b(k, j)),
    launches: 1,
  },
  {
    title: "what comes after it",
    lhs: [128, 512],
    rhs: [512, 136],
    product: "relu(a @ b - 5) * 0.5",
    result: [128, 136],
    element: (a, b, [i = 0, j = 0]) => Math.max(0, sum(512, (k) => a(i, k) * b(k, j)) - 5) * 0.5,
    launches: 2,
  },
  {
    title: "a batch of products",
    lhs: [6, 64, 341],
    rhs: [6, 341, 72],
    product: "a @ b",
    result: [6, 64, 72],
    element: (a, b, [n = 0, i = 0, j = 0]) => sum(341, (k) => a(n, i, k) * b(n, k, j)),
    launches: 2,
  },
  {
    title: "a convolution",
    lhs: [2, 34, 34, 16],
    rhs: [5, 5, 16, 24],
    product: "conv(a, b)",
    result: [2, 30, 30, 24],
    element: (a, b, [n = 0, y = 0, x = 0, c = 0]) =>
      sum(400, (k) => {
        const [i, j, d] = [Math.floor(k / 80), Math.floor(k / 16) % 5, k % 16];
        return a(n, y + i, x + j, d) * b(i, j, d, c);
      }),
    launches: 2,
  },
];

const long: Case = {
  title: "a product over more than 4096 terms",
  lhs: [128, 4100],
  rhs: [4100, 128],
  product: "a @ b",
  result: [128, 128],
  element: (a, b, [i = 0, j = 0]) => sum(4100, (k) => a(i, k) * b(k, j)),
  launches: 2,
};

async function holds(t: ExecutionContext, device: DeviceName, one: Case): Promise<void> {
  const { lhs, rhs, product, result, element, launches } = one;
  const text = `graph g {
  placeholder a: f32[${lhs.join(", ")}]
  placeholder b: f32[${rhs.join(", ")}]
  c = ${product}
  signature multiply(a, b) -> (c)
}
`;
  const program = await compileText(t, text, { target: "gpu", device });
  await using session = new Session(program);
  const length = (shape: readonly number[]) => shape.reduce((all, size) => all * size, 1);
  const [a, b] = [integers(length(lhs), 1), integers(length(rhs), 2)];
  const before = await program.backend.counts?.();
  const { c } = await session.run("multiply", { a, b });
  const after = await program.backend.counts?.();
  // A second one puts in order what threads of four sums have made.
  t.is((after?.launches ?? 0) - (before?.launches ?? 0), returnsVectors(device) ? launches : 1);
  const found = c?.data as Float32Array;
  t.is(found.length, length(result));
  const [left, right] = [reader(a, lhs), reader(b, rhs)];
  const wrong = found.findIndex((value, i) => {
    const place = result.map((size, axis) => Math.floor(i / length(result.slice(axis + 1))) % size);
    return value !== element(left, right, place);
  });
  t.is(wrong, -1, `element ${wrong} is ${found[wrong]}`);
}

for (const one of cases) forEachDevice(one.title, (t, device) => holds(t, device, one));
// Devices in software take long for these.
test.serial(`webasm: ${long.title}`, (t) => holds(t, "webasm", long));
