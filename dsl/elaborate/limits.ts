/** Expanding calls stops here: a graph of ten lines can call functions that call functions 2 ** 60 times. */
export const maximumCalls = 50_000;
/** Calls within calls, deeper than any real model nests. */
export const maximumCallDepth = 64;
/** Levels of expressions over all active calls, so that the stack is never used up. */
export const maximumDepth = 1000;
