import { box, browserTests, isSelected, openPage, running, textOf, until } from "./browser.js";
import { counter, documentOfText, network, onDevice, twoSides, viewOf } from "./support.js";

/** What the panel says of what is selected. */

const inBrowser = browserTests();
const whole = documentOfText(network);
const fit = { ...whole, programs: whole.programs.filter(({ name }) => name === "fit") };

inBrowser("what is said of a box has its doc, types, source line, gradient and kernel", async (t) => {
  const { page } = await openPage(running(), fit);
  await page.keyboard.press("/");
  await page.keyboard.type("dot_general dense(hidden");
  await page.waitForSelector("#results [role=option]");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".pane.current .selected");
  const panel = await textOf(page, "#panel");
  for (const part of [
    "dot_general",
    "f32[64, 32]",
    "test.graph:7",
    "y = dense(hidden, 32)",
    "Its gradient",
    "Kernels it went into",
    "Kernels of its gradient",
    "a contraction: a kernel is built around it",
    "lhs_contract",
  ])
    t.true(panel.includes(part), `${part} in ${panel}`);
  await page.locator("#panel .link", { hasText: "y_dense_w_update" }).first().click();
  await page.waitForSelector('[data-view="2"][aria-selected="true"]');
  await isSelected(t, page, "y_dense_w_update");
  await page.close();
});

inBrowser("of a call, the panel has its function, what it is given, and one count of what it holds", async (t) => {
  const { page, complaints } = await openPage(running(), fit);
  await box(page, "hidden, dense()").click();
  const panel = await textOf(page, "#panel");
  for (const part of [
    "A fully connected layer",
    "fn dense[T: float, I](x: T[..., I], units: int",
    "x\tx: f32[64, 96]",
    "units\t128",
    "bias\ttrue (default)",
    "y\tf32[64, 128]",
    "test.graph:6",
    "<std>/layers.graph:7",
    "ops\t3",
    `parameters\t${(96 * 128 + 128).toLocaleString("en-US")} in 2 variables`,
    `operations\t${(2 * 64 * 96 * 128 + 64 * 128).toLocaleString("en-US")}`,
  ])
    t.true(panel.includes(part), `${part} in ${panel}`);
  t.is(await page.locator("#panel mark").first().innerText(), "dense(x, 128)");
  // The width of the panel, by keys and by the pointer.
  const width = (): Promise<number> => page.locator("#panel").evaluate((panel) => panel.clientWidth);
  const before = await width();
  await page.focus("#divider");
  await page.keyboard.press("ArrowLeft");
  t.is(await width(), before + 40);
  const border = await page.locator("#divider").boundingBox();
  await page.mouse.move((border?.x ?? 0) + 3, 400);
  await page.mouse.down();
  await page.mouse.move((border?.x ?? 0) - 97, 400);
  await page.mouse.up();
  t.true(Math.abs((await width()) - before - 140) < 5);
  await page.keyboard.press("End");
  t.true((await page.locator("#stage").evaluate((stage) => stage.clientWidth)) >= 200);
  t.deepEqual(complaints, []);
  await page.close();
});

inBrowser("the code of a kernel is folded up in the panel, of the kernel and of an op in it", async (t) => {
  const listing = { form: "assembly", what: "3 lines", text: 'vaddps "%zmm1"\n<b>not markup</b>\nret' };
  const programs = fit.programs.map((program) => ({
    ...program,
    views: program.views.map((view) => ({
      ...view,
      groups: view.groups.map((group) => ({
        ...group,
        kernel:
          group.name === "y_dense_w_update" && group.kernel ? { ...group.kernel, listings: [listing] } : group.kernel,
      })),
    })),
  }));
  const { page, complaints } = await openPage(running(), { ...fit, programs });
  await page.click('[data-view="2"]');
  await box(page, "update, kernels").waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("y_dense_w_update");
  await page.keyboard.press("Enter");
  await isSelected(t, page, "y_dense_w_update");
  await page.keyboard.press("Enter");
  const folded = page.locator("#panel details", { hasText: "assembly 3 lines" });
  t.is(await folded.locator("pre").count(), 0);
  await folded.locator("summary").click();
  t.is(await folded.locator("pre").innerText(), listing.text);
  await page.locator(".pane.current [aria-label*='dot_general']").first().click();
  const panel = await textOf(page, "#panel");
  t.regex(panel, /Why\n.*a contraction/);
  t.regex(panel, /In y_dense_w_update, a call\noperations\s+[\d,]+\nreads/);
  t.is(await page.locator("#panel details").count(), 2);
  // What has been unfolded stays so when another box is chosen.
  t.is(await folded.locator("pre").innerText(), listing.text);
  const loops = page.locator('#panel details[data-form="loops"]');
  await loops.locator("summary").click();
  t.regex(await loops.locator("pre").innerText(), /^contract y_dense_w_update /);
  await page.keyboard.press("Escape");
  await page.click('[data-view="0"]');
  await box(page, "y, dense()").click();
  // A variable leads to the kernels that write and read it.
  await page.locator('.pane.current [aria-label^="variable y/dense/w"]').click();
  const rows =
    /Memory\nlies\s+the session's, from run to run\nbytes\s+16\.4 kB\nFirst value\n+mul, then trained\n[\s\S]*Written by\ny_dense_w_update update\nRead by\n[\s\S]*y_dense_w_matmul forward\n[\s\S]*y_dense_w_matmul_2 gradient\n[\s\S]*In y_dense_w_update, a call\noperations/;
  t.regex(await textOf(page, "#panel"), rows);
  await page.locator("#panel button", { hasText: "y/dense/w :=" }).click();
  await until("why", async () =>
    /Why\nit is the (new value of the variable|result) /.test(await textOf(page, "#panel")),
  );
  t.deepEqual(complaints, []);
  await page.close();
});

