import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import {
  compile,
  type Diagnostic,
  type Feeds,
  GraphError,
  idx,
  Session,
  type SessionOptions,
  type Tensor,
  type TrainOptions,
} from "../../index.js";
import { compileText, targets, temporaryFolder } from "./programs.js";

/** What a program that uses the API hears of bad input: the one diagnostic of an action that must be refused. */
async function refused(t: ExecutionContext, action: () => unknown): Promise<Diagnostic | undefined> {
  const error = await t.throwsAsync(async () => action(), { instanceOf: GraphError });
  const diagnostics = error instanceof GraphError ? error.diagnostics : [];
  t.is(diagnostics.length, 1, error?.message);
  return diagnostics[0];
}

async function says(t: ExecutionContext, action: () => unknown, code: string, message: RegExp): Promise<void> {
  const diagnostic = await refused(t, action);
  t.is(diagnostic?.code, code, diagnostic?.message);
  t.regex([diagnostic?.message, diagnostic?.hint].join(" | "), message);
}

const model = `
graph model {
  dim N <= 8
  placeholder image: f32[N, 2]
  placeholder bias: f32[3]
  placeholder level: u8
  variable weight: f32[2] = zeros()
  shown = image * weight
  total = bias + weight[0]
  above = level + 1
}
`;

async function open(t: ExecutionContext, text: string, options: SessionOptions = {}): Promise<Session> {
  const session = new Session(await compileText(t, text), options);
  t.teardown(() => session.close());
  return session;
}

test("a file that holds no graph is refused, whether it is empty or a library", async (t) => {
  for (const text of ["", "# nothing\n", "fn f() -> (y: f32) { y = 1.0 }"]) {
    await says(t, () => compileText(t, text), "G065", /holds no graph/);
  }
  await says(t, () => compile(join(temporaryFolder(t), "nowhere.graph")), "G064", /no such file/);
});

test("names that are not there are met with the nearest, and with none where none is near", async (t) => {
  const session = await open(t, model);
  await says(t, () => session.run(["totl"], {}), "G083", /no value `totl`.*did you mean `total`/);
  await says(t, () => session.run(["shown"], { imge: 1, image: [[1, 2]] }), "G083", /`imge`.*did you mean `image`/);
  await says(t, () => session.get("weigth"), "G083", /no variable `weigth`.*did you mean `weight`/);
  await says(t, () => session.get("nothing"), "G083", /its variables are "weight"$/);
  const small = await open(t, "graph g { placeholder x: f32\n v = x + 1 }");
  await says(t, () => small.run(["q"], { x: 1 }), "G083", /no value `q` \| there is `x`, `v`$/);
  await says(
    t,
    () => small.run(["v"], { x: 1, q: 1 }),
    "G083",
    /no placeholder `q` to feed \| its placeholders are "x"$/,
  );
});

test("the end of a variable's path is met with the whole of it", async (t) => {
  const session = await open(t, "graph g { scope hidden { variable w: f32 = 1 } }");
  await says(t, () => session.get("w"), "G083", /no variable `w`.*did you mean `hidden\.w`/);
  const none = await open(t, "graph g { x = 1 }");
  await says(t, () => none.get("w"), "G083", /the graph has no variables/);
});

test("a feed that names a variable or a computed edge is told what it is", async (t) => {
  const session = await open(t, model);
  const variable = await refused(t, () => session.run(["total"], { bias: [1, 2, 3], weight: [1, 2] }));
  t.is(variable?.message, "`weight` is a variable, and only placeholders are fed");
  t.regex(variable?.hint ?? "", /session\.set\("weight", tensor\)/);
  t.truthy(variable?.span);
  const computed = await refused(t, () => session.run(["total"], { bias: [1, 2, 3], shown: [[1, 2]] }));
  t.is(computed?.message, "`shown` is computed, and only placeholders are fed");
});

