import { InternalError } from "../../ir/diagnostic.js";
import { loadKoffi } from "./bindings.js";

/** The functions of libc that native memory needs; found in the process itself, which has libc loaded. */
export interface NativeCalls {
  readonly alignedAlloc: (alignment: number, bytes: number) => bigint;
  readonly free: (address: bigint) => void;
  /** Asks for large pages; a kernel that has none ignores it. */
  readonly adviseHugePages: (address: bigint, bytes: number) => void;
  readonly map: (bytes: number) => bigint;
  readonly protect: (address: bigint, bytes: number) => number;
  readonly unmap: (address: bigint, bytes: number) => void;
  /** Where the elements of an array lie. A large one stays there as long as it lives. */
  readonly address: (data: ArrayBufferView) => bigint;
  /** The bytes at an address, without a copy. */
  readonly view: (address: bigint, bytes: number) => ArrayBuffer;
}

let calls: NativeCalls | undefined;

/** Throws InternalError when koffi cannot be loaded; `probe` tells beforehand. */
export function nativeCalls(): NativeCalls {
  if (calls !== undefined) return calls;
  const loaded = loadKoffi();
  if (!loaded.ok) throw new InternalError(`koffi cannot be loaded: ${loaded.reason}`);
  const koffi = loaded.module;
  const libc = koffi.load(null);
  // Addresses cross as integers: koffi's pointers would be objects to keep alive.
  const alignedAlloc = libc.func("aligned_alloc", "uintptr_t", ["size_t", "size_t"]);
  const free = libc.func("free", "void", ["uintptr_t"]);
  const advise = libc.func("madvise", "int", ["uintptr_t", "size_t", "int"]);
  const hugePages = 14;
  const map = libc.func("mmap", "uintptr_t", ["uintptr_t", "size_t", "int", "int", "int", "int64_t"]);
  const protect = libc.func("mprotect", "int", ["uintptr_t", "size_t", "int"]);
  const unmap = libc.func("munmap", "int", ["uintptr_t", "size_t"]);
  const noProtection = 0;
  const readWrite = 3;
  const privateAnonymous = 0x22;
  calls = {
    alignedAlloc: (alignment, bytes) => BigInt(alignedAlloc(alignment, bytes)),
    free: (address) => {
      free(address);
    },
    adviseHugePages: (address, bytes) => {
      advise(address, bytes, hugePages);
    },
    map: (bytes) => BigInt(map(0, bytes, readWrite, privateAnonymous, -1, 0)),
    protect: (address, bytes) => Number(protect(address, bytes, noProtection)),
    unmap: (address, bytes) => {
      unmap(address, bytes);
    },
    address: (data) => koffi.address(data),
    view: (address, bytes) => koffi.view(address, bytes),
  };
  return calls;
}
