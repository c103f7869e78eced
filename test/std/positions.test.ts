import test from "ava";
import { graph, problems, types } from "../dsl/elaborate/support.js";
import { targets } from "../runtime/programs.js";
import { fetch, near, open, variable } from "./support.js";

// m[i][j] = 4 i + j + 1: each expected value is read off the positions by hand.
const values: readonly (readonly [name: string, expression: string, expected: readonly number[]])[] = [
  ["row", "m[k]", [5, 6, 7, 8]],
  ["rows", "m[ids]", [1, 2, 3, 4, 9, 10, 11, 12, 9, 10, 11, 12]],
  ["columns", "m[:, ids]", [1, 3, 4, 5, 7, 8, 9, 11, 12]],
  ["points", "m[ids, ids]", [1, 11, 12]],
  ["spread", "m[[[0], [2]], [1, 3]]", [2, 4, 10, 12]],
  ["after_int", "m[1, ids]", [5, 7, 8]],
  ["reversed", "m[::-1, 1:3][k]", [6, 7]],
  ["between", "cube[ids2, :, ids2]", [0, 4, 8, 13, 17, 21]],
  ["middle", "cube[:, ids, 1]", [1, 9, 9, 13, 21, 21]],
  ["of_list", "[10, 20, 30][ids]", [10, 30, 30]],
  ["empty", "m[cast([], to=i64)]", []],
  ["narrow", "m[bytes]", [9, 10, 11, 12, 1, 2, 3, 4]],
  ["last_axis", "gather(m, [[0, -1]], axis=-1)", [1, 4, 5, 8, 9, 12]],
  ["nd_points", "gather_nd(m, [[0, 1], [2, 3], [-1, -4]])", [2, 12, 9]],
  ["nd_rows", "gather_nd(m, [[2], [0]])", [9, 10, 11, 12, 1, 2, 3, 4]],
  ["nd_batch", "gather_nd(m, [[1], [3], [0]], batch_axes=1)", [2, 8, 9]],
  ["along", "take_along_axis(m, [[0, 0], [1, -1], [2, 3]], axis=1)", [1, 1, 6, 8, 11, 12]],
  ["along_spread", "take_along_axis(m, [[2, 1, 0, 0]], axis=0)", [9, 6, 3, 4]],
  ["along_repeated", "take_along_axis([[7, 8]], [[0], [1]], axis=1)", [7, 8]],
  ["set", "scatter(zeros([4], dtype=i64), [1, 1, 3], [5, 6, 7])", [0, 6, 0, 7]],
  ["added", 'scatter(zeros([4], dtype=i64), [1, 1, -1], [5, 6, 7], combiner="add")', [0, 11, 0, 7]],
  ["multiplied", 'scatter(m[0], [1, 1, 2], 3, combiner="mul")', [1, 18, 9, 4]],
  ["greatest", 'scatter(m[0], [0, 0, 2], [9, 5, 1], combiner="max")', [9, 2, 3, 4]],
  ["least", 'scatter(m[0], [3, 3, 2], [9, -5, 1], combiner="min")', [1, 2, 1, -5]],
  ["columns_set", "scatter(m, [0, 2], [[100, 200]], axis=1)", [100, 2, 200, 4, 100, 6, 200, 8, 100, 10, 200, 12]],
  [
    "nd_added",
    'scatter_nd(m[0:2], [[0, 1], [0, 1], [1, 3]], [1, 10, 100], combiner="add")',
    [1, 13, 3, 4, 5, 6, 7, 108],
  ],
  ["put", "put_along_axis(m[0:2], [[3], [0]], 0, axis=1)", [1, 2, 3, 0, 0, 6, 7, 8]],
  ["bools", 'scatter([true, false, false], [0, 1], [false, true], combiner="add")', [1, 1, 0]],
  ["box", "dynamic_slice(m, [k, 2], [2, 2])", [7, 8, 11, 12]],
  ["box_by_vector", "dynamic_slice(m, ids[0:2], [3, 2])", [3, 4, 7, 8, 11, 12]],
  ["boxed", "dynamic_update_slice(m, [[-1, -2]], [k, k])", [1, 2, 3, 4, 5, -1, -2, 8, 9, 10, 11, 12]],
  ["hot", "one_hot([2, 0], 3, dtype=i64)", [0, 0, 1, 1, 0, 0]],
  ["hot_first", "one_hot([2, 0], 3, dtype=i64, axis=0)", [0, 1, 0, 0, 1, 0]],
  ["moved", "move_axis(cube, 0, -1)[1]", [4, 16, 5, 17, 6, 18, 7, 19]],
  ["rolled", "roll(m[0:2], 1, axis=1)", [4, 1, 2, 3, 8, 5, 6, 7]],
  ["rolled_twice", "roll(m, [-1, 6], axis=[0, 1])", [7, 8, 5, 6, 11, 12, 9, 10, 3, 4, 1, 2]],
  ["rolled_nothing", "roll(m[0:0], 3)", []],
  ["tiled", "tile([1, 2], [2, 2])", [1, 2, 1, 2, 1, 2, 1, 2]],
  ["tiled_rows", "tile(m[0:2, 0:1], 2)", [1, 1, 5, 5]],
  ["repeated", "repeat(m[0:2, 0:2], 2, axis=1)", [1, 1, 2, 2, 5, 5, 6, 6]],
  ["split_sum", "first - rest[:, 0:1]", [-1, -1, -1]],
  ["unstacked", "u2 - u1", [4, 4, 4, 4]],
  ["expanded", "expand_dims(m[0], [0, -1])", [1, 2, 3, 4]],
  ["squeezed", "squeeze(m[0:1, 2:3])", [3]],
  ["mirrored", 'pad(m[0], 2, 1, mode="reflect")', [3, 2, 1, 2, 3, 4, 3]],
  ["edged", 'pad(m[0:2, 0:2], [0, 1], [1, 2], mode="edge")', [1, 1, 2, 2, 2, 5, 5, 6, 6, 6, 5, 5, 6, 6, 6]],
  ["wrapped", 'pad(m[0], 1, 2, mode="wrap")', [4, 1, 2, 3, 4, 1, 2]],
  ["cut_mirrored", 'pad(m[0], -1, 2, mode="reflect")', [2, 3, 4, 3, 2]],
  ["swapped", "swap_axes(m, 0, 1)[1]", [2, 6, 10]],
];

