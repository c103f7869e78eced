#!/usr/bin/env node
import { CommanderError } from "commander";
import { commandLine, newOutcome } from "./commands.js";
import { Console, watchStreams, write } from "./console.js";
import { exitCodes, report, usage } from "./failure.js";

/** Runs one command line and leaves its exit code; never throws. */
async function main(parameters: readonly string[]): Promise<void> {
  watchStreams();
  const outcome = newOutcome();
  const fail = (error: unknown): void => {
    process.exitCode = report(outcome.console, error, outcome.command);
  };
  // What escapes a promise or a callback is a defect like any other; after it nothing is certain, so it ends here.
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    process.on(event, (error: unknown) => {
      fail(error);
      process.exit();
    });
  }
  const program = commandLine(outcome);
  const isBare = parameters.length === 0;
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => write(isBare ? process.stderr : process.stdout, text),
      // Usage errors are told below, in the voice of all others.
      writeErr: () => undefined,
    });
  }
  if (isBare) {
    program.outputHelp();
    process.exitCode = exitCodes.usage;
    return;
  }
  try {
    await program.parseAsync([...parameters], { from: "user" });
    process.exitCode = outcome.code;
  } catch (error) {
    if (!(error instanceof CommanderError)) return fail(error);
    if (error.exitCode === 0) return;
    const named = program.commands.find((command) => command.name() === parameters[0]);
    const console = new Console({ json: parameters.includes("--json"), color: !parameters.includes("--no-color") });
    const message = error.message.replace(/^error: /, "").replace(/\n\(Did you mean (.*)\?\)$/s, "; did you mean $1?");
    process.exitCode = usage(console, message, named?.name() ?? "");
  }
}

await main(process.argv.slice(2));
