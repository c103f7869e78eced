import { InternalError } from "../../ir/diagnostic.js";
import { loadKoffi } from "./bindings.js";

/** An entry of a loaded library: takes the address of its argument block, gives its status. */
export interface NativeEntry {
  readonly name: string;
  /** Runs on this thread until it is done. Throws InternalError after the library was unloaded. */
  readonly call: (block: bigint) => number;
  /** Runs on a thread of its own; JavaScript goes on meanwhile. The block stays allocated until then. */
  readonly callAsync: (block: bigint) => Promise<number>;
}

export interface NativeLibrary {
  readonly path: string;
  /** An exported `i64 name(i8*)`. Throws InternalError when the library has no such symbol. */
  readonly entry: (name: string) => NativeEntry;
  /** Unloads when the last running call has ended; further calls throw. A second call does nothing. */
  readonly unload: () => void;
}

let entries = 0;

/** Calls into compiled code so far, of either kind: what shows that a loop of many steps is one call. */
export function nativeEntryCount(): number {
  return entries;
}

/** Loads a shared library that `buildLibrary` made. Throws InternalError when it cannot be loaded. */
export function loadLibrary(path: string): NativeLibrary {
  const loaded = loadKoffi();
  if (!loaded.ok) throw new InternalError(`koffi cannot be loaded: ${loaded.reason}`);
  const handle = attempt(`${path} cannot be loaded`, () => loaded.module.load(path));
  let isOpen = true;
  let inFlight = 0;
  const unloadWhenIdle = (): void => {
    if (!isOpen && inFlight === 0) handle.unload();
  };
  const begin = (name: string): void => {
    if (!isOpen) throw new InternalError(`${name} called after its library was unloaded`);
    entries += 1;
  };
  return {
    path,
    entry: (name) => {
      if (!isOpen) throw new InternalError(`${name} looked up after its library was unloaded`);
      const native = attempt(`no entry ${name}`, () => handle.func(name, "int64_t", ["uintptr_t"]));
      return {
        name,
        call: (block) => {
          begin(name);
          return Number(native(block));
        },
        callAsync: (block) =>
          new Promise<number>((resolve, reject) => {
            begin(name);
            inFlight += 1;
            native.async(block, (error: unknown, status: unknown) => {
              inFlight -= 1;
              unloadWhenIdle();
              if (error === null || error === undefined) resolve(Number(status));
              else reject(new InternalError(`${name}: ${String(error)}`));
            });
          }),
      };
    },
    unload: () => {
      if (!isOpen) return;
      isOpen = false;
      unloadWhenIdle();
    },
  };
}

function attempt<T>(what: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new InternalError(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