const text = `graph g {
  placeholder ids: i64[3] = [0, 2, -1]
  placeholder ids2: i32[2] = [0, 1]
  placeholder k: i32 = 1
  placeholder bytes: u8[2] = [2, 0]
  m: i64[3, 4] = [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]
  cube = reshape(iota(24), [2, 3, 4])
  first, rest = split(m, [1, 3], axis=1)
  u1, u2, _ = unstack(m)
${values.map(([name, expression]) => `  ${name} = ${expression}\n`).join("")}}
`;

for (const target of targets) {
  test(`${target}: positions mean what they say`, async (t) => {
    const session = await open(t, target, text);
    const found = await fetch(
      session,
      values.map(([name]) => name),
    );
    for (const [name, expression, expected] of values) t.deepEqual(found.get(name), expected, expression);
  });

  test(`${target}: an index outside fails with its line, counts from the end where negative, and assigns nothing`, async (t) => {
    const session = await open(
      t,
      target,
      `graph g {
  placeholder ids: i64[2]
  variable w: f32[3] = ones()
  y = w[ids]
  update bump { w := scatter(w, ids, 1, combiner="add") }
  signature step(ids) does bump -> (y)
}
`,
    );
    await fetch(session, "step", { ids: [-3, 2] });
    t.deepEqual(variable(session, "w"), [2, 1, 2]);
    for (const ids of [
      [3, 0],
      [0, -4],
      [2 ** 40, 0],
      [0, -(2 ** 53) + 1],
    ]) {
      const error = await t.throwsAsync(fetch(session, "step", { ids }));
      t.regex(error?.message ?? "", new RegExp(`the index ${ids.find((id) => id < -3 || id > 2)} is out of range`));
      t.deepEqual(variable(session, "w"), [2, 1, 2]);
    }
  });

  test(`${target}: gradients go back to where the elements came from`, async (t) => {
    const session = await open(
      t,
      target,
      `graph g {
  x: f64[4] = [1, 2, 3, 4]
  u: f64[3] = [10, 20, 30]
  c: f64[3] = [1, 10, 100]
  read = gradients(sum(c * x[[1, 1, 3]]), [x])
  set_x, set_u = gradients(sum([1, 2, 4, 8] * scatter(x, [1, 1, 3], u)), [x, u])
  add_x, add_u = gradients(sum([1, 2, 4, 8] * scatter(x, [1, 1, 3], u, combiner="add")), [x, u])
  mul_x, mul_u = gradients(sum([1, 2, 4, 8] * scatter(x, [1, 1, 3], u, combiner="mul")), [x, u])
  v: f64[3] = [1, 9, 9]
  max_x, max_v = gradients(sum([1, 2, 4, 8] * scatter(x, [0, 1, 1], v, combiner="max")), [x, v])
  z: f64[3] = [0, 5, 0]
  zero_x, zero_z = gradients(sum(scatter(x, [1, 1, 3], z, combiner="mul")), [x, z])
  twice = gradients(sum(gradients(sum(x[[0, 0, 2]] ** 3), [x])), [x])
}
`,
    );
    const names = "read set_x set_u add_x add_u mul_x mul_u max_x max_v zero_x zero_z twice".split(" ");
    const found = await fetch(session, names);
    const expect = (name: string, ...expected: readonly number[]): void =>
      near(t, found.get(name), expected, 1e-12, name);
    expect("read", 0, 11, 0, 100);
    // Element 1 is set to 20, the last of two; element 3 to 30.
    expect("set_x", 1, 0, 4, 0);
    expect("set_u", 0, 2, 8);
    expect("add_x", 1, 2, 4, 8);
    expect("add_u", 2, 2, 8);
    // y1 = x1 u0 u1, y3 = x3 u2.
    expect("mul_x", 1, 2 * 200, 4, 8 * 30);
    expect("mul_u", 2 * 2 * 20, 2 * 2 * 10, 8 * 4);
    // Element 0 ties with its update of 1; element 1 is below both of its own.
    expect("max_x", 0.5, 0, 4, 8);
    expect("max_v", 0.5, 1, 1);
    expect("zero_x", 1, 0, 1, 0);
    expect("zero_z", 2 * 5, 0, 4);
    expect("twice", 12, 0, 18, 0);
  });

  test(`${target}: embedding looks up rows and trains those alone`, async (t) => {
    const session = await open(
      t,
      target,
      `import { embedding } from "std/layers"
import { sgd } from "std/optimizers"
graph g {
  dim N <= 8
  placeholder ids: i64[N]
  e = embedding(ids, vocabulary=4, units=2)
  loss = sum(e * [[1, 10]])
  update learn = minimize(loss, sgd(learning_rate=0.5))
  signature fit(ids) does learn -> (e)
}
`,
    );
    const start = [1, 2, 3, 4, 5, 6, 7, 8];
    session.set("e/embedding/table", { dtype: "f32", shape: [4, 2], data: Float32Array.from(start) });
    const found = await fetch(session, "fit", { ids: [3, 1, 3] });
    t.deepEqual(found.get("e"), [7, 8, 3, 4, 7, 8]);
    t.deepEqual(variable(session, "e/embedding/table"), [1, 2, 3 - 0.5, 4 - 5, 5, 6, 7 - 2 * 0.5, 8 - 2 * 5]);
    await t.throwsAsync(fetch(session, "fit", { ids: [0, -1] }), { message: /the index -1 is out of range/ });
    await t.throwsAsync(fetch(session, "fit", { ids: [4] }), { message: /the index 4 is out of range/ });
  });
}

