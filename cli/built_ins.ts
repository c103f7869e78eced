import { signatureText } from "../dsl/elaborate/calls.js";
import { intrinsics } from "../dsl/elaborate/intrinsics/table.js";
import type { BuiltInTexts } from "../viewer/calls.js";

/** The documentation and signature of a built-in function; undefined where there is none of that name. */
export const builtInOf: BuiltInTexts = (name) => {
  const intrinsic = intrinsics.get(name);
  return intrinsic && { doc: intrinsic.doc, signature: signatureText({ kind: "intrinsic", intrinsic }) };
};
