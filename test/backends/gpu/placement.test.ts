import test from "ava";
import { type Diagnostic, Session, type TargetName, type TensorData } from "../../../index.js";
import { compileText, refusal } from "../../runtime/programs.js";
import { agreesWherever, different, placedProblems, trainsAlike } from "./placed.js";

test("random graphs with random placements give what the reference gives, and send what is announced", async (t) => {
  await agreesWherever(t, "webasm", 24);
});

test("equal kernels that read arrays of different sizes are two", async (t) => {
  // Both concatenations pad to three rows: one reads two of three rows, the other what the processor sends, two rows.
  const text = `import { adam } from "std/optimizers"
graph placed {
  placeholder x: f32[3, 4]
  variable w: f32[3, 4] = uniform(low=-1.0, high=1.0)
  variable v: f32[3, 4] = uniform(low=-1.0, high=1.0)
  y1 = concatenate([w[1:], x[0:1]])
  y3 = 0.5 * (x + y1) on "cpu"
  y5 = concatenate([y3[1:], x[0:1]]) on "gpu"
  loss = mean((y5 + w * v - x) ** 2) on "cpu"
  update by_hand {
    w := w - 0.1 * gradients(loss, [w])
  }
  update by_adam = minimize(loss, adam(learning_rate=0.01), variables=[v])
  signature fit(x) does by_hand, by_adam -> (loss, y5, w, v)
}
`;
  t.deepEqual(await placedProblems(t, "webasm", text, "gpu"), []);
});

test("training with layers on both sides goes as on the reference", async (t) => {
  await trainsAlike(t, "webasm");
});

const mixed = `graph mixed {
  placeholder x: f32[4]
  h = exp(x) on "gpu"
  y = cumsum(h)
}
`;

/** What is told of a graph when it is compiled and run. */
async function notesOf(
  t: Parameters<typeof compileText>[0],
  text: string,
  target: TargetName | undefined,
  fetches: readonly string[],
): Promise<readonly Diagnostic[]> {
  const notes: Diagnostic[] = [];
  const options = { target, onWarning: (note: Diagnostic) => notes.push(note) };
  const device = target === "cpu" || target === "reference" ? {} : ({ device: "webasm" } as const);
  const program = await compileText(t, text, { ...options, ...device });
  await using session = new Session(program);
  await session.run([...fetches], { x: Float32Array.of(0.1, 0.2, 0.3, 0.4) });
  return notes;
}

test("without a target a placed graph runs on both sides, and nothing is told of it", async (t) => {
  t.deepEqual(await notesOf(t, mixed, undefined, ["y"]), []);
  const program = await compileText(t, mixed, { target: undefined, device: "webasm" });
  t.is(program.backend.target, "gpu");
  const plain = mixed.replace(' on "gpu"', "").replace("cumsum(h)", 'cumsum(h) on "cpu"');
  // Nothing is placed on a device: none is opened.
  t.not((await compileText(t, plain, { target: undefined, onWarning: () => {} })).backend.target, "gpu");
});

test("a target with one place says that it does not follow", async (t) => {
  const [note, ...others] = await notesOf(t, mixed, "reference", ["y"]);
  t.is(note?.code, "G126");
  t.is(note?.severity, "warning");
  t.is(note?.message, 'the target reference computes all in one place, also what `on "gpu"` places elsewhere');
  t.is(mixed.slice(note?.span?.start, note?.span?.end), '"gpu"');
  t.deepEqual(others, []);
  t.deepEqual(await notesOf(t, mixed.replace("gpu", "cpu"), "reference", ["y"]), []);
});

test("a device that does not work is an error, whoever asked for it", async (t) => {
  t.deepEqual(await refusal(t, () => compileText(t, mixed, { target: undefined, device: "webgl2" })), ["G122"]);
});

test("what devices lack runs on the processor, and each statement that is placed is told of", async (t) => {
  const text = `graph g {
  placeholder x: f32[4]
  a = cumsum(x) on "gpu"
  b = cast(x, to=f64) * 2.0 on "gpu"
  c = cumprod(x) on "gpu"
  d = cumsum(2 * x) on "gpu"
  e = cumsum(3 * x) on "cpu"
  f = cumsum(4 * x)
  w = cast(iota(4), to=i64) * 9_007_199_254_740_993 on "gpu"
}
`;
  const notes = await notesOf(t, text, undefined, ["a", "b", "c", "d", "e", "f", "w"]);
  t.true(notes.every(({ code, severity }) => code === "G121" && severity === "warning"));
  const lines = notes.map(({ span }) => text.slice(0, span?.start).split("\n").length);
  t.deepEqual(
    [...new Set(lines)].sort((a, b) => a - b),
    [3, 4, 5, 6, 9],
  );
  t.true(notes.some(({ message }) => message === "`cumsum` runs on the cpu: there is no kernel of cumsum"));
  t.true(notes.some(({ message }) => message.endsWith("kernels do not compute in f64")));
});

