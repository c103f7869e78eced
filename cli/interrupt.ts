import type { Console } from "./console.js";
import { onOutputClosed } from "./console.js";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface Interruption {
  /** Aborted by the first Ctrl-C, or when nobody reads the output any more. */
  readonly signal: AbortSignal;
  /** Gives the signals back to the system. */
  readonly release: () => void;
}

/** The first signal asks the work to end after its current step; a second one ends the process at once. */
export function interruption(console: Console, announce: (print: () => void) => void): Interruption {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) {
      release();
      process.kill(process.pid, name);
      return;
    }
    controller.abort();
    const again = name === "SIGINT" ? "; Ctrl-C again ends at once" : "";
    announce(() => console.problem(`ending after this step${again}`));
  };
  const forget = onOutputClosed(() => controller.abort());
  const release = (): void => {
    forget();
    for (const name of signals) process.removeListener(name, onSignal);
  };
  for (const name of signals) process.on(name, onSignal);
  return { signal: controller.signal, release };
}
