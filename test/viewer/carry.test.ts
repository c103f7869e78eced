import type { Page } from "playwright-core";
import { box, browserTests, isSelected, openPage, running, textOf, until } from "./browser.js";
import { documentOfText } from "./support.js";

/** What is selected in one view is selected in the others, where it is. */

const inBrowser = browserTests();

const layers = `import { dense } from "std/layers"
import { dropout } from "std/regularisation"
import { adam } from "std/optimizers"
graph layers {
  placeholder x: f32[64, 96]
  placeholder label: i64[64]
  hidden = dense(x, 128) |> relu() |> dropout(rate=0.5)
  logits = dense(hidden, 10)
  probs = softmax(logits)
  loss = mean(sparse_softmax_cross_entropy(logits, label))
  update learn = minimize(loss, adam(learning_rate=0.01))
  signature fit(x, label) does learn -> (loss)
}
`;
const document = documentOfText(layers);

async function show(page: Page, key: string): Promise<void> {
  await page.keyboard.press(key);
  await page.waitForSelector(".pane.current.drawn:not([aria-busy])");
}

inBrowser(
  "a stage of the kernels leads to the call of its name, though most of its ops are of the call before",
  async (t) => {
    const { page, complaints } = await openPage(running(), document);
    await show(page, "3");
    const backward = page.locator('.pane.current .role-backward[aria-label^="logits, dense() · kernel"]');
    await backward.dispatchEvent("click");
    await isSelected(t, page, "logits, dense() · kernel");
    await show(page, "1");
    await isSelected(t, page, "logits, dense(), 3 ops");
    // Other calls that its kernels have ops of are marked.
    t.true((await page.locator(".pane.current .linked").count()) > 0);
    // Where the call is open it is the one, and not one of its ops.
    await page.locator('.pane.current [aria-label^="logits, dense()"]').click();
    await page.waitForSelector('.pane.current [aria-label^="logits, dense()"][aria-expanded="true"]');
    await show(page, "3");
    await backward.dispatchEvent("click");
    await isSelected(t, page, "logits, dense() · kernel");
    await show(page, "1");
    await isSelected(t, page, "logits, dense(), 3 ops");
    t.deepEqual(complaints, []);
    await page.close();
  },
);

inBrowser("of a `gradients`, all that it was expanded to is marked, told and seen in the other views", async (t) => {
  const { page, complaints } = await openPage(running(), document);
  await page.keyboard.press("/");
  await page.fill("#search", "gradients");
  await page.waitForSelector("#results [role=option]");
  await page.keyboard.press("Enter");
  await isSelected(t, page, "gradients");
  await show(page, "2");
  await until("parts are marked", async () => (await page.locator(".pane.current .linked").count()) >= 3);
  const parts = page.locator(".pane.current .role-backward");
  t.is(await parts.count(), await parts.and(page.locator(".linked, .selected")).count());
  t.is(await page.locator(".pane.current .selected.role-backward").count(), 1);
  t.regex(await textOf(page, "#status"), /^gradients: .*; \d+ boxes more belong to it$/);
  const pane = await page.locator(".pane.current > svg").boundingBox();
  if (pane === null) throw new Error("there is no picture");
  for (const part of await parts.all()) {
    const shape = await part.boundingBox();
    t.true(
      shape !== null && shape.y >= pane.y && shape.y + shape.height <= pane.y + pane.height,
      (await part.getAttribute("aria-label")) ?? "",
    );
  }
  await show(page, "1");
  await isSelected(t, page, "gradients");
  t.truthy(await box(page, "learn, update").getAttribute("aria-expanded"));
  t.deepEqual(complaints, []);
  await page.close();
});
