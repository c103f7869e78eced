import test from "ava";
import {
  addDims,
  type Dim,
  dimText,
  floorDivideDims,
  multiplyDims,
  subtractDims,
  symbol,
} from "../../../compiler/ir/dim.js";

const [n, m] = [symbol("N"), symbol("M")];
const half = floorDivideDims(n, 2);

const texts: readonly [Dim, string][] = [
  [half, "N // 2"],
  [addDims(half, 1), "N // 2 + 1"],
  [subtractDims(n, half), "N - N // 2"],
  [subtractDims(subtractDims(m, half), 3), "M - N // 2 - 3"],
  [multiplyDims(2, half), "2*(N // 2)"],
  [multiplyDims(m, half), "(N // 2)*M"],
  [multiplyDims(-1, half), "-(N // 2)"],
  [floorDivideDims(addDims(n, 1), 2), "(N + 1) // 2"],
  [floorDivideDims(half, 3), "(N // 2) // 3"],
  [floorDivideDims(n, floorDivideDims(m, 2)), "N // (M // 2)"],
];

test("a size is written with the brackets that it needs, and no others", (t) => {
  t.deepEqual(
    texts.map(([dim]) => dimText(dim)),
    texts.map(([, text]) => text),
  );
});
