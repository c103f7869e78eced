import { join } from "node:path";
import { compile, Session } from "../../index.js";

const program = await compile(join(import.meta.dirname, "newton.graph"));
await using session = new Session(program);

const values = [2, 9, 0.25, 1e6, 0, -8];
const found = await session.run("roots", { values });

console.log("       a | square root         steps |   off by | cube root           steps |   off by");
for (const [i, a] of values.entries()) {
  const cells = (["square", "cube"] as const).map((kind) => {
    const root = Number(found[`${kind}_roots`]?.data[i]);
    const exact = kind === "square" ? Math.sqrt(a) : Math.cbrt(a);
    const steps = String(found[`${kind}_steps`]?.data[i]);
    return `${String(root).padEnd(19)} ${steps.padStart(5)} | ${Math.abs(root - exact)
      .toExponential(1)
      .padStart(8)}`;
  });
  console.log(`${String(a).padStart(8)} | ${cells.join(" | ")}`);
}
