/**
 * Does something when the messages that have come in by now have been read. A turn of the event loop reads what has come and has each message
 * handled by an immediate of its own.
 */
export function afterInput(work: () => void): void {
  setImmediate(() => setImmediate(work));
}

export function inputRead(): Promise<void> {
  return new Promise((resolve) => afterInput(resolve));
}
