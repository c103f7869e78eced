/**
 * `node --import graphc/register main.js`: from then on `import model from "./mnist.graph"` gives the compiled program. The types
 * of such an import are written by `graphc types mnist.graph`.
 */
import { register } from "node:module";

register(new URL("./import_hook.js", import.meta.url));
