/** Positions that are computed on a device: they stay there, and one that is out of range ends the run as it does on the processor. */
import type { ExecutionContext } from "ava";
import type { DeviceName } from "../../../compiler/backends/gpu/devices/device.js";
import { type CompileFileOptions, GraphError, Session } from "../../../index.js";
import type { FeedValue } from "../../../runtime/feeds.js";
import { compileText } from "../../runtime/programs.js";
import { forEachDevice } from "./support.js";

type Feeds = Readonly<Record<string, FeedValue>>;

interface Case {
  readonly title: string;
  /** Its signature is `step`; what it fetches and keeps are floats that f32 holds exactly, or integers. */
  readonly text: string;
  readonly good: Feeds;
  /** Feeds with which a position is out of range, and what is said then. */
  readonly bad?: readonly [Feeds, RegExp];
  /** Checks whose outcome each run brings: those that are not known to hold. */
  readonly checks: number;
  /** Bytes that go up and down, where loops ask how they go on. */
  readonly asks?: number;
}

const floats = (length: number, f: (i: number) => number): Float32Array =>
  Float32Array.from({ length }, (_, i) => f(i));

/** Rows of which each has its largest element at one of `places`. */
const peaks = (width: number, places: readonly number[]): Float32Array => {
  const rows = new Float32Array(width * places.length).fill(0.25);
  places.forEach((place, row) => {
    rows[row * width + place] = 2;
  });
  return rows;
};

