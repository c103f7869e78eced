/** What `graphc/register` makes Node do with `import model from "./mnist.graph"`. */
import type { LoadHook } from "node:module";
import { fileURLToPath } from "node:url";

const api = new URL("./index.js", import.meta.url).href;

/** A `.graph` file is a module whose default export is its program, compiled as `compile` does without options. */
export const load: LoadHook = (url, context, nextLoad) => {
  const { protocol, pathname } = new URL(url);
  if (protocol !== "file:" || !pathname.endsWith(".graph")) return nextLoad(url, context);
  const file = JSON.stringify(fileURLToPath(url));
  const source = `import { compile } from ${JSON.stringify(api)};\nexport default await compile(${file});\n`;
  return { format: "module", source, shortCircuit: true };
};
