import test from "ava";
import { problems } from "../dsl/elaborate/support.js";
import { refusal, targets } from "../runtime/programs.js";
import { fetch, near, open } from "./support.js";

const { NaN: nan } = Number;
const imports =
  'import { accuracy, auc, binary_accuracy, confusion_matrix, f1_score, precision, r2_score, recall, top_k_accuracy } from "std/metrics"\n';

const program = `${imports}graph g {
  dim N <= 64
  placeholder logits: f32[N, 4]
  placeholder label: u8[N]
  first = accuracy(logits, label)
  two = top_k_accuracy(logits, label, k=2)
  all_of_them = top_k_accuracy(logits, label, k=4)
  guess = argmax(logits, axis=-1)
  table = confusion_matrix(guess, label, classes=4)
  p = precision(guess == 1, label == 1)
  r = recall(guess == 1, label == 1)
  f = f1_score(guess == 1, label == 1)
  same = binary_accuracy(guess == 1, label == 1)
}
`;

/** Logits of 40 examples with ties, from a small generator of its own. */
function examples(count: number): {
  readonly logits: readonly (readonly number[])[];
  readonly label: readonly number[];
} {
  let state = 12345;
  const next = (below: number): number => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return Math.floor((state / 2147483648) * below);
  };
  return {
    logits: Array.from({ length: count }, () => Array.from({ length: 4 }, () => next(6))),
    label: Array.from({ length: count }, () => next(4)),
  };
}

for (const target of targets) {
  test(`${target}: accuracy, top-k, confusion matrix, precision, recall and F1, counted by hand`, async (t) => {
    const session = await open(t, target, program);
    const { logits, label } = examples(40);
    const values = await fetch(session, ["first", "two", "all_of_them", "table", "p", "r", "f", "same"], {
      logits,
      label,
    });
    const order = logits.map((row) => [0, 1, 2, 3].sort((i, j) => (row[j] ?? nan) - (row[i] ?? nan) || i - j));
    const share = (right: (i: number) => boolean): number => label.filter((_, i) => right(i)).length / label.length;
    near(t, values.get("first"), [share((i) => order[i]?.[0] === label[i])], 1e-7);
    near(t, values.get("two"), [share((i) => order[i]?.slice(0, 2).includes(label[i] ?? nan) === true)], 1e-7);
    near(t, values.get("all_of_them"), [1], 0);
    const cells = [0, 1, 2, 3].flatMap((actual) =>
      [0, 1, 2, 3].map((guess) => label.filter((one, i) => one === actual && order[i]?.[0] === guess).length),
    );
    t.deepEqual(values.get("table"), cells);
    const hits = cells[5] ?? nan;
    const guessed = [1, 5, 9, 13].reduce((sum, at) => sum + (cells[at] ?? nan), 0);
    const actual = cells.slice(4, 8).reduce((sum, n) => sum + n, 0);
    near(t, values.get("p"), [hits / guessed], 1e-7);
    near(t, values.get("r"), [hits / actual], 1e-7);
    near(t, values.get("f"), [2 / (guessed / hits + actual / hits)], 1e-7);
    near(t, values.get("same"), [(40 - guessed - actual + 2 * hits) / 40], 1e-7);
  });

  test(`${target}: precision and recall of nothing are 0; an empty batch has no accuracy`, async (t) => {
    const session = await open(t, target, program);
    const none = await fetch(session, ["p", "r", "f", "same"], { logits: [[1, 0, 0, 0]], label: [2] });
    t.deepEqual([...none.values()], [[0], [0], [0], [1]]);
    const empty = {
      logits: { dtype: "f32", shape: [0, 4], data: new Float32Array(0) },
      label: { dtype: "u8", shape: [0], data: new Uint8Array(0) },
    } as const;
    const values = await fetch(session, ["first", "two", "table", "f"], empty);
    near(t, values.get("first"), [nan], 0);
    near(t, values.get("two"), [nan], 0);
    t.deepEqual(
      values.get("table"),
      Array.from({ length: 16 }, () => 0),
    );
    t.deepEqual(values.get("f"), [0]);
  });

  test(`${target}: a label outside the classes fails the run`, async (t) => {
    const session = await open(t, target, program);
    for (const name of ["first", "two", "table"]) {
      t.deepEqual(await refusal(t, () => session.run([name], { logits: [[1, 0, 0, 0]], label: [4] })), ["G086"], name);
    }
  });

  test(`${target}: the area under the ROC curve counts the pairs in the right order, ties half`, async (t) => {
    const session = await open(
      t,
      target,
      `${imports}graph g {\n  dim N <= 64\n  placeholder score: f64[N]\n  placeholder actual: bool[N]\n  y = auc(score, actual)\n}\n`,
    );
    const area = async (score: readonly number[], actual: readonly boolean[]) =>
      (await fetch(session, ["y"], { score, actual })).get("y");
    const { logits, label } = examples(50);
    const score = logits.map(([x]) => x ?? nan);
    const actual = label.map((one) => one > 1);
    let [pairs, right] = [0, 0];
    for (const [i, a] of score.entries()) {
      for (const [j, b] of score.entries()) {
        if (actual[i] !== true || actual[j] === true) continue;
        pairs++;
        right += a > b ? 1 : a === b ? 0.5 : 0;
      }
    }
    near(t, await area(score, actual), [right / pairs], 1e-7);
    near(t, await area([0.1, 0.4, 0.35, 0.8], [false, false, true, true]), [0.75], 1e-7);
    near(t, await area([3, 2, 1], [true, true, false]), [1], 0);
    near(t, await area([1, 1, 1, 1], [true, false, false, false]), [0.5], 0);
    near(t, await area([1, 2], [true, true]), [nan], 0);
    near(t, await area([], []), [nan], 0);
  });

  test(`${target}: R2 is 1 where all is explained, 0 for the mean`, async (t) => {
    const session = await open(
      t,
      target,
      `${imports}graph g {\n  placeholder x: f64[4]\n  placeholder y: f64[4]\n  r = r2_score(x, y)\n}\n`,
    );
    const r2 = async (x: readonly number[], y: readonly number[]) => (await fetch(session, ["r"], { x, y })).get("r");
    // scikit-learn's documentation of r2_score has this example, 0.948...
    near(t, await r2([2.5, 0, 2, 8], [3, -0.5, 2, 7]), [1 - 1.5 / 29.1875], 1e-14);
    near(t, await r2([1, 2, 3, 4], [1, 2, 3, 4]), [1], 0);
    near(t, await r2([2.5, 2.5, 2.5, 2.5], [1, 2, 3, 4]), [0], 0);
  });
}

test("more than all classes, and no classes", (t) => {
  const text = (statement: string): string =>
    `${imports}graph g {\n  placeholder x: f32[2, 3]\n  placeholder l: i64[2]\n  placeholder m: i64[3]\n  y = ${statement}\n}\n`;
  t.deepEqual(problems(text("top_k_accuracy(x, l, k=4)")), [
    "G038 6:30 `top_k_accuracy`: k must be from 1 to the number of classes",
  ]);
  t.deepEqual(
    ["confusion_matrix(l, l, classes=0)", "confusion_matrix(l, m, classes=3)", "accuracy(x, m)"].map((one) =>
      problems(text(one))[0]?.slice(0, 4),
    ),
    ["G038", "G020", "G020"],
  );
});
