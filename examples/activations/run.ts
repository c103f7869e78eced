import { join } from "node:path";
import { compile, Session } from "../../index.js";

const program = await compile(join(import.meta.dirname, "activations.graph"));
await using session = new Session(program);

const x = Float32Array.of(-3, -1, -0.5, 0, 0.5, 1, 3);
const values = await session.run("all_of_them", { x });

console.log(`${"x".padEnd(12)}${[...x].map((value) => value.toFixed(1).padStart(9)).join("")}`);
for (const [name, tensor] of Object.entries(values)) {
  const row = [...tensor.data].map((value) => Number(value).toFixed(5).padStart(9)).join("");
  console.log(`${name.replace(/_y$/, "").padEnd(12)}${row}`);
}