test("a feed of the wrong rank or size is one problem, whatever depends on it", async (t) => {
  const session = await open(t, model);
  const wrong = (feeds: Feeds, what: string, message: RegExp) =>
    says(t, () => session.run([what], feeds), "G081", message);
  await wrong({ image: [1, 2] }, "shown", /fed with \[2\]: it has 1 axis, not 2/);
  await wrong({ image: [[1, 2, 3]] }, "shown", /axis 1 is 3, but it must be 2/);
  await wrong({ image: Float32Array.of(1, 2, 3) }, "shown", /3 elements are no whole number of rows of 2/);
  await wrong({ bias: Float32Array.of(1, 2) }, "total", /it has 2 elements, not 3/);
  await wrong({ bias: 3 }, "total", /it has 0 axes, not 1/);
  await wrong({ bias: { dtype: "f32", shape: [-3], data: new Float32Array(3) } }, "total", /\[-3\]/);
  await wrong({ bias: { dtype: "f32", shape: [3], data: new Float32Array(4) } }, "total", /does not hold 4 elements/);
  const even = await open(t, "graph g { dim N\n placeholder x: f32[2 * N]\n y = reshape(x, [2, N]) }");
  await says(t, () => even.run(["y"], { x: [1, 2, 3] }), "G081", /axis 0 is 3, but it must be 2\*N for a size N/);
  const text = "graph g { dim N\n dim M\n placeholder x: f32[N + M]\n placeholder z: f32[N]\n y = sum(x) + sum(z) }";
  const sum = await open(t, text);
  await says(t, () => sum.run(["y"], { x: [1], z: [1, 2, 3] }), "G081", /axis 0 is 1, but it must be M \+ 3/);
  await says(t, () => session.run(["shown"], { image: new Float32Array(18) }), "G084", /N is 9, beyond its bound 8/);
});

test("sizes that must be equal at two places are one fault, with both places", async (t) => {
  const text =
    "graph g { dim N\n dim M\n placeholder a: f32[N]\n placeholder b: f32[M]\n p = a + b\n q = a + b\n r = p * q }";
  const session = await open(t, text);
  const fault = await refused(t, () => session.run(["r"], { a: [1, 2], b: [1] }));
  t.is(fault?.message, "N = 2 and M = 1 differ");
  const places = [fault, fault?.notes.at(-1)].map((place) => text.slice(place?.span?.start, place?.span?.end));
  t.deepEqual(places, ["+", "+"]);
  t.not(fault?.span?.start, fault?.notes.at(-1)?.span?.start);
});

test("feeds are numbers of their dtype, and what JavaScript would convert is refused", async (t) => {
  const session = await open(t, model);
  const wrong = (bias: unknown, message: RegExp) => {
    // As a caller without types would: through JSON-like data of an unknown kind.
    const feeds: Feeds = Object.fromEntries(Object.entries({ bias })) as Feeds;
    return says(t, () => session.run(["total"], feeds), "G082", message);
  };
  await wrong(["1", "2", "3"], /fed a string \| f32 takes numbers/);
  await wrong([1, null, 3], /fed null/);
  await wrong(Array(3), /fed nothing/);
  await wrong([true, false, true], /fed true/);
  await wrong([Float32Array.of(1), 2, 3], /fed a Float32Array/);
  await wrong("123", /fed a string/);
  await wrong(null, /fed null/);
  await wrong(undefined, /fed nothing/);
  await wrong({ a: 1 }, /fed an object/);
  await wrong(Int32Array.of(1, 2, 3), /fed an Int32Array \| f32 takes a Float32Array/);
  await wrong({ dtype: "i32", shape: [3], data: new Int32Array(3) }, /fed i32/);
  await wrong({ dtype: "f32", shape: [3], data: new Int32Array(3) }, /fed an Int32Array/);
  for (const level of [300, -1, 1.5, Number.NaN]) {
    await says(t, () => session.run(["above"], { level }), "G082", /whole numbers from 0 to 255/);
  }
  await says(t, () => session.run(["total"], {}), "G080", /`bias` is not fed, and `total` needs it/);
});

