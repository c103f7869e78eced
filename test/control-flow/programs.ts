/** Graphs with loops and branches, each with what it means, for the tests of every stage. */

export interface LoopProgram {
  readonly name: string;
  readonly text: string;
  readonly fetches: readonly string[];
  /** Inputs to differentiate the first fetch in; all are f64 placeholders with defaults. */
  readonly inputs?: readonly string[];
}

const program = (name: string, fetches: string, body: string, inputs?: string): LoopProgram => ({
  name,
  fetches: fetches.split(" "),
  text: `graph g {\n  seed 7\n${body}\n}\n`,
  ...(inputs === undefined ? {} : { inputs: inputs.split(" ") }),
});

const xs =
  "  placeholder xs: f64[5, 3] = [[0.3, -1.2, 0.7], [1.1, 0.2, -0.4], [0.9, 0.8, -0.6], [-0.1, 0.5, 1.3], [0.6, -0.7, 0.2]]";
const h0 = "  placeholder h0: f64[3] = [0.1, -0.2, 0.4]";
const w = "  placeholder w: f64[3, 3] = [[0.5, -0.3, 0.2], [0.1, 0.4, -0.6], [-0.2, 0.3, 0.7]]";

/** Two carries that swap, a carry that keeps its value, one that only counts. */
const carries = `
  a, b, same, n, s = scan x in xs with a = h0, b = h0 * 2, same = h0, n = 0 {
    next a = b + x
    next b = a * 0.5
    next n = n + 1
    yield a + same
  }
  total = sum(s ** 2) + sum(a * b) + sum(same) * cast(n, to=f64)`;

const recurrent = `
  last, states = scan x in xs with h = h0 {
    s = tanh(x @ w + h @ w)
    next h = s
    yield s
  }
  total = sum(states ** 2) + sum(last)`;

