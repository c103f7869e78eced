/**
 * The parts of chevrotain that this folder uses, from the one-file build that the package ships beside its modules. Its main entry
 * is several hundred modules, which take 0.2 s to load, more than all the rest of a small program; the one file takes 0.01 s.
 * The package does not list it among its exports, so a release without it falls back to the entry.
 */
async function load(): Promise<typeof import("chevrotain")> {
  try {
    return await import(new URL("../chevrotain.min.mjs", import.meta.resolve("chevrotain")).href);
  } catch {
    return import("chevrotain");
  }
}

export const { createToken, EmbeddedActionsParser, EOF, isRecognitionException, Lexer, tokenLabel, tokenMatcher } =
  await load();
