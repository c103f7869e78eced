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

/** Waits for a signal of the system, or until nobody reads the output any more; the signal itself ends nothing. */
export function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      forget();
      for (const name of signals) process.removeListener(name, end);
      resolve();
    };
    const forget = onOutputClosed(end);
    for (const name of signals) process.on(name, end);
  });
}

/**
 * Work that has something to clear away: a signal of the system aborts it, and ends the process, as it would have at once, when the
 * work has come to its end.
 */
export async function endingOnSignals<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let received: NodeJS.Signals | undefined;
  const onSignal = (name: NodeJS.Signals): void => {
    release();
    received = name;
    controller.abort();
  };
  const release = (): void => {
    for (const name of signals) process.removeListener(name, onSignal);
  };
  for (const name of signals) process.on(name, onSignal);
  try {
    return await work(controller.signal);
  } finally {
    release();
    if (received !== undefined) process.kill(process.pid, received);
  }
}
