import { Buffer as PageBuffer } from "buffer";

/** What the bundler puts where Node's global of that name is used. */
export const Buffer = PageBuffer;
