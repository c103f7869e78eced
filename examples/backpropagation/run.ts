import { join } from "node:path";
import { compile, Session } from "../../index.js";

const program = await compile(join(import.meta.dirname, "backpropagation.graph"));
await using session = new Session(program);

const before = await session.run("compare");
console.log(`largest difference of the two gradients: ${before["difference"]?.data[0]}`);

await session.train({
  onReport: ({ step, metrics }) =>
    console.log(`step ${step}  loss ${metrics["loss"]?.toFixed(5)}  difference ${metrics["difference"]}`),
});

const { a3 } = await session.run("predict");
for (let row = 0; row < 4; row++) console.log(`${row >> 1} xor ${row & 1} = ${Number(a3?.data[row]).toFixed(3)}`);
