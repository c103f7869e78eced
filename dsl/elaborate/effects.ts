import type { State } from "./state.js";

/** Does something to what outlives a statement; an editor that keeps the statement does it again. */
export function perform(state: State, effect: (state: State) => void, what?: string): void {
  effect(state);
  state.shared.memory?.did(effect, what);
}

/** Reads what another statement may have written, other than a name; `perform` is told `what` where it is written. */
export function consult<T>(state: State, what: string, read: (state: State) => T): T {
  const found = read(state);
  if (!state.generic) state.shared.memory?.consulted(what, (later) => read(later) === found);
  return found;
}

/** Reads what is put together on the way, and is told by nobody: an editor asks for it again before it keeps a statement. */
export function ask<T>(state: State, what: string, read: (state: State) => T): T {
  const found = read(state);
  if (!state.generic) state.shared.memory?.asked(what, (later) => read(later) === found);
  return found;
}
