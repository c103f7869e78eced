/** Ends the program with its usage where that is asked for (exit code 0), or where `problem` says what is wrong with its arguments (2). */
export function showUsage(usage: string, parameters: readonly string[], problem?: string): void {
  if (parameters.some((word) => word === "--help" || word === "-h")) {
    console.log(usage);
    process.exit(0);
  }
  if (problem === undefined) return;
  console.error(`bench: ${problem}\n\n${usage}`);
  process.exit(2);
}