inBrowser("a variable and its new value lead to each other, though no edge closes the circle", async (t) => {
  const { page } = await openPage(running(), documentOfText(counter));
  await box(page, "variable count").click();
  await page.locator("#panel section", { hasText: "The same variable" }).locator(".link").first().click();
  await isSelected(t, page, "new value of the variable count");
  await page.locator("#panel section", { hasText: "The same variable" }).locator(".link").first().click();
  await isSelected(t, page, "variable count");
  await page.close();
});

inBrowser("of two sides, the panel tells the one that a box lies on, and a selection is carried there", async (t) => {
  const { page, complaints } = await openPage(running(), onDevice(twoSides, "cpu"));
  const find = async (name: string): Promise<void> => {
    await page.keyboard.press("/");
    await page.fill("#search", name);
    await page.waitForSelector("#results [role=option]");
    await page.keyboard.press("Enter");
  };
  await find("h/dense/w");
  await isSelected(t, page, "variable h/dense/w");
  t.regex(await textOf(page, "#panel"), /Among the kernels\s+h\/dense\/w f32\[3, 4\] gpu/);
  await page.keyboard.press("3");
  await isSelected(t, page, "variable h/dense/w");
  t.regex(await textOf(page, "#panel"), /Side\s+gpu, part 2 of 4/);
  await page.keyboard.press("f");
  await box(page, "x is sent up").click();
  t.regex(await textOf(page, "#panel"), /sent\s+from the processor to the gpu\s+bytes\s+24/);
  await find("4 numbers");
  await isSelected(t, page, "4 numbers, sent up");
  t.regex(await textOf(page, "#panel"), /4, as an argument of launches/);
  t.deepEqual(complaints, []);
  await page.close();
});

const loop = `graph g {
  placeholder xs: f32[5, 3]
  variable w: f32[3, 3] = ones()
  h = scan x in xs with h = zeros([3]) {
    next h = tanh(concatenate([h, x], axis=0)[0:3] @ w)
  }
  signature run(xs) -> (h)
}
`;

inBrowser("of a loop, its box and its op have the kernels in it, each with its work and its code", async (t) => {
  const document = documentOfText(loop);
  const inner = viewOf(document, "run", "kernels").groups.filter(({ kernel }) => kernel?.order.includes("."));
  t.true(inner.length > 1);
  const { page, complaints } = await openPage(running(), document);
  const panelHasThem = async (): Promise<void> => {
    const panel = await textOf(page, "#panel");
    t.regex(panel, /Why\na loop or branch around kernels of its own/);
    t.regex(panel, /In h, a call\nloops \d+ lines/);
    for (const { name, text, kernel } of inner) {
      t.true(panel.includes(`#${kernel?.order} ${name} ${text}`), name);
      const operations = kernel?.work?.operations;
      t.regex(panel, new RegExp(`${name} ${text}\\s+${operations} operations?, .*reads \\d+ B, writes \\d+ B`));
    }
  };
  await box(page, "h, scan").click();
  await panelHasThem();
  await page.locator('.pane.current [aria-label^="h = scan"]').click();
  await panelHasThem();
  const [first] = inner;
  if (first?.kernel === undefined) throw new Error("there is no kernel in the loop");
  const code = page.locator(`#panel details[data-form="${first.name} loops"]`);
  await code.locator("summary").click();
  t.is(await code.locator("pre").innerText(), first.kernel.code);
  // Of the others no code is unfolded.
  t.is(await page.locator("#panel details[open]").count(), 1);
  await page.locator("#panel .inner .link", { hasText: first.name }).click();
  await isSelected(t, page, `${first.name}, ${first.text}`);
  t.deepEqual(complaints, []);
  await page.close();
});