const doubling = (inside: string, behind: string): string => `graph g {
  placeholder x: f32[4]
  last = scan v in x with s = 0.0 {
    next s = s + twice(v)
  }${behind}
}
fn twice(x: f32) -> (y: f32) {
  y = 2.0 * x${inside}
}
`;

test("a placement in a fn that a loop calls has no effect, and the loop's own has", async (t) => {
  const told = await notesOf(t, doubling(' on "cpu"', ' on "gpu"'), undefined, ["last"]);
  t.deepEqual(
    told.map(({ code }) => code),
    ["G126"],
  );
  t.deepEqual(await notesOf(t, doubling(' on "gpu"', ' on "gpu"'), undefined, ["last"]), []);
});

test("in a loop another place than its own is refused once, its own is followed", async (t) => {
  const text = (inner: string, outer: string): string => `graph g {
  placeholder x: f32[4]
  last = scan v in x with s = zeros([2]) {
    on "${inner}" {
      next s = s + 2.0 * v
    }
  }${outer}
}
`;
  t.deepEqual(await refusal(t, () => compileText(t, text("gpu", ' on "cpu"'), { target: undefined })), ["G126"]);
  t.deepEqual(await refusal(t, () => compileText(t, text("cpu", ""), { target: undefined })), ["G126"]);
  for (const place of ["cpu", "gpu"]) {
    const program = await compileText(t, text(place, ` on "${place}"`), { target: "gpu", device: "webasm" });
    await using session = new Session(program);
    const { last } = await session.run(["last"], { x: Float32Array.of(1, 2, 3, 4) });
    t.deepEqual([...(last?.data ?? [])].map(Number), [20, 20]);
    const { info } = await program.compile(
      await program.prepare({ kind: "request", fetches: ["last"], updates: [] }),
      new Map(),
    );
    t.is(info.kernels > 0, place === "gpu");
  }
});

test("a loop that holds what the device lacks runs on the processor as a whole, and the line in it is told", async (t) => {
  const text = `graph g {
  placeholder x: f32[4]
  last = scan v in x with s = zeros([4]) {
    t = s + v
    c = cumsum(t)
    next s = c
  } on "gpu"
  y = exp(last) on "gpu"
}
`;
  const [note, ...others] = await notesOf(t, text, undefined, ["y"]);
  t.deepEqual(others, []);
  t.is(note?.code, "G121");
  t.is(note?.message, "`scan` runs on the cpu as a whole, for `cumsum` in it: there is no kernel of cumsum");
  t.is(text.slice(note?.span?.start, note?.span?.end), "cumsum(t)");
  t.deepEqual(
    note?.notes.map(({ span, message }) => [text.slice(span?.start, span?.end), message]),
    [["scan", "this scan"]],
  );
  const run = async (target: TargetName | undefined): Promise<readonly number[]> => {
    const device = target === undefined ? ({ device: "webasm" } as const) : {};
    await using session = new Session(await compileText(t, text, { target, ...device, onWarning: () => {} }));
    const { y } = await session.run(["y"], { x: Float32Array.of(0.1, 0.2, 0.3, 0.4) });
    return [...(y?.data ?? [])].map(Number);
  };
  const [plain, both] = [await run("reference"), await run(undefined)];
  plain.forEach((value, i) => {
    t.true(Math.abs((both[i] ?? Number.NaN) - value) <= 1e-5 * Math.abs(value) + 1e-6);
  });
});

test("values do not depend on the place: a variable that both sides assign and read", async (t) => {
  const text = `graph g {
  placeholder x: f32[4]
  variable w: f32[4] = ones()
  h = w * x on "gpu"
  update on_device on "gpu" {
    w := w + h
  }
  update on_host on "cpu" {
    w := 0.5 * w
  }
  signature up(x) does on_device -> (w)
  signature down(x) does on_host -> (w)
}
`;
  const x = Float32Array.of(1, 2, 3, 4);
  const run = async (target: TargetName | undefined): Promise<readonly TensorData[]> => {
    const device = target === undefined ? ({ device: "webasm" } as const) : {};
    await using session = new Session(await compileText(t, text, { target, ...device, onWarning: () => {} }));
    const found: TensorData[] = [];
    for (const name of ["up", "down", "up", "up", "down"])
      found.push((await session.run(name, { x }))["w"]?.data as TensorData);
    return found;
  };
  const [plain, both] = [await run("reference"), await run(undefined)];
  t.false(plain.some((data, i) => different(both[i], data)));
  // 1 -> 1 + x -> half -> ...
  t.deepEqual([...(plain[1] ?? [])].map(Number), [1, 1.5, 2, 2.5]);
});
