import { mkdir, readdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import type { Tensor } from "../../../compiler/ir/tensor.js";
import { type Checkpoint, readCheckpoint, readWeights, writeCheckpoint } from "../../../runtime/files/checkpoint.js";
import { compareWithModel, type ExpectedVariable } from "../../../runtime/files/compare.js";
import { checkpointPath, latestCheckpoint, listCheckpoints, saveCheckpoint } from "../../../runtime/files/rotation.js";
import { writeSafetensors } from "../../../runtime/files/safetensors.js";
import { failsWith, put, withFolder } from "../support.js";

const weights = new Map<string, Tensor>([
  ["hidden/dense/w", { dtype: "f32", shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
  ["learn/adam/hidden/dense/w/m", { dtype: "f32", shape: [2, 3], data: new Float32Array(6) }],
  ["learn/adam/t", { dtype: "i64", shape: [], data: BigInt64Array.of(500n) }],
]);

function checkpointAt(step: number): Checkpoint {
  return {
    variables: weights,
    graph: "mnist",
    version: "0.1.0",
    step,
    seed: -(2n ** 63n),
    runsSinceStep: 3,
    position: { epoch: 2, row: 640 },
    metadata: new Map([["best.loss", "0.25"]]),
  };
}

test("a checkpoint comes back as it was saved, and its metadata can be read by eye", async (t) => {
  await withFolder(async (folder) => {
    const path = join(folder, "x.safetensors");
    await writeCheckpoint(path, checkpointAt(500));
    const { variables, ...state } = await readCheckpoint(path);
    const { variables: _, ...saved } = checkpointAt(500);
    t.deepEqual(state, saved);
    t.deepEqual(Object.fromEntries(variables), Object.fromEntries(weights));
    const bytes = await readFile(path);
    const header = JSON.parse(bytes.toString("utf8", 8, 8 + Number(bytes.readBigUInt64LE(0))));
    const { "graphc.sha256": digest, ...metadata } = header.__metadata__;
    t.regex(digest, /^[0-9a-f]{64}$/);
    t.deepEqual(metadata, {
      "best.loss": "0.25",
      "graphc.checkpoint": "1",
      "graphc.epoch": "2",
      "graphc.graph": "mnist",
      "graphc.row": "640",
      "graphc.runs_since_step": "3",
      "graphc.seed": "-9223372036854775808",
      "graphc.step": "500",
      "graphc.version": "0.1.0",
    });
    await writeCheckpoint(join(folder, "y"), checkpointAt(500));
    t.deepEqual(await readFile(join(folder, "y")), bytes);
  });
});

test("files that can't be resumed from are told apart", async (t) => {
  await withFolder(async (folder) => {
    const path = join(folder, "x.safetensors");
    await writeSafetensors(path, { tensors: weights, metadata: new Map() });
    t.is((await readWeights(path)).kind, "weights");
    await failsWith(t, () => readCheckpoint(path), "G093", /weights without the state of a training run/);
    await writeSafetensors(path, { tensors: weights, metadata: new Map([["graphc.checkpoint", "2"]]) });
    await failsWith(t, () => readCheckpoint(path), "G093", /layout "2", this graphc reads layout 1/);
    await writeSafetensors(path, { tensors: weights, metadata: new Map([["graphc.checkpoint", "1"]]) });
    await failsWith(t, () => readCheckpoint(path), "G091", /lacks graphc/);
    const bad = { ...checkpointAt(1), metadata: new Map([["graphc.step", "9"]]) };
    await failsWith(t, () => writeCheckpoint(path, bad), "G092", /keys that begin with "graphc\." are graphc's own/);
  });
});

test("damage to a checkpoint is said", async (t) => {
  await withFolder(async (folder) => {
    const path = join(folder, "x.safetensors");
    await writeCheckpoint(path, checkpointAt(500));
    const good = await readFile(path);
    const flipped = Buffer.from(good);
    flipped[good.length - 1] = 1;
    await put(folder, "x.safetensors", flipped);
    await failsWith(t, () => readWeights(path), "G091", /is damaged: its content does not match its checksum/);
    await put(folder, "x.safetensors", good.subarray(0, good.length - 4));
    await failsWith(
      t,
      () => readWeights(path),
      "G091",
      /cut short: its header promises 56 bytes of data, 52 are there/,
    );
    // A changed step is metadata, and as bad as a changed weight.
    const step = Buffer.from(good);
    step.write('"501"', good.indexOf('"500"'), "latin1");
    await put(folder, "x.safetensors", step);
    await failsWith(t, () => readWeights(path), "G091", /does not match its checksum/);
  });
});

test("keep = n deletes the oldest of the same template and nothing else", async (t) => {
  await withFolder(async (folder) => {
    const template = join(folder, "ckpt/mnist-{step}.safetensors");
    await mkdir(join(folder, "ckpt"));
    const others = [
      "mnist-x.safetensors",
      "mnist-007.safetensors",
      "mnist-5.safetensors.bak",
      "other-5.safetensors",
      "mnist-.safetensors",
      "mnist--1.safetensors",
    ];
    for (const name of others) {
      await put(folder, `ckpt/${name}`, "");
    }
    await mkdir(join(folder, "ckpt/mnist-1.safetensors"));
    await symlink("mnist-x.safetensors", join(folder, "ckpt/mnist-2.safetensors"));
    for (const step of [0, 500, 1000, 9000, 10000]) {
      t.is(
        await saveCheckpoint(template, checkpointAt(step), { keep: 3 }),
        join(folder, `ckpt/mnist-${step}.safetensors`),
      );
    }
    t.deepEqual(
      (await listCheckpoints(template)).map(({ step }) => step),
      [1000, 9000, 10000],
    );
    t.is((await latestCheckpoint(template))?.step, 10000);
    const left = await readdir(join(folder, "ckpt"));
    t.true([...others, "mnist-1.safetensors", "mnist-2.safetensors"].every((name) => left.includes(name)));
    // A new run in the same folder: what was just written stays, though its step is the lowest.
    await saveCheckpoint(template, checkpointAt(500), { keep: 2 });
    t.deepEqual(
      (await listCheckpoints(template)).map(({ step }) => step),
      [500, 10000],
    );
    await failsWith(t, () => saveCheckpoint(template, checkpointAt(1), { keep: 0 }), "G094", /keep = 0/);
  });
});

test("a save that fails deletes no older checkpoint", async (t) => {
  await withFolder(async (folder) => {
    const template = join(folder, "m-{step}");
    await saveCheckpoint(template, checkpointAt(1), { keep: 1 });
    await mkdir(join(folder, "m-2"));
    await failsWith(t, () => saveCheckpoint(template, checkpointAt(2), { keep: 1 }), "G064", /it is a folder/);
    t.deepEqual(
      (await listCheckpoints(template)).map(({ step }) => step),
      [1],
    );
  });
});

test("templates", async (t) => {
  t.is(checkpointPath("ckpt/m-{step}.safetensors", 12), "ckpt/m-12.safetensors");
  t.is(checkpointPath("ckpt/m.safetensors", 12), "ckpt/m.safetensors");
  await failsWith(t, () => checkpointPath("{step}/m", 1), "G094", /may stand once, in the file's own name/);
  await failsWith(t, () => checkpointPath("m{step}{step}", 1), "G094", /may stand once/);
  t.is(await latestCheckpoint("no/such/folder/{step}"), undefined);
});

test("a checkpoint of another model: what is missing, left over and different is listed", (t) => {
  const expected = new Map<string, ExpectedVariable>([
    ["hidden/dense/w", { dtype: "f32", shape: [2, 4] }],
    ["learn/adam/t", { dtype: "i64", shape: [] }],
    ["learn/adam/hidden/dens/w/m", { dtype: "f32", shape: [2, 3] }],
    ["zebra", { dtype: "f64", shape: [] }],
  ]);
  const [problem, ...more] = compareWithModel("x.safetensors", weights, expected);
  t.is(more.length, 0);
  t.is(problem?.code, "G090");
  t.is(
    problem?.message,
    '"x.safetensors" does not fit this model: 1 of its 4 variables agree; 2 missing, 1 that the model does not have, 1 of another type',
  );
  t.deepEqual(
    problem?.notes.map((note) => note.message),
    [
      'missing: "learn/adam/hidden/dens/w/m" f32[2, 3]; the file has "learn/adam/hidden/dense/w/m" f32[2, 3]',
      'missing: "zebra" f64',
      'not in the model: "learn/adam/hidden/dense/w/m" f32[2, 3]',
      '"hidden/dense/w" is f32[2, 3] in the file and f32[2, 4] in the model',
    ],
  );
});

test("a model that agrees has no complaint; inference may leave slots unused; long lists are bounded", (t) => {
  const same = new Map([...weights].map(([name, { dtype, shape }]) => [name, { dtype, shape }]));
  t.deepEqual(compareWithModel("x", weights, same), []);
  const part = new Map([...same].slice(0, 1));
  t.is(compareWithModel("x", weights, part).length, 1);
  t.deepEqual(compareWithModel("x", weights, part, { allowUnexpected: true }), []);
  const many = new Map<string, ExpectedVariable>(
    Array.from({ length: 5000 }, (_, index) => [`layer${index}`, { dtype: "f32", shape: [1] }]),
  );
  const [problem] = compareWithModel("x", weights, many);
  t.is(problem?.notes.length, 14);
  t.is(problem?.notes[10]?.message, "and 4990 more missing");
});