const cases: readonly Case[] = [
  {
    title: "the best of each row, looked up",
    text: `graph g {
  placeholder x: f32[4, 6]
  placeholder table: f32[6, 3]
  best = gather(table, argmax(x, axis=-1))
  signature step(x, table) -> (best)
}`,
    good: { x: peaks(6, [2, 1, 3, 0]), table: floats(18, (i) => i) },
    checks: 0,
  },
  {
    title: "winners move: Kohonen's rule and k-means' counts",
    text: `graph g {
  placeholder x: f32[5, 2]
  variable centre: f32[3, 2] = [[0.0, 0.0], [4.0, 4.0], [8.0, 0.0]]
  variable count: f32[3] = zeros()
  distance = sum((reshape(x, [5, 1, 2]) - reshape(centre, [1, 3, 2])) ** 2, axis=-1)
  winner = argmin(distance, axis=-1)
  update learn {
    count := scatter(count, winner, ones([5]), combiner="add")
    centre := scatter(centre, winner, (x - gather(centre, winner)) / 2, combiner="add")
  }
  signature step(x) does learn -> (winner)
}`,
    good: {
      x: [
        [1, 1],
        [5, 4],
        [7, 1],
        [0, 1],
        [8, 2],
      ],
    },
    checks: 0,
  },
  {
    title: "positions that may count from the end, clamped ones, remainders",
    text: `graph g {
  placeholder x: f32[4, 6]
  placeholder table: f32[6]
  i = argmax(x, axis=-1)
  a = gather(table, i - 6)
  b = gather(table, minimum(i * 3, 5))
  c = gather(table, (i * 7) % 6)
  signature step(x, table) -> (a, b, c)
}`,
    good: { x: peaks(6, [2, 5, 3, 0]), table: floats(6, (i) => i) },
    checks: 0,
  },
  {
    title: "the two best of each row, looked up, and what sorts a row",
    text: `graph g {
  placeholder x: f32[3, 5]
  placeholder table: f32[5, 2]
  values, places = top_k(x, 2)
  rows = gather(table, places)
  upwards = argsort(x, axis=0)
  best = scan row in x with a = zeros([5]) {
    next a = a + row[argsort(row, descending=true)]
  }
  signature step(x, table) -> (values, places, rows, upwards, best)
}`,
    good: {
      x: [
        [1, 3, 3, Number.NaN, 0],
        [2, Number.POSITIVE_INFINITY, -1, -0, 0],
        [5, 4, Number.NEGATIVE_INFINITY, 4, 4],
      ],
      table: floats(10, (i) => i),
    },
    checks: 0,
  },
  {
    title: "a variable written at positions that may be out of range",
    text: `graph g {
  placeholder x: f32[4, 6]
  placeholder y: f32[4]
  variable table: f32[8, 3] = full([8, 3], 0.5)
  i = argmax(x, axis=-1) * 2
  rows = gather(table, i)
  update u {
    table := scatter(table, i, rows + reshape(y, [4, 1]), combiner="add")
  }
  signature step(x, y) does u -> (rows)
}`,
    good: { x: peaks(6, [2, 1, 3, 0]), y: [1, 2, 3, 4] },
    bad: [{ x: peaks(6, [2, 5, 4, 0]), y: [1, 2, 3, 4] }, /the index 10 is out of range: it must be from -8 to 7/],
    checks: 1,
  },
  {
    title: "floats as positions, and a box at one",
    text: `graph g {
  placeholder x: f32[3]
  placeholder table: f32[5]
  picked = gather(table, cast(floor(x * 2), to=i64))
  box = dynamic_slice(table, [cast(sum(x), to=i64)], sizes=[2])
  signature step(x, table) -> (picked, box)
}`,
    good: { x: [0.5, 1.2, 0], table: floats(5, (i) => i * i) },
    bad: [{ x: [1, 3e9, -3e9], table: floats(5, (i) => i) }, /the index 6000000000 is out of range/],
    // A sum of what is fed is known before anything is sent.
    checks: 1,
  },
  {
    title: "a sequence that is made token by token",
    text: `graph g {
  placeholder w: f32[5, 5]
  last, tokens = scan n in iota([6]) with token = argmax(w[0]) {
    next token = argmax(gather(w, token))
    yield token
  }
  signature step(w) -> (last, tokens)
}`,
    good: { w: floats(25, (i) => (i * 7) % 11) },
    checks: 0,
  },
  {
    title: "a check in a scan",
    text: `graph g {
  placeholder x: f32[6, 4]
  placeholder table: f32[5]
  total, all = scan row in x with s = 0.0 {
    v = gather(table, argmax(row) * 2)
    next s = s + v
    yield v
  }
  signature step(x, table) -> (total, all)
}`,
    good: { x: peaks(4, [0, 1, 2, 2, 1, 0]), table: floats(5, (i) => i + 1) },
    // The first that is wrong, and not the last.
    bad: [{ x: peaks(4, [0, 1, 3, 2, 3, 0]), table: floats(5, (i) => i) }, /the index 6 is out of range/],
    checks: 1,
  },
  {
    title: "checks in loops in loops and branches",
    text: `graph g {
  placeholder x: f32[3, 4, 4]
  placeholder table: f32[5]
  total, all = scan m in x with s = 0.0 {
    inner = scan row in m with t = s {
      v = if sum(row) > 0.0 { yield gather(table, argmax(row) * 2) } else { yield gather(table, argmax(row) * 3) }
      next t = t + v
    }
    next s = inner
    yield s
  }
  signature step(x, table) -> (total, all)
}`,
    good: {
      x: floats(48, (i) => (i % 4 === 1 && i % 8 < 4 ? 1 : 0)),
      table: floats(5, (i) => i + 1),
    },
    bad: [
      { x: floats(48, (i) => (i === 39 ? 9 : i % 4 === 1 ? 1 : 0)), table: floats(5, (i) => i) },
      /the index 6 is out of range/,
    ],
    checks: 2,
    // Which branch is taken, twelve times.
    asks: 12,
  },
];

/** The diagnostics of a run that fails, without the file's path. */
async function failureOf(t: ExecutionContext, session: Session, feeds: Feeds): Promise<unknown> {
  const error = await t.throwsAsync(() => session.run("step", feeds), { instanceOf: GraphError });
  const place = (span: { readonly start: number; readonly end: number } | undefined) => [span?.start, span?.end];
  return error?.diagnostics.map(({ code, message, span, notes, hint }) => [
    code,
    message,
    place(span),
    notes.map((note) => [note.message, place(note.span)]),
    hint,
  ]);
}

const elements = (value: FeedValue): number =>
  typeof value === "object" && "length" in value ? [...value].flat(8).length : 1;

