import { compile, Session } from "../../index.js";

const program = await compile(new URL("hello.graph", import.meta.url).pathname);
await using session = new Session(program);
const { greeting } = await session.run(["greeting"]);
console.log(greeting?.data[0]);