export const programs: readonly LoopProgram[] = [
  program("a recurrence of matrices", "total last states", `${xs}\n${h0}\n${w}${recurrent}`, "xs h0 w"),
  program(
    "the same in reverse",
    "total last states",
    `${xs}\n${h0}\n${w}${recurrent.replace("scan x", "scan(reverse=true) x")}`,
    "xs h0 w",
  ),
  program(
    "the same with recomputation",
    "total last states",
    `${xs}\n${h0}\n${w}${recurrent.replace("scan x", "scan(checkpoint=true) x")}`,
    "xs h0 w",
  ),
  program("several carries", "total a b same n s", `${xs}\n${h0}${carries}`, "xs h0"),
  program(
    "several sequences and stacks, no carry",
    "total p q",
    `${xs}\n${h0}\n  ys = xs * 2\n  p, q = scan x in xs, y in ys {\n    yield x * y + h0, sum(x - y)\n  }\n  total = sum(p) * sum(q)`,
    "xs h0",
  ),
  program(
    "no iteration",
    "total last s",
    `  placeholder none: f64[0, 2] = zeros([0, 2], dtype=f64)\n${h0}\n  last, s = scan x in none with h = h0 {\n    next h = h + sum(x)\n    yield h\n  }\n  total = sum(last) + sum(s)`,
    "h0",
  ),
  program(
    "no iteration, and what is stacked is differentiated in the empty sequence",
    "total s",
    `  placeholder none: f64[0, 3] = zeros([0, 3], dtype=f64)\n${h0}\n  last, s = scan(checkpoint=true) x in none with h = h0 {\n    next h = tanh(h * x)\n    yield h * x\n  }\n  total = sum(last ** 2) + sum(s)`,
    "none h0",
  ),
  program(
    "elements and carries of size 0",
    "total last s",
    `  placeholder e: f64[4, 0] = zeros([4, 0], dtype=f64)\n${h0}\n  last, n, s = scan(reverse=true) x in e with c = e[0], n = sum(h0) {\n    next c = c * 2 + x\n    next n = n * 0.5 + sum(c)\n    yield c * x\n  }\n  total = sum(s) + sum(last) + n ** 2`,
    "e h0",
  ),
  program(
    "tensors of size 0 through a while and an if",
    "total x y k",
    `  placeholder e: f64[0, 3] = zeros([0, 3], dtype=f64)\n${h0}\n  x, k = while k < 3 and sum(b) == 0.0 with b = e, k = 0 {\n    next b = b * 2 + 1\n    next k = k + 1\n  }\n  y = if sum(e) > 1.0 { yield e + 1 } else { yield e * h0 }\n  total = sum(y) + sum(h0 ** 2)`,
    "e h0",
  ),
  program(
    "scalars, and elements of rank 5, one iteration of size 1",
    "total a s",
    `  placeholder one: f64[1, 2, 1, 2, 1, 3] = reshape(cast(iota([12]), to=f64) / 7, [1, 2, 1, 2, 1, 3])\n  placeholder v: f64[1] = [0.7]\n  a, s = scan x in one, y in v with h = sum(v) {\n    next h = h * y + sum(x ** 2)\n    yield x * h\n  }\n  total = sum(s ** 2) + a`,
    "one v",
  ),
  program(
    "one iteration",
    "total last s",
    `${h0}\n${w}\n  last, s = scan x in reshape(h0, [1, 3]) with h = h0 {\n    next h = h * x\n    yield h @ w\n  }\n  total = sum(last) + sum(s ** 2)`,
    "h0 w",
  ),
  program(
    "a scan in a scan",
    "total outer",
    `${xs}\n${h0}\n${w}\n  last, outer = scan x in xs with h = h0 {\n    inner, steps = scan row in w with c = h {\n      next c = c * 0.5 + row * x\n      yield sum(c)\n    }\n    next h = tanh(inner)\n    yield steps\n  }\n  total = sum(outer ** 2) + sum(last)`,
    "xs h0 w",
  ),
  program(
    "an if in a scan",
    "total last s",
    `${xs}\n${h0}\n  last, s = scan x in xs with h = h0 {\n    y = if sum(x) > 0.2 { yield h * x } else { yield h + 2 * x }\n    next h = y\n    yield sum(y ** 2)\n  }\n  total = sum(s) + sum(last)`,
    "xs h0",
  ),
  program(
    "a scan in an if",
    "total y",
    `${xs}\n${h0}\n  y = if sum(h0) > 0.0 {\n    last = scan x in xs with h = h0 { next h = h * 0.9 + x ** 2 }\n    yield last\n  } else {\n    yield h0\n  }\n  total = sum(y ** 2)`,
    "xs h0",
  ),
  program(
    "both branches and a chain of conditions",
    "total y z",
    `${h0}\n  y, z = if sum(h0) > 5.0 { yield h0, 1.0 } else if h0[0] < 0.5 { yield exp(h0), 2.0 } else { yield h0 * 3, 3.0 }\n  total = sum(y) * cast(z, to=f64)`,
    "h0",
  ),
  program(
    "a while in a scan",
    "roots n",
    `  placeholder v: f64[4] = [2.0, 9.0, 0.25, 1.0]\n  roots, n = scan a in v {\n    x, i = while abs(x ** 2 - a) > 1e-12 and i < 60 with x = a, i = 0 {\n      next x = x - (x ** 2 - a) / (2 * x)\n      next i = i + 1\n    }\n    yield x, i\n  }`,
  ),
  program(
    "a while with a tensor, and one that is never entered",
    "big small k",
    `${h0}\n${w}\n  big, k = while sum(abs(b)) < 100.0 with b = h0, k = 0 {\n    next b = b @ w + b * 2\n    next k = k + 1\n  }\n  small = while sum(s) > 1e9 with s = h0 { next s = s / 0 }`,
  ),
  program(
    "integers and bools carried",
    "a b count flags",
    `  placeholder n: i32[6] = [3, 1, 4, 1, 5, 9]\n  a, b, count, flags = scan x in n with a = cast(0, to=i32), b = false, count = 0 {\n    odd = x % 2 == 1\n    next a = a * 3 + x\n    next b = b or odd\n    next count = count + cast(odd, to=i64)\n    yield odd\n  }`,
  ),
  program(
    "positions that a loop computes",
    "total picked",
    `${xs}\n${h0}\n  picked = scan i in iota([5]) {\n    yield xs[(i * 2) % 5] * h0\n  }\n  total = sum(picked ** 2)`,
    "xs h0",
  ),
  program(
    "linear algebra in a loop",
    "total xs2",
    `${xs}\n${w}\n  xs2 = scan x in xs {\n    m = w + 3 * identity_matrix(3, dtype=f64)\n    yield reshape(solve(m, reshape(x, [3, 1])), [3])\n  }\n  total = sum(xs2 ** 2)`,
    "xs w",
  ),
  program(
    "calls that own variables, and draws, in a loop",
    "last s",
    `${xs}\n  last, s = scan x in xs with h = zeros([3], dtype=f64) {\n    d = dense(reshape(x, [1, 3]), units=3)\n    u = random_uniform([3], dtype=f64)\n    next h = tanh(reshape(d, [3]) + h)\n    yield u\n  }`,
  ),
  program(
    "convolution in a loop",
    "total s",
    `  placeholder im: f64[2, 1, 5, 5, 1] = reshape(cast(iota([50]), to=f64) / 25, [2, 1, 5, 5, 1])\n  placeholder k: f64[2, 2, 1, 2] = [[[[0.1, 0.2]], [[-0.3, 0.4]]], [[[0.5, -0.6]], [[0.7, 0.8]]]]\n  s = scan x in im { yield conv(x, k) }\n  total = sum(s ** 2)`,
    "im k",
  ),
];
