/** In a page in the place of what gpu.js uses in Node alone. */
export {};
