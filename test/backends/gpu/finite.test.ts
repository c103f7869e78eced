/** Numbers that are not finite, found on the device. */
import { GraphError, Session } from "../../../index.js";
import { compileText } from "../../runtime/programs.js";
import { forEachDevice } from "./support.js";

const checkedText = `graph g {
  placeholder x: f32[4]
  variable w: f32[4] = ones()
  a = x * w
  y = sum(log(a))
  z = sum(exp(x * 100))
  masked = sum(softmax(select(x > 0, x, -inf)))
  update learn {
    w := w * y
  }
  signature fit(x) does learn -> (y)
}
`;

forEachDevice(
  "the device itself says whether all numbers are finite, and the first op that is not is named",
  async (t, device) => {
    const program = await compileText(t, checkedText, { target: "gpu", device, checkNumerics: true });
    await using session = new Session(program);
    const says = async (run: () => Promise<unknown>, message: RegExp, line: number) => {
      const error = await t.throwsAsync(run);
      t.true(error instanceof GraphError);
      const [found] = (error as GraphError).diagnostics;
      t.is(found?.code, "G110");
      t.regex(found?.message ?? "", message);
      const before = checkedText.slice(0, found?.span?.start ?? 0).split("\n").length;
      t.is(before, line);
    };
    await session.run("fit", { x: [1, 1, 1, Math.E] });
    // Nothing but the result and the flags comes back, so the reference has not looked at the variable.
    const before = await program.backend.counts?.();
    await session.run("fit", { x: [2, 2, 2, 2] });
    const after = await program.backend.counts?.();
    const down = (after?.bytesDown ?? 0) - (before?.bytesDown ?? 0);
    t.true(down > 4 && down <= 4 * 16, `${down} bytes`);
    await session.run("fit", { x: [2, 2, 2, 2] });
    const last = [...(await session.read("w")).data].map(Number);
    await says(() => session.run("fit", { x: [1, 1, -1, 1] }), /`log` makes a NaN of finite operands/, 5);
    t.deepEqual([...(await session.read("w")).data].map(Number), last);
    await says(() => session.run(["z"], { x: [1, 0, 0, 0] }), /`exp` makes an infinity of finite operands/, 6);
    // Minus infinity is a constant here, and what is made of it is no surprise.
    t.is(Number((await session.run(["masked"], { x: [1, 2, -1, 0] }))["masked"]?.data[0]).toFixed(5), "1.00000");
  },
);

const loopsText = `graph g {
  placeholder xs: f32[5, 3]
  variable w: f32[3] = ones()
  last, all = scan x in xs with h = zeros([3]) {
    s = sqrt(h + x)
    next h = s * w
    yield s
  }
  root = while sum(abs(r * r - last)) > 1e-3 and sum(log(r)) < 100.0 with r = last + 1 {
    next r = r - (r * r - last) / (2 * r)
  }
  y = if sum(all) > 3.0 { yield exp(all * 2) } else { yield 1 / all }
  update learn {
    w := w * 0.5 + 0.5
  }
  signature fit(xs) does learn -> (root, y)
}
`;

forEachDevice("in loops and branches, too, the device says whether all numbers are finite", async (t, device) => {
  const program = await compileText(t, loopsText, { target: "gpu", device, checkNumerics: true });
  await using session = new Session(program);
  const numbers = (f: (i: number) => number) => Float32Array.from({ length: 15 }, (_, i) => f(i));
  const run = () => session.run("fit", { xs: numbers(() => 1) });
  await run();
  const before = await program.backend.counts?.();
  const { root, y } = await run();
  const after = await program.backend.counts?.();
  t.true([...(root?.data ?? []), ...(y?.data ?? [])].every((x) => Number.isFinite(Number(x))));
  // Results, a flag for each float, and what the loop and the branch ask: the reference has not looked at the variable.
  const down = (after?.bytesDown ?? 0) - (before?.bytesDown ?? 0);
  t.true(down > 4 * 18 && down < 4 * 18 + 4 * 80, `${down} bytes`);
  t.is(after?.arrays, before?.arrays);
  for (const [xs, op, line] of [
    // The fourth iteration; what comes of it is no number in later ones, either.
    [numbers((i) => (i === 10 ? -9 : 1)), /`sqrt` makes a NaN of finite operands/, 5],
    // Each of the branches.
    [numbers(() => 0), /`div` makes an infinity of finite operands/, 12],
    [numbers((i) => (i >= 12 ? 1e4 : 1)), /`exp` makes an infinity of finite operands/, 12],
  ] as const) {
    const last = [...(await session.read("w")).data].map(Number);
    const error = await t.throwsAsync(() => session.run("fit", { xs }), { instanceOf: GraphError });
    const [found] = error?.diagnostics ?? [];
    t.is(found?.code, "G110");
    t.regex(found?.message ?? "", op);
    t.is(loopsText.slice(0, found?.span?.start ?? 0).split("\n").length, line);
    t.deepEqual([...(await session.read("w")).data].map(Number), last);
  }
});
