import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import test from "ava";
import fc from "fast-check";
import { compile, GraphError, Session } from "../../../index.js";
import { histogramOf } from "../../../runtime/events/histogram.js";
import { record } from "../../../runtime/events/record.js";
import { folderWith, graphcHere, lineFolder } from "../../cli/support.js";
import { crc32c, readEvents, readGraph } from "./reader.js";

function only(folder: string): string {
  const [name, ...others] = readdirSync(folder);
  if (name === undefined || others.length > 0) throw new Error(`${others.length + 1} files`);
  return join(folder, name);
}

test("the reader's own check sum is CRC-32C", (t) => {
  // RFC 3720, B.4, and the check value of the catalogue of parametrised CRCs.
  t.is(crc32c(new Uint8Array(32)), 0x8a9136aa);
  t.is(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  t.is(crc32c(Buffer.from("123456789")), 0xe3069283);
});

test("scalars of each report, the graph and the histograms of variables, gradients and edges", async (t) => {
  const folder = join(mkdtempSync(join(tmpdir(), "graphc-events-")), "a", "b");
  const file = join(lineFolder(), "line.graph");
  const plain = new Session(await compile(file, { target: "reference" }));
  const expected = await plain.train({});
  await using session = new Session(await compile(file, { target: "reference" }));
  const events = { dir: folder, histograms: ["variables", "gradients", "p"] };
  const report = await session.train({ events });
  // Observing leaves no trace in the training.
  t.deepEqual(report.history, expected.history);
  t.deepEqual(session.get("w"), plain.get("w"));
  t.is(report.events, only(folder));
  t.regex(only(folder), /\/events\.out\.tfevents\.\d{10}\.[^/]+$/);
  const read = readEvents(only(folder));
  t.is(read[0]?.file_version, "brain.Event:2");
  t.true(read.every(({ wall_time }) => Math.abs(wall_time - Date.now() / 1000) < 60));
  const values = read.flatMap(({ step, summary }) =>
    (summary?.value ?? []).map((value) => ({ step: step ?? 0, ...value })),
  );
  const losses = values.filter(({ tag }) => tag === "metrics.loss");
  t.deepEqual(
    losses.map(({ step, simple_value }) => [step, simple_value]),
    expected.history.map((row) => [row.step, row["metrics.loss"]]),
  );
  for (const tag of ["variables/w", "variables/b", "gradients/w", "gradients/b", "p"]) {
    const found = values.filter((value) => value.tag === tag && value.histo !== undefined);
    t.deepEqual(
      found.map(({ step }) => step),
      [10, 20, 30, 40],
      tag,
    );
  }
  // The state at the very step, though reports are told later.
  const last = values.findLast(({ tag }) => tag === "variables/w");
  t.is(last?.histo?.sum, Number(session.get("w").data[0]));
  t.is(values.findLast(({ tag }) => tag === "p")?.histo?.num, 4);
  const graph = readGraph(read.find(({ graph_def }) => graph_def !== undefined)?.graph_def ?? new Uint8Array());
  const names = new Set(graph.node.map(({ name }) => name));
  t.is(names.size, graph.node.length);
  t.true(
    ["x", "w", "p", "metrics.loss"].every((name) => names.has(name)),
    [...names].join(" "),
  );
  for (const { input = [] } of graph.node) for (const name of input) t.true(names.has(name.replace(/:\d+$/, "")), name);
  const p = graph.node.find(({ name }) => name === "p");
  t.is(p?.attr["_output_shapes"]?.list.shape[0]?.dim?.[0]?.size, -1);
  await plain.close();
});

test("a last step that no report was due at is reported, too", async (t) => {
  const file = join(lineFolder(), "line.graph");
  for (const [steps, every, expected] of [
    [25, 10, [10, 20, 25]],
    [7, 100, [7]],
    [20, 10, [10, 20]],
    [7, 0, [7]],
  ] as const) {
    const dir = mkdtempSync(join(tmpdir(), "graphc-events-"));
    await using session = new Session(await compile(file, { target: "reference" }));
    const { metrics } = await session.train({ steps, every, events: { dir, histograms: ["variables", "p"] } });
    const values = readEvents(only(dir)).flatMap(({ step, summary }) =>
      (summary?.value ?? []).map((value) => ({ step: step ?? 0, ...value })),
    );
    for (const tag of ["metrics.loss", "variables/w", "p"]) {
      const found = values.filter((value) => value.tag === tag);
      t.deepEqual(
        found.map(({ step }) => step),
        [...expected],
        tag,
      );
    }
    const loss = values.findLast(({ tag }) => tag === "metrics.loss")?.simple_value;
    t.is(loss, Math.fround(metrics["metrics.loss"] ?? Number.NaN));
    t.is(values.findLast(({ tag }) => tag === "variables/w")?.histo?.sum, Number(session.get("w").data[0]));
  }
});

test("a gradient is that of the first batch, by the formula", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "graphc-events-"));
  await using session = new Session(await compile(join(lineFolder(), "line.graph"), { target: "reference" }));
  await session.train({ steps: 10, events: { dir: folder, histograms: ["gradients"] } });
  const [w, b] = [Number(session.get("w").data[0]), Number(session.get("b").data[0])];
  const rows = [0, 1, 2, 3].map((i) => ({ x: i / 8 - 1, y: (i / 8 - 1) * 2 + 1 }));
  const dw = rows.reduce((sum, { x, y }) => sum + 2 * (w * x + b - y) * x, 0) / 4;
  const value = readEvents(only(folder))
    .flatMap(({ summary }) => summary?.value ?? [])
    .findLast(({ tag }) => tag === "gradients/w");
  t.true(Math.abs((value?.histo?.sum ?? 0) - dw) < 1e-5, `${value?.histo?.sum} and ${dw}`);
});

