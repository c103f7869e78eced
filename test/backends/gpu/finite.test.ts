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
  { also: ["cpu"] },
);
