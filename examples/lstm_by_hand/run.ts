import { join } from "node:path";
import { compile, Session } from "../../index.js";

const program = await compile(join(import.meta.dirname, "lstm_by_hand.graph"));
await using session = new Session(program);

const found = await session.run("compare");
const gates = ["forget", "input", "candidate", "output"] as const;
const [seen, units] = [5, 3];

/** Some numbers of one of the two networks, to 12 places. */
const numbers = (name: string, from: number): string =>
  Array.from({ length: units }, (_, i) =>
    Number(found[name]?.data[from + i])
      .toFixed(12)
      .padStart(16),
  ).join("");

console.log(`${" ".repeat(18)}${"by the scan".padStart(48)}  |${"unrolled".padStart(48)}`);
for (const [gate, name] of gates.entries()) {
  for (let row = 0; row <= seen; row++) {
    const weight = row < 2 ? `x[${row}]` : row < seen ? `h[${row - 2}]` : "bias";
    const [gradient, from] = row < seen ? ["dw", (gate * seen + row) * units] : ["db", gate * units];
    const sides = ["by_scan", "unrolled"].map((side) => numbers(`${side}.${gradient}`, from));
    console.log(`${name.padEnd(10)} ${weight.padEnd(7)}${sides.join("  |")}`);
  }
}
console.log(`largest difference ${found["difference"]?.data[0]}`);

await session.train({
  onReport: ({ step, metrics }) =>
    console.log(`step ${step}  loss ${metrics["by_scan.loss"]?.toExponential(3)}  difference ${metrics["difference"]}`),
});
