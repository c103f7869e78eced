import test from "ava";
import { hasBrowser } from "./browser.js";
import { modelOf, openLibrary } from "./library.js";
import type * as memory from "./page/memory.js";

const model = `import { dense } from "std/layers"
import { adam } from "std/optimizers"
graph regression {
  seed 7
  dim N <= 64
  placeholder x: f32[N, 6]
  placeholder y: f32[N, 2]
  h = tanh(dense(x, units=8))
  out = dense(h, units=2)
  loss = mean((out - y) ** 2)
  update learn = minimize(loss, adam(learning_rate=0.01))
  signature predict(x) -> (out)
  signature fit(x, y) does learn -> (loss)
}
`;

const browserTest = hasBrowser() ? test.serial : test.serial.skip;

/** What of 200 runs is kept to do them again on another device: their feeds, 512 bytes each, and what belongs to each. */
const journal = 200 * 2048;

for (const device of ["webgl2", "webgpu", "webasm"] as const) {
  browserTest(`${device}: a page holds no more after 200 further steps`, async (t) => {
    const { page, call, close } = await openLibrary<typeof memory>("memory");
    try {
      const session = await page.context().newCDPSession(page);
      const heap = async (): Promise<number> => {
        await session.send("HeapProfiler.collectGarbage");
        return (await session.send("Runtime.getHeapUsage")).usedSize;
      };
      const text = await modelOf(t, model);
      const before = await call("trainTo", text, device, 40);
      const used = await heap();
      const after = await call("trainTo", text, device, 240);
      t.deepEqual(after, { ...before, step: 240 });
      t.true(before.arrays > 0 && before.kernels > 0);
      t.is(before.objects > 0, device === "webgl2");
      const grown = (await heap()) - used;
      t.true(grown < journal, `${grown} bytes`);
      t.is(await call("end"), 0);
    } finally {
      await close();
    }
  });
}
