/** Mesa's driver and llvm-bindings each bring an LLVM into the process. */
import { join } from "node:path";
import test from "ava";
import { folderWith, graphc } from "../../cli/support.js";
import { hasSoftware, startXServer } from "./software.js";

const headlessGl = hasSoftware("headlessgl") ? test.serial : test.serial.skip;

headlessGl("native code is made beside a context of GL, not only read from the cache", async (t) => {
  const server = await startXServer();
  const folder = folderWith({
    "g.graph": `graph g {
  placeholder x: f32[4] = [1, 2, 3, 4]
  y = 2 * x
  z = sum(cast(y, to=f64) ** 2)
}
`,
  });
  const ran = await graphc(
    ["run", join(folder, "g.graph"), "--fetch", "y,z", "--target", "gpu", "--device", "headlessgl"],
    { env: { GRAPHC_CACHE_DIR: join(folder, "cache") } },
  );
  t.is(ran.code, 0, ran.stderr);
  t.is(ran.stdout, "y: f32[4]\n[2.0, 4.0, 6.0, 8.0]\nz = 120.0\n");
  t.regex(ran.stderr, /computed on headlessgl/);
  server.stop();
});
