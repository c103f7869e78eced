/** Optimizers on devices: their variables after each step, by the formulas of their papers. */
import { Session } from "../../../index.js";
import { compileText } from "../../runtime/programs.js";
import { optimizerProgram, optimizers, optimizerTrace } from "../../std/optimizer_rules.js";
import { near } from "../../std/support.js";
import { forEachDevice } from "./support.js";

forEachDevice("three steps of every optimizer are those of its paper", async (t, device) => {
  const program = await compileText(t, optimizerProgram("f32"), { target: "gpu", device, onWarning: () => {} });
  await using session = new Session(program);
  for (let step = 1; step <= 3; step++) {
    await session.run("fit");
    for (const [i, optimizer] of optimizers.entries()) {
      const { data } = await session.read(`p${i}`);
      near(t, Array.from(data, Number), optimizerTrace(optimizer, step), 1e-5, `${optimizer.call}, step ${step}`);
    }
  }
});
