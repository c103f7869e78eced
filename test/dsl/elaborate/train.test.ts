import test from "ava";
import { graphOf, problems } from "./support.js";

const base = (train: string): string => `graph g {
  dim N
  placeholder x: f32[N]
  placeholder y: f32[N]
  variable w: f32 = 0
  loss = mean((x * w - y) ** 2)
  update learn {
    w := w - 0.1 * gradients(loss, [w])
  }
  signature fit(x, y) does learn -> (loss)
  signature score(x, y) -> (loss)
  signature guess(x) -> (w)
  train {
${train}
  }
}
`;

test("train data become a plan", (t) => {
  const plan = graphOf(
    base(`    run = fit
    data = { x = csv("a.csv", column="x", header=true, dtype=f64)[10:], y = npz("b.npz", "y") }
    validate = { run = score, data = { x = npy("c.npy"), y = safetensors("d.safetensors")[:5] } }
    batch = 32
    shuffle = false
    remainder = keep
    steps = 1_000
    checkpoint = { to = "ckpt/{step}.safetensors" }
    best = { metric = loss, mode = min, to = "best.safetensors" }
    early_stopping = { metric = loss, patience = 3, min_delta = 1e-3 }
    report = { every = 10, of = [loss, w] }
    summary = { every = 5, of = loss }`),
  ).train;
  t.is(plan?.run, "fit");
  t.deepEqual(plan?.data.get("x")?.reference, {
    kind: "csv",
    path: "a.csv",
    column: "x",
    header: true,
    dtype: "f64",
    rows: { start: 10, stop: undefined },
  });
  t.deepEqual(plan?.data.get("y")?.reference, { kind: "npz", path: "b.npz", column: "y", rows: undefined });
  t.deepEqual(plan?.validate?.data.get("y")?.reference, {
    kind: "safetensors",
    path: "d.safetensors",
    column: undefined,
    rows: { start: 0, stop: 5 },
  });
  t.deepEqual(
    [plan?.batch, plan?.shuffle, plan?.remainder, plan?.steps, plan?.epochs],
    [32, false, "keep", 1000, undefined],
  );
  t.like(plan?.checkpoint, { every: undefined, to: "ckpt/{step}.safetensors", keep: undefined });
  t.like(plan?.best, { metric: "loss", mode: "min", to: "best.safetensors" });
  t.deepEqual(plan?.earlyStopping, { metric: "loss", mode: "min", patience: 3, minDelta: 1e-3 });
  t.deepEqual(plan?.report, { every: 10, of: ["loss", "w"] });
  t.deepEqual(plan?.summary, { every: 5, of: ["loss"] });
});

test("unknown fields, wrong kinds and unknown names, all at once", (t) => {
  const text = base(`    run = fit
    data = { x = idx("a"), z = idx("b"), y = xid("c"), }
    batchsize = 3
    batch = 0
    shuffle = 1
    remainder = some
    epochs = 2
    steps = 3
    checkpoint = { every = 5 }
    best = { metric = loss, to = "b" }
    report = { of = [los, 3] }`);
  t.deepEqual(
    problems(text).map((p) => p.replace(/ \(.*/, "")),
    [
      "G012 15:28 unknown placeholder `z`",
      "G012 15:46 unknown reader `xid`",
      "G046 16:5 train has no field `batchsize`",
      "G046 17:13 `batch` is an integer above 0",
      "G046 18:15 `shuffle` is `true` or `false`",
      "G046 19:17 `remainder` is `drop` or `keep`",
      "G046 21:5 train has `epochs` or `steps`, not both",
      "G046 22:18 checkpoint needs `to`",
      "G046 23:5 `best` compares validations, and there is no `validate`",
      "G012 24:22 unknown name `los`",
      "G046 24:27 `of` lists names, such as `[metrics.loss]`",
    ],
  );
});

test("run is a signature that trains; data are inputs of it", (t) => {
  const lines = (train: string): readonly string[] => problems(base(train)).map((p) => p.replace(/ \(.*/, ""));
  t.deepEqual(lines("    batch = 3"), ["G046 13:3 train needs `run`: the signature that it runs"]);
  t.deepEqual(lines("    run = fti"), ["G012 14:11 unknown signature `fti`"]);
  t.deepEqual(lines("    run = score"), ["G046 14:11 the signature `score` does no update, so it trains nothing"]);
  t.deepEqual(lines('    run = fit\n    validate = { run = guess, data = { y = idx("a") } }'), [
    "G046 15:40 `y` is no input of the signature `guess`",
  ]);
  t.deepEqual(lines('    run = fit\n    data = { x = "a", y = idx("b")[5:2] }'), [
    "G046 15:18 data are read from a file",
    "G046 15:36 the rows end before they start",
  ]);
});