test("a variable is set by a tensor of its dtype, shape and length alone", async (t) => {
  const session = await open(t, model);
  const wrong = (value: unknown, code: string, message: RegExp) =>
    says(t, () => session.set("weight", value as Tensor), code, message);
  const data = Float32Array.of(1, 2);
  await wrong({ dtype: "f32", shape: [3], data: new Float32Array(3) }, "G081", /it is f32\[2\].*shape \[3\]/);
  await wrong({ dtype: "f32", shape: [2], data: new Float32Array(3) }, "G081", /data has 3 elements, not 2/);
  await wrong({ dtype: "i32", shape: [2], data: new Int32Array(2) }, "G082", /it is f32\[2\], the value i32/);
  await wrong({ dtype: "f32", shape: [2], data: new Int32Array(2) }, "G082", /no array of that dtype/);
  await wrong(data, "G082", /no tensor/);
  await wrong(3, "G082", /no tensor/);
  t.deepEqual([...session.get("weight").data], [0, 0]);
  session.set("weight", { dtype: "f32", shape: [2], data });
  t.deepEqual([...session.get("weight").data], [1, 2]);
});

test("seeds and batches that are no whole numbers are refused", async (t) => {
  const program = await compileText(t, model);
  for (const seed of [1.5, Number.NaN, Number.POSITIVE_INFINITY, 2n ** 64n, -(2n ** 63n) - 1n]) {
    await says(t, () => new Session(program, { seed }), "G046", /`seed` must be a whole number of 64 bits/);
  }
  await using largest = new Session(program, { seed: 2n ** 64n - 1n });
  t.is(largest.seed, -1n);
});

test("a gradient through argmax or integers names what cuts it, when it is asked for", async (t) => {
  const cut = (loss: string) =>
    open(t, `graph g { variable w: f32[3] = zeros()\n loss = ${loss}\n d = gradients(loss, [w]) }`);
  const argmax = await cut("cast(argmax(w, axis=0), to=f32)");
  await says(t, () => argmax.run(["d"]), "G050", /no gradient path leads to the variable `w`: `argmax` cuts it/);
  const rounded = await cut("cast(sum(cast(w, to=i32)), to=f32)");
  await says(t, () => rounded.run(["d"]), "G050", /`cast` cuts it/);
});

const classifier = `
import { sparse_softmax_cross_entropy } from "std/losses"
import { sgd } from "std/optimizers"

graph classifier {
  dim N <= 100
  placeholder x: u8[N, 2]
  placeholder y: u8[N]
  variable w: f32[2, 3] = zeros()
  logits = cast(x, to=f32) @ w
  loss = mean(sparse_softmax_cross_entropy(logits, y))
  update learn = minimize(loss, sgd(learning_rate=0.1))
  signature fit(x, y) does learn -> (loss)
  signature evaluate(x, y) -> (loss)
}
`;

/** An IDX file of bytes: the magic number 00 00 08 RANK, the sizes in big-endian order, the elements. */
function idxBytes(sizes: readonly number[], elements: readonly number[]): Buffer {
  const header = Buffer.alloc(4 + 4 * sizes.length);
  header.writeUInt32BE(0x0800 + sizes.length);
  sizes.forEach((size, axis) => {
    header.writeUInt32BE(size, 4 + 4 * axis);
  });
  return Buffer.concat([header, Buffer.from(elements)]);
}

const rows = [1, 2, 3, 4, 5, 6, 7, 8];