test("images are PNG files of at most eight of a batch", async (t) => {
  const cwd = folderWith({
    "pictures.graph": `graph pictures {
  dim N <= 16
  placeholder x: f32[N, 2, 3]
  variable w: f32 = 1
  loss = mean((x * w) ** 2)
  update learn { w := w - 0.1 * loss }
  signature fit(x) does learn -> (loss)
  train {
    run = fit
    batch = 10
    steps = 2
    report = { every = 1, of = [loss] }
  }
}
`,
  });
  await using session = new Session(await compile(join(cwd, "pictures.graph"), { target: "reference" }));
  const dir = join(cwd, "events");
  const data = {
    x: { dtype: "f32", shape: [10, 2, 3], data: Float32Array.from({ length: 60 }, (_, i) => i / 5 - 0.2) },
  } as const;
  await session.train({ data, events: { dir, images: ["x"] } });
  const images = readEvents(only(dir)).flatMap(({ step, summary }) =>
    (summary?.value ?? []).flatMap(({ tag, image }) => (image === undefined ? [] : [{ step, tag, ...image }])),
  );
  t.deepEqual(images.map(({ step, tag }) => `${step} ${tag}`).slice(0, 9), [
    ...Array.from({ length: 8 }, (_, i) => `1 x/image/${i}`),
    "2 x/image/0",
  ]);
  const [first] = images;
  t.deepEqual([first?.height, first?.width, first?.colorspace], [2, 3, 1]);
  const png = Buffer.from(first?.encoded_image_string ?? []);
  t.is(png.subarray(1, 4).toString(), "PNG");
  const at = png.indexOf("IDAT");
  const rows = inflateSync(png.subarray(at + 4, at + 4 + png.readUInt32BE(at - 4)));
  // -0.2, 0, 0.2 and 0.4, 0.6, 0.8: from 0 to 1, and what lies outside is cut off. Each row begins with its filter.
  t.deepEqual([...rows], [0, 0, 0, 51, 0, 102, 153, 204]);
  await t.throwsAsync(session.train({ data, steps: 3, events: { dir, images: ["loss"] } }), {
    instanceOf: GraphError,
    message: /G025/,
  });
  await t.throwsAsync(session.train({ data, steps: 3, events: { dir, images: ["y"] } }), {
    instanceOf: GraphError,
    message: /G083/,
  });
});

