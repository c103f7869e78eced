import * as levenshtein from "fastest-levenshtein";

/** `node:module` in a page, where all is in one file: the one package that is loaded when it is first needed. */
export function createRequire(): (name: string) => unknown {
  return (name) => {
    if (name === "fastest-levenshtein") return levenshtein;
    throw new Error(`${name} is not in this bundle`);
  };
}