for (const target of targets) {
  test(`${target}: data that do not fit are refused, and the variables stay as they are`, async (t) => {
    const folder = temporaryFolder(t);
    const file = (name: string, content: Buffer | string): string => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    const x = idx(file("x", idxBytes([4, 2], rows)));
    const y = idx(file("y", idxBytes([4], [0, 1, 2, 0])));
    await using session = new Session(await compileText(t, classifier, { target }));
    const wrong = async (options: TrainOptions, code: string, message: RegExp): Promise<void> => {
      await says(t, () => session.train({ run: "fit", batch: 2, ...options }), code, message);
      t.is(session.step, 0);
      t.deepEqual([...session.get("w").data], [0, 0, 0, 0, 0, 0]);
    };
    const cut = idx(file("cut", idxBytes([4, 2], [1, 2, 3])));
    await wrong({ data: { x: cut, y } }, "G072", /cut short: its header promises \[4, 2\], 20 bytes.*has 15/);
    await wrong({ data: { x: idx(file("text", "hello")), y } }, "G071", /not an IDX file/);
    const three = idx(file("three", idxBytes([3], [0, 1, 2])));
    await wrong({ data: { x, y: three } }, "G073", /"x" has 4 rows.*"y" has 3 rows/);
    await wrong({ data: { x, y: idx(join(folder, "z")) } }, "G070", /no data file/);
    await wrong({ data: { x: y, y } }, "G074", /it has 1 axis, not 2/);
    await wrong({ data: { x, w: y } }, "G083", /`w` is a variable/);
    await wrong(
      { data: { x, y: idx(file("labels", idxBytes([4], [7, 7, 7, 7]))) } },
      "G086",
      /7 is out of range: .*0 to 2/,
    );
    await wrong({ data: { x, y }, batch: Number.NaN }, "G046", /`batch` must be a whole number/);
    await says(t, () => session.run("evaluate", { x: [[1, 2]], y: [3] }), "G086", /3 is out of range/);
    for (const batch of [0, 1.5, Number.NaN]) {
      await says(t, () => session.evaluate("evaluate", { x, y }, { batch }), "G046", /`batch` must be/);
    }
    const { loss } = await session.evaluate("evaluate", { x, y }, { batch: 3 });
    t.true(Math.abs((loss ?? 0) - Math.log(3)) < 1e-6, "three classes, all as likely");
  });

  test(`${target}: a checkpoint of another model or a damaged one changes nothing`, async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, "a.safetensors");
    const feeds = { x: [[1, 2]], y: [0] };
    await using trained = new Session(await compileText(t, classifier, { target }));
    await trained.run("fit", feeds);
    await trained.save(path);
    const bytes = readFileSync(path);
    const flipped = Buffer.from(bytes);
    flipped[flipped.length - 2] = (flipped.at(-2) ?? 0) ^ 4;
    writeFileSync(join(folder, "flipped"), flipped);
    writeFileSync(join(folder, "cut"), bytes.subarray(0, -3));
    await using session = new Session(await compileText(t, classifier, { target }));
    const before = session.get("w");
    await says(t, () => session.restore(join(folder, "flipped")), "G091", /damaged: .*checksum/);
    await says(t, () => session.restore(join(folder, "cut")), "G091", /cut short/);
    t.deepEqual(session.get("w"), before);
    t.is(session.step, 0);
    const text = classifier.replace("f32[2, 3] = zeros()", "f32[2, 4] = zeros()\n  variable extra: f32 = 1");
    await using other = new Session(await compileText(t, text, { target }));
    const misfit = await refused(t, () => other.restore(path));
    t.is(misfit?.code, "G090");
    t.deepEqual(
      misfit?.notes.map(({ message }) => message),
      ['missing: "extra" f32', '"w" is f32[2, 3] in the file and f32[2, 4] in the model'],
    );
    t.is(other.step, 0);
  });

  test(`${target}: what the machine's memory cannot hold is refused before it is allocated`, async (t) => {
    const square = `graph g {
      dim N
      placeholder x: f32[N]
      y = exp(reshape(x, [N, 1]) @ reshape(x, [1, N]))
      z = y @ y
    }`;
    await using session = new Session(await compileText(t, square, { target }));
    // 10^12 elements of 4 bytes or more, several times over.
    const x = new Float32Array(1_000_000);
    await says(t, () => session.run(["z"], { x }), "G102", /`z` needs .*TB, this machine has/);
    const wide = "graph g { variable w: f32[1_000_000, 250_000] = zeros() }";
    await says(t, () => compileText(t, wide, { target }), "G102", /initial values need .*TB, this machine has/);
  });

  test(`${target}: with checkNumerics the op that makes the first NaN is named, with its line`, async (t) => {
    const text = `
graph falling {
  variable w: f32 = 1
  inner = w - 0.25
  root = sqrt(inner)
  update down { w := w - 0.5 }
  signature fall() does down -> (root)
}`;
    const program = await compileText(t, text, { target, checkNumerics: true });
    await using session = new Session(program);
    const nan = await refused(t, () => session.train({ run: "fall", steps: 10 }));
    t.is(nan?.code, "G110");
    // w is 1, then 0.5, then 0: the third step takes the root of -0.25.
    t.regex(nan?.message ?? "", /^step 3: `sqrt` makes a NaN/);
    const { file, start = 0, end = 0 } = nan?.span ?? {};
    t.is(file === undefined ? "" : readFileSync(file, "utf8").slice(start, end), "sqrt(inner)");
    t.deepEqual([...session.get("w").data], [0]);
    t.is(session.step, 2);
  });
}

