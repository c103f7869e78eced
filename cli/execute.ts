import { CommanderError } from "commander";
import { commandLine, newOutcome } from "./commands.js";
import { Console, write } from "./console.js";
import { type ExitCode, exitCodes, report, usage } from "./failure.js";
import { mistakeText } from "./mistakes.js";

/** Runs one command line and gives its exit code; whatever goes wrong has been told then. Never throws. */
export async function execute(parameters: readonly string[]): Promise<ExitCode> {
  const outcome = newOutcome();
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
    return exitCodes.usage;
  }
  try {
    await program.parseAsync([...parameters], { from: "user" });
    return outcome.code;
  } catch (error) {
    if (!(error instanceof CommanderError)) return report(outcome.console, error, outcome.command);
    if (error.exitCode === 0) return exitCodes.fine;
    const named = program.commands.find((command) => command.name() === parameters[0]);
    const console = new Console({ json: parameters.includes("--json"), color: !parameters.includes("--no-color") });
    return usage(console, mistakeText(error, named, parameters), named?.name() ?? "");
  }
}
