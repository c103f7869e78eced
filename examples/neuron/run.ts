import { join } from "node:path";
import { compile, Session } from "../../index.js";

const program = await compile(join(import.meta.dirname, "neuron.graph"));
await using session = new Session(program);

const gates = await session.run("gates");
await session.train({
  onReport: ({ step, metrics }) => console.log(`step ${step}  loss ${metrics["loss"]?.toFixed(4)}`),
});
const { xor_learned } = await session.run("xor");

console.log("\na b | AND  OR NAND | XOR by hand, learned");
for (let row = 0; row < 4; row++) {
  const bit = (name: string): string => String(gates[name]?.data[row]);
  const inputs = `${row >> 1} ${row & 1}`;
  const learned = String(xor_learned?.data[row]);
  console.log(
    `${inputs} |   ${bit("and_gate")}   ${bit("or_gate")}    ${bit("nand_gate")} |   ${bit("xor_by_hand")}           ${learned}`,
  );
}
