import { InternalError } from "../../ir/diagnostic.js";
import { byteSize } from "../../ir/dtype.js";
import type { StorageBlock, TargetMemory } from "../executable.js";
import { allocateNative } from "./memory.js";

const addresses = new WeakMap<StorageBlock, bigint>();

/** Variables and data sets in native memory, where compiled code reads them in place. */
export const nativeStorage: TargetMemory = {
  allocate: (dtype, length) => {
    const buffer = allocateNative(length * byteSize(dtype));
    const block: StorageBlock = { data: buffer.view(dtype, 0, length), free: buffer.free };
    addresses.set(block, buffer.address);
    return block;
  },
};

/** The address of a block that `nativeStorage` gave. Throws InternalError for another one. */
export function addressOf(block: StorageBlock): bigint {
  const address = addresses.get(block);
  if (address === undefined) throw new InternalError("storage of another target reached native code");
  return address;
}
