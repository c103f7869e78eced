/** `node:timers/promises` in a page: gives it its turn to draw and to hear. */
export function setImmediate(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