test("a matrix is no batch of images", async (t) => {
  const text = `graph g {
  dim N
  placeholder x: f32[N, 10]
  variable w: f32 = 1
  loss = mean((x * w) ** 2)
  update learn { w := w - 0.1 * loss }
  signature fit(x) does learn -> (loss)
  train {
    run = fit
    batch = 5
    steps = 2
  }
}
`;
  const cwd = folderWith({ "g.graph": text });
  await using session = new Session(await compile(join(cwd, "g.graph"), { target: "reference" }));
  const data = { x: { dtype: "f32", shape: [5, 10], data: new Float32Array(50) } } as const;
  const error = await t.throwsAsync(session.train({ data, events: { dir: join(cwd, "e"), images: ["x"] } }), {
    instanceOf: GraphError,
  });
  t.is(error?.diagnostics[0]?.code, "G025");
});

test("a histogram holds each finite value once", (t) => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.double(), fc.constantFrom(0, -0, 1e-13, 1e21, -1e300))), (values) => {
      const { count, counts, limits, min, max, sum } = histogramOf(values);
      const finite = values.filter(Number.isFinite);
      t.is(count, finite.length);
      t.is(
        counts.reduce((total, each) => total + each, 0),
        finite.length,
      );
      t.is(
        sum,
        finite.reduce((total, value) => total + value, 0),
      );
      if (finite.length > 0) t.deepEqual([min, max], [Math.min(...finite), Math.max(...finite)]);
      t.true(limits.every((limit, i) => i === 0 || limit > (limits[i - 1] ?? 0)));
      // Counted by the definition: below a limit, and not below the one before.
      limits.forEach((limit, i) => {
        const from = limits[i - 1] ?? Number.NEGATIVE_INFINITY;
        const isLast = limit === Number.MAX_VALUE;
        t.is(
          counts[i],
          finite.filter((value) => value >= from && (value < limit || (isLast && value === limit))).length,
        );
      });
    }),
    { numRuns: 60 },
  );
  t.is(histogramOf([]).count, 0);
  t.is(histogramOf([Number.NaN, Number.POSITIVE_INFINITY]).count, 0);
});

test("a record of nothing is sixteen bytes", (t) => {
  const path = join(mkdtempSync(join(tmpdir(), "graphc-events-")), "f");
  const bytes = record(new Uint8Array(0));
  writeFileSync(path, bytes);
  t.is(bytes.length, 16);
  t.is(readEvents(path).length, 1);
});

test.serial("train --events writes and says what goes with what", async (t) => {
  const cwd = lineFolder();
  const target = ["--target", "reference"];
  const ended = await graphcHere(["train", "line.graph", "--events", "ev", "--histograms", "variables", ...target], {
    cwd,
  });
  t.is(ended.code, 0, ended.stderr);
  t.true(readEvents(only(join(cwd, "ev"))).length > 4);
  const alone = await graphcHere(["train", "line.graph", "--images", "x", ...target], { cwd });
  t.is(alone.code, 2);
  t.regex(alone.stderr, /--images goes with --events DIR/);
  const refused = await graphcHere(["train", "line.graph", "--events", "line.csv", ...target], { cwd });
  t.is(refused.code, 1);
  t.regex(refused.stderr, /error G092: cannot write to "line\.csv": "line\.csv" is not a folder/);
});

test("numbers that have no place in histograms and pictures are told of, each name once", async (t) => {
  const cwd = folderWith({
    "holes.graph": `import { sgd } from "std/optimizers"
graph holes {
  dim N <= 16
  placeholder x: f32[N, 2, 3]
  variable w: f32[2] = [1.0, 1.0]
  hole = log(x - 1)
  whole = x * 2
  loss = mean((w - mean(x)) ** 2)
  update learn = minimize(loss, sgd(learning_rate=0.1))
  signature fit(x) does learn -> (loss)
  train {
    run = fit
    batch = 2
    steps = 3
  }
}
`,
  });
  await using session = new Session(await compile(join(cwd, "holes.graph"), { target: "reference" }));
  const found: unknown[] = [];
  await session.train({
    data: { x: { dtype: "f32", shape: [2, 2, 3], data: Float32Array.of(0, 0, 2, 2, 1, 3, 0, 2, 2, 2, 2, 2) } },
    every: 1,
    events: { dir: join(cwd, "logs"), histograms: ["hole", "whole", "variables"], images: ["hole"] },
    onEvent: (event) => {
      if (event.kind === "not-finite") found.push(event);
    },
  });
  // Logarithms of -1 three times, and of 0 once.
  t.deepEqual(found, [{ kind: "not-finite", step: 1, name: "hole", count: 4, of: 12 }]);
});