test("shapes of what is read and written", (t) => {
  const text = graph(
    "dim N <= 9",
    "placeholder x: f32[N, 5, 6]",
    "placeholder ids: i32[2, 3]",
    "placeholder rows: i64[N, 4]",
    "a = x[ids]",
    "b = x[:, ids]",
    "c = x[ids, :, ids]",
    "d = x[0, ids, ids]",
    "e = gather(x, ids, axis=2)",
    "f = gather(rows, rows, axis=1)",
    "g = take_along_axis(rows, rows, axis=1)",
    "h = tile(x, [2, 1, 1])",
    "i = repeat(x, 3, axis=0)",
    "j = expand_dims(x, -1)",
    "k, l = split(x, 2, axis=2)",
  );
  const expected = {
    a: "f32[2, 3, 5, 6]",
    b: "f32[N, 2, 3, 6]",
    c: "f32[2, 3, 5]",
    d: "f32[2, 3]",
    e: "f32[N, 5, 2, 3]",
    f: "i64[N, N, 4]",
    g: "i64[N, 4]",
    h: "f32[2*N, 5, 6]",
    i: "f32[3*N, 5, 6]",
    j: "f32[N, 5, 6, 1]",
    k: "f32[N, 5, 3]",
  };
  t.deepEqual(types(text, ...Object.keys(expected)), Object.values(expected));
});