async function holds(t: ExecutionContext, device: DeviceName, one: Case): Promise<void> {
  const open = async (options: CompileFileOptions) => {
    const warned: string[] = [];
    const program = await compileText(t, one.text, { ...options, onWarning: ({ message }) => warned.push(message) });
    return { program, session: new Session(program), warned };
  };
  const expected = await open({ target: "reference" });
  const found = await open({ target: "gpu", device });
  try {
    t.deepEqual(found.warned, []);
    const names = found.program.backend;
    for (const round of [1, 2]) {
      const before = await names.counts?.();
      const wanted = await expected.session.run("step", one.good);
      const made = await found.session.run("step", one.good);
      const after = await names.counts?.();
      t.deepEqual(made, wanted);
      if (round === 1 || before === undefined || after === undefined) continue;
      const up = Object.values(one.good).reduce<number>((sum, value) => sum + elements(value), 0);
      const down = Object.values(made).reduce((sum, { data }) => sum + data.length, 0);
      t.is(after.bytesUp - before.bytesUp, 4 * up);
      t.is(after.bytesDown - before.bytesDown, 4 * (down + one.checks + (one.asks ?? 0)));
      t.is(after.arrays, before.arrays);
    }
    if (one.bad === undefined) return;
    const variables = [...one.text.matchAll(/variable (\w+)/g)].map(([, name]) => name as string);
    const contents = () => Promise.all(variables.map(async (name) => (await found.session.read(name)).data.slice()));
    const [feeds, message] = one.bad;
    const before = await contents();
    const failure = await failureOf(t, found.session, feeds);
    t.regex(JSON.stringify(failure), message);
    t.deepEqual(failure, await failureOf(t, expected.session, feeds));
    t.deepEqual(await contents(), before);
    t.is(found.session.step, expected.session.step);
    // A session goes on from there.
    t.deepEqual(await found.session.run("step", one.good), await expected.session.run("step", one.good));
  } finally {
    await expected.session.close();
    await found.session.close();
  }
}

for (const one of cases) forEachDevice(one.title, (t, device) => holds(t, device, one));

forEachDevice("a while whose end a wrong position would hide is ended by it", async (t, device) => {
  const text = `graph g {
  placeholder links: f32[5, 5]
  at, k = while at != 4 with at = argmax(links[0]), k = 0 {
    next at = argmax(gather(links, at)) + 3
    next k = k + 1
  }
  signature step(links) -> (at, k)
}`;
  // From place 3 to the place 5, which is none. Read in its stead, place 0 would lead back to 3, and so for ever.
  const links = floats(25, (i) => (i === 0 || i === 17 ? 9 : 0));
  links[0] = 0;
  links[3] = 9;
  const errors: unknown[] = [];
  for (const options of [{ target: "reference" }, { target: "gpu", device }] as const) {
    await using session = new Session(await compileText(t, text, options));
    errors.push(await failureOf(t, session, { links }));
    const ends = floats(25, (i) => (i === 3 || i === 16 ? 9 : 0));
    t.deepEqual([...((await session.run("step", { links: ends }))["at"]?.data ?? [])], [4n]);
  }
  t.deepEqual(errors[1], errors[0]);
  t.regex(JSON.stringify(errors[0]), /the index 5 is out of range/);
});

forEachDevice(
  "training ends at the step whose position is out of range, with what it had learnt before",
  async (t, device) => {
    const text = `graph g {
  dim N
  placeholder x: f32[N, 4]
  variable seen: f32[5] = zeros()
  i = argmax(x, axis=-1) * 2
  update learn {
    seen := scatter(seen, i, ones([N]), combiner="add")
  }
  signature fit(x) does learn -> (i)
}`;
    const program = await compileText(t, text, { target: "gpu", device });
    await using session = new Session(program);
    const x = peaks(4, [0, 1, 2, 1, 3, 0]);
    const error = await t.throwsAsync(
      () => session.train({ run: "fit", data: { x }, batch: 1, steps: 6, shuffle: false }),
      {
        instanceOf: GraphError,
      },
    );
    t.regex(error?.message ?? "", /the index 6 is out of range/);
    t.deepEqual([...(await session.read("seen")).data], [1, 0, 2, 0, 1]);
    t.is(session.step, 4);
  },
);
