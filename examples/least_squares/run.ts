import { join } from "node:path";
import { compile, Session } from "../../index.js";

const program = await compile(join(import.meta.dirname, "least_squares.graph"));
await using session = new Session(program);

const lines = await session.run("fit");
for (const [name, line] of Object.entries(lines)) {
  const [slope, intercept] = Array.from(line.data, Number);
  console.log(`${name.padEnd(11)}  y = ${slope?.toFixed(8)} x ${intercept?.toFixed(8)}`);
}