test("what is known to be wrong is refused with both sides", (t) => {
  const wrong = (statement: string): string => {
    const [first = ""] = problems(
      graph("placeholder x: f32[3, 4]", "placeholder i: i64[2]", "placeholder j: i64[3]", `y = ${statement}`),
    );
    return first.replace(/^(G\d+) \S+/, "$1");
  };
  const cases: readonly (readonly [string, RegExp])[] = [
    ["x[x]", /^G024 an index is an integer, not f32\[3, 4\] \(`cast/],
    ["x[x > 0.0]", /^G024 an index is an integer, not bool\[3, 4\] \(how many elements a mask keeps/],
    ["x[[0, 3]]", /^G026 the index 3 is out of range: axis 0 of f32\[3, 4\] has 3 elements \(the indices are 0 to 2/],
    ["x[:, [0, -5]]", /^G026 the index -5 is out of range: axis 1/],
    ["x[i, j]", /^G020 the sizes 2 and 3 do not broadcast/],
    ["x[i, i, i]", /^G025 f32\[3, 4\] has 2 axes, and 3 are indexed/],
    ["gather(x, i, axis=2)", /^G025 f32\[3, 4\] has no axis 2/],
    ["gather(x, [0.5])", /^G024 an index is an integer, not f32\[1\]/],
    ["gather(sum(x), i)", /^G025 f32 has no axis 0/],
    ["gather_nd(x, [[0, 0, 0]])", /^G025 the last axis of `indices` has an index for each of 1 to 2 axes/],
    ["gather_nd(x, [[0], [1]], batch_axes=1)", /^G020 the sizes 3 and 2 differ/],
    ["gather_nd(x, [[0]], batch_axes=2)", /^G025 `batch_axes` is 0 to 1 here, not 2/],
    ["take_along_axis(x, i, axis=1)", /^G025 `indices` has as many axes as x, 2, not i64\[2\]/],
    ["take_along_axis(x, [[0], [1]], axis=1)", /^G020 the sizes 3 and 2 do not broadcast/],
    ["scatter(x, i, zeros([3, 4]))", /^G020 `scatter` writes \[2, 4\], and f32\[3, 4\] does not broadcast to that/],
    ['scatter(x, i, 0, combiner="mean")', /^G031 scatter combines by set, add, mul, max, min, not by `mean`/],
    ["scatter(x, i, 0, combiner=1)", /^G031 `combiner` of `scatter` is a string/],
    ["scatter(x, i, cast(i, to=i32))", /^G02/],
    ["dynamic_slice(x, [0], [1, 1])", /^G025 dynamic_slice of f32\[3, 4\] needs a start for each axis: 2, not 1/],
    ["dynamic_slice(x, [0, 0], [4, 1])", /^G026 dynamic_slice of f32\[3, 4\]: a box of 4 does not fit axis 0/],
    ["dynamic_slice(x, [i, i], [1, 1])", /^G025 a start of dynamic_slice is a scalar/],
    [
      "dynamic_update_slice(x, zeros([5]), [0, 0])",
      /^G025 dynamic_update_slice of f32\[3, 4\] needs updates with as many axes/,
    ],
    ["split(x, 2)", /^G027 3 elements along axis 0 do not split into 2 equal parts/],
    ["split(x, [1, 1])", /^G027 the parts have 2 elements, and axis 0 of f32\[3, 4\] has 3/],
    ["roll(x, [1, 2])", /^G031 `roll` takes one shift for each axis: 2 for 1/],
    ["roll(x, 1, axis=2)", /^G025 f32\[3, 4\] has no axis 2/],
    ["split(zeros([0]), 1_000_000_000)", /^G102 `split` gives at most 1000 parts/],
    ["unstack(zeros([2_000, 1]))", /^G102 `unstack` gives at most 1000 parts/],
    ["x[[9_223_372_036_854_775_807]]", /^G026 the index 9223372036854775807 is out of range/],
    ["gather_nd(x, 0)", /^G025 the last axis of `indices` has an index for each of 1 to 2 axes, not i64/],
    ["tile(x, [-1])", /^G027 nothing is repeated -1 times/],
    ["squeeze(x, axis=0)", /^G027 axis 0 of f32\[3, 4\] has 3 elements, not 1/],
    ["expand_dims(x, 4)", /^G025 the result has 3 axes/],
    ['pad(x, 3, mode="reflect")', /^G026 "reflect" has 2 elements to pad axis 0 of f32\[3, 4\] with, and 3 are wanted/],
    ['pad(x, 1, mode="mirror")', /^G031 `mode` of `pad` is "constant", "reflect", "edge" or "wrap"/],
    ['pad(x, 1, value=2, mode="edge")', /^G031 `value` is for padding with a constant, not by "edge"/],
    ["unstack(zeros([0, 2]))", /^G027 axis 0 of f32\[0, 2\] gives no fixed number of parts/],
  ];
  for (const [statement, expected] of cases) t.regex(wrong(statement), expected, statement);
});