test("a path in a train block that cannot be used is told with its place", async (t) => {
  const placesOf = async (fields: string): Promise<readonly (string | undefined)[]> => {
    const block = `  train { run = fit\n    batch = 1\n    steps = 1\n    ${fields} }\n}\n`;
    const session = await open(t, classifier.replace(/\}\n$/, block));
    const { code, span } = (await refused(t, () => session.train({ data: { x: new Uint8Array(2) } }))) ?? {};
    return [code, span === undefined ? undefined : readFileSync(span.file, "utf8").slice(span.start, span.end)];
  };
  t.deepEqual(await placesOf('data = { x = idx("x"), y = idx("../y") }'), ["G063", 'idx("../y")']);
  t.deepEqual(await placesOf('data = { x = idx("x"), y = idx("y") }'), ["G070", 'idx("y")']);
  t.deepEqual(await placesOf('checkpoint = { every = 1, to = "../w.safetensors" }'), ["G063", '"../w.safetensors"']);
  const validated = 'validate = { run = evaluate, data = { x = idx("x"), y = idx("y") } }';
  const best = 'best = { metric = loss, to = "/w.safetensors" }';
  t.deepEqual(await placesOf(`${validated}\n    ${best}`), ["G063", '"/w.safetensors"']);
});

test("names that look like code or paths are only names", async (t) => {
  const text =
    "graph g { placeholder constructor: f32 = 1\n variable __proto__: f32 = 2\n y = constructor + __proto__ }";
  const session = await open(t, text);
  const path = join(temporaryFolder(t), "names.safetensors");
  session.set("__proto__", { dtype: "f32", shape: [], data: Float32Array.of(5) });
  await session.save(path);
  const restored = await open(t, text, { weights: path });
  const values = await restored.run(["y", "__proto__"], { constructor: 3 });
  t.deepEqual(
    Object.entries(values).map(([name, { data }]) => [name, data[0]]),
    [
      ["y", 8],
      ["__proto__", 5],
    ],
  );
  for (const name of ["toString", "hasOwnProperty", '"; drop', "../w", "a\nb", ""]) {
    await says(t, () => session.run([name]), "G083", /the graph has no value/);
    await says(t, () => session.run(["y"], { [name]: 1 }), "G083", /no placeholder/);
    await says(t, () => session.get(name), "G083", /no variable/);
  }
});

test("a save that fails leaves the file that was there", async (t) => {
  const folder = temporaryFolder(t);
  const session = await open(t, model);
  mkdirSync(join(folder, "taken"));
  await says(t, () => session.save(join(folder, "taken")), "G064", /it is a folder/);
  writeFileSync(join(folder, "file"), "kept");
  await says(t, () => session.save(join(folder, "file", "below")), "G092", /not a folder/);
  t.is(readFileSync(join(folder, "file"), "utf8"), "kept");
});
