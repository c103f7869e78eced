import { join } from "node:path";
import { compile, Session } from "../../index.js";

const program = await compile(join(import.meta.dirname, "hello.graph"));
await using session = new Session(program);
const { greeting } = await session.run(["greeting"]);
console.log(greeting?.data[0]);
