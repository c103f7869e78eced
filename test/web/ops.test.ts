/** Every op of the table on webgl2, with the samples, the reference and the tolerance of the other devices' tests. */

import test from "ava";
import { measuredErrors } from "../../compiler/backends/gpu/documented.js";
import { ops } from "../../compiler/ops/table.js";
import { hasKernel } from "../backends/matrix.js";
import { hasBrowser } from "./browser.js";
import { type LibraryPage, openLibrary } from "./library.js";
import type * as ops_page from "./page/ops.js";

type Ops = typeof ops_page;

const browserTest = hasBrowser() ? test.serial : test.serial.skip;
let library: LibraryPage<Ops> | undefined;

test.after.always(() => library?.close());

async function opened(): Promise<LibraryPage<Ops>> {
  library ??= await openLibrary<Ops>("ops");
  return library;
}

browserTest("the device is webgl2", async (t) => {
  t.regex(await (await opened()).call("deviceOf", "webgl2"), /^webgl2 \(.*SwiftShader/);
});

browserTest("errors are as the manual has them", async (t) => {
  for (const [family, units] of await (await opened()).call("errorsOn", "webgl2", 2000)) {
    // Another release of a driver may round otherwise in the last places.
    t.true(units <= 1.5 * measuredErrors[family].webgl2 + 0.1, `${family}: ${units} units`);
  }
});

for (const op of ops.values()) {
  if (!hasKernel(op)) continue;
  browserTest(`${op.opName} gives what the reference gives`, async (t) => {
    t.deepEqual(await (await opened()).call("problemsOf", op.opName, "webgl2", ["f32"]), []);
  });
}
