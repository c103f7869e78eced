import { execFile } from "node:child_process";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { ProcessExecution, ShellExecution, ShellQuoting, Task, TaskRevealKind, TaskScope, tasks } from "vscode";
import { argumentsOf, type GraphcProgram } from "./locate.js";
import { allowPathOptions } from "./settings.js";

/** Runs a command of graphc on a file to its end. Throws with what it said where it failed. */
export async function runToEnd(
  program: GraphcProgram,
  command: string,
  file: string,
  options: readonly string[],
): Promise<void> {
  const words = argumentsOf(program, [command, file, ...options, ...allowPathOptions(), "--no-color"]);
  try {
    await promisify(execFile)(program.command, words, { cwd: dirname(file), shell: program.shell });
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
    throw new Error(said === "" ? String(error) : said, { cause: error });
  }
}

/** Runs a command of graphc on a file where the user sees what it says. */
export async function runInTerminal(program: GraphcProgram, command: string, file: string): Promise<void> {
  const words = [...program.parameters, command, file, ...allowPathOptions()];
  const options = { cwd: dirname(file) };
  const strong = (value: string) => ({ value, quoting: ShellQuoting.Strong });
  const execution = program.shell
    ? new ShellExecution(strong(program.command.replaceAll('"', "")), words.map(strong), options)
    : new ProcessExecution(program.command, words, options);
  const definition = { type: "graphc", command, file };
  const task = new Task(definition, TaskScope.Workspace, command, "graphc", execution, []);
  task.presentationOptions = { reveal: TaskRevealKind.Always, clear: true };
  await tasks.executeTask(task);
}
