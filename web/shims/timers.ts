const waiting: (() => void)[] = [];
let send: (() => void) | undefined;

/**
 * `node:timers/promises` in a page: gives it its turn to draw and to hear. By a message, since browsers let the timers of a page
 * that nobody sees run once a second or less, and timers that set one another every 4 ms at best.
 */
export function setImmediate(): Promise<void> {
  send ??= openChannel();
  const turn = new Promise<void>((resolve) => waiting.push(resolve));
  send();
  return turn;
}

function openChannel(): () => void {
  const { port1, port2 } = new MessageChannel();
  port1.addEventListener("message", () => waiting.shift()?.());
  port1.start();
  return () => port2.postMessage(undefined);
}
