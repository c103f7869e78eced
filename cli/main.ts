#!/usr/bin/env node
import { InternalError } from "../compiler/ir/diagnostic.js";
import { Console, watchStreams } from "./console.js";
import { execute } from "./execute.js";
import { type ExitCode, report } from "./failure.js";

const parameters = process.argv.slice(2);
const defect = (error: unknown): ExitCode => report(new Console({ json: parameters.includes("--json") }), error, "");
watchStreams();
// What escapes a promise or a callback is a defect like any other; after it nothing is certain, so it ends here.
for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(event, (error: unknown) => process.exit(defect(error)));
}
let hasEnded = false;
process.once("beforeExit", () => {
  if (!hasEnded)
    process.exitCode = defect(new InternalError("nothing is left to be done, and the command has not ended"));
});
execute(parameters).then((code) => {
  hasEnded = true;
  process.exitCode = code;
}, defect);
