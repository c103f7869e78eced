import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { type Diagnostic, GraphError } from "../../compiler/ir/diagnostic.js";
import type { Span } from "../../compiler/ir/span.js";
import { loadGraph } from "../../dsl/load.js";
import { notes, problems } from "../dsl/elaborate/support.js";
import { targets } from "../runtime/programs.js";
import { open } from "./support.js";

/** Bad input of the standard library is an error that shows what is wrong and what it is wrong against. */

const languageTests = "test/language";
const files = [
  "layers/misused",
  "losses/classes_differ",
  "losses/refused",
  "requirements/layers",
  "requirements/losses",
  "requirements/optimizers",
  "requirements/random",
  "requirements/std",
  "train/nothing_to_train",
  "train/schedule",
  "train/schedule_epochs",
  "updates/frozen_only",
  "updates/nothing",
];

const placeOf = (span: Span | undefined): string => `${span?.file}:${span?.start}:${span?.end}`;

function secondPlaces({ span, notes: others }: Diagnostic): readonly string[] {
  return others.flatMap((note) =>
    note.span === undefined || placeOf(note.span) === placeOf(span) ? [] : [placeOf(note.span)],
  );
}

for (const file of files) {
  test(`each error of ${file} has two places`, (t) => {
    const { diagnostics } = loadGraph(join(languageTests, `${file}.graph`), {});
    t.true(diagnostics.length > 0);
    const single = diagnostics.filter((one) => one.span === undefined || secondPlaces(one).length === 0);
    t.deepEqual(
      single.map(({ code, message }) => `${code} ${message}`),
      [],
    );
  });
}

const trains = (update: string): string => `import { sgd } from "std/optimizers"
graph g {
  placeholder x: f32[3]
  variable w: f32[3] = ones()
  loss = sum(w * x)
  update learn = ${update}
}
`;

test("an optimizer without variables: what it was to learn from, and the optimizer", (t) => {
  const empty = trains("minimize(loss, sgd(), variables=[])");
  t.deepEqual(problems(empty), [
    "G048 6:50 the list of variables is empty (without `variables`, all that the loss reaches are trained)",
  ]);
  t.deepEqual(notes(empty), ["6:33 this optimizer has nothing to train"]);
  const apart = trains("minimize(sum(x), sgd())");
  t.deepEqual(problems(apart), ["G048 6:27 the loss reaches no variable that can be trained"]);
  t.deepEqual(notes(apart), ["4:3 the loss does not depend on `w`"]);
  const none = trains("minimize(sum(x), sgd)").replace(/ {2}variable.*\n {2}loss.*\n/, "");
  t.deepEqual(notes(none), ["4:35 this optimizer has nothing to train"]);
});

test("a label outside the classes: where the loss is taken, and where the label is written", (t) => {
  const text = (label: string): string =>
    `graph g {\n  placeholder x: f32[2, 3]\n  label = ${label}\n  y = sparse_softmax_cross_entropy(x, label)\n}\n`;
  for (const label of ["[1, 3]", "cast([1, 3], to=i64)"]) {
    t.deepEqual(problems(text(label)), ["G026 4:7 the index 3 is out of range: it must be from 0 to 2"]);
    t.true(
      notes(text(label)).some((note) => /^3:\d+ 3 is written here$/.test(note)),
      notes(text(label)).join("\n"),
    );
  }
});

async function failure(t: ExecutionContext, action: () => Promise<unknown>): Promise<Diagnostic | undefined> {
  const error = await t.throwsAsync(action, { instanceOf: GraphError });
  return error instanceof GraphError ? error.diagnostics[0] : undefined;
}

for (const target of targets) {
  test(`${target}: a label that is fed: where the loss is taken, and the placeholder`, async (t) => {
    const text =
      "graph g {\n  placeholder x: f32[2, 3]\n  placeholder label: u8[2]\n  y = sparse_softmax_cross_entropy(x, label)\n}\n";
    const session = await open(t, target, text);
    const x = [
      [1, 2, 3],
      [4, 5, 6],
    ];
    const one = await failure(t, () => session.run(["y"], { x, label: [0, 3] }));
    t.is(one?.code, "G086");
    const own = (one?.notes ?? []).flatMap(({ span }) =>
      span?.file === one?.span?.file ? [text.slice(span?.start, span?.end)] : [],
    );
    t.deepEqual(own, ["label"]);
  });
}

const scheduled = (length: string): string => `import { sgd } from "std/optimizers"
import { cosine_decay } from "std/schedules"
graph g {
  dim N <= 8
  placeholder x: f32[N]
  variable w: f32 = 1.0
  loss = mean(w * x)
  update learn = minimize(loss, sgd(learning_rate=cosine_decay(1.0, steps=3)))
  signature fit(x) does learn -> (loss)
  train {
    run = fit
    batch = 2
    ${length}
  }
}
`;

test("a schedule that ends before the data do: the schedule, and what makes training longer", async (t) => {
  const data = { x: Float32Array.from([1, 2, 3, 4]) };
  const text = scheduled("epochs = 7");
  const session = await open(t, "reference", text);
  const second = async (options: object): Promise<readonly string[]> => {
    const one = await failure(t, () => session.train({ data, ...options }));
    t.is(one?.code, "G046");
    t.is(text.slice(one?.span?.start, one?.span?.end), "cosine_decay(1.0, steps=3)");
    return (one?.notes ?? []).map(({ span, message }) => `${text.slice(span?.start, span?.end)}: ${message}`);
  };
  t.deepEqual(await second({}), ["7: train does 14 steps"]);
  t.deepEqual(await second({ epochs: 2 }), ["fit: this is trained for 4 steps, by the option `epochs`"]);
  t.deepEqual(await second({ steps: 5 }), ["fit: this is trained for 5 steps, by the option `steps`"]);
  t.is((await session.train({ data, steps: 3 })).steps, 3);
});
