import { readFileSync } from "node:fs";
import type { ExecutionContext } from "ava";
import type { Page } from "playwright-core";
import { browserTests, openPage, progressOf, running, textOf, until } from "./browser.js";
import { chain, counter, documentOfText, network, onDevice, twoSides, woven } from "./support.js";

const inBrowser = browserTests();
const whole = documentOfText(network);
const fit = { ...whole, programs: whole.programs.filter(({ name }) => name === "fit") };

function box(page: Page, label: string) {
  return page.locator(`.pane.current [data-box][aria-label^="${label}"]`).first();
}

async function isSelected(t: ExecutionContext, page: Page, label: string): Promise<void> {
  const selected = page.locator(".pane.current .selected").first();
  await until(
    `${label} is selected`,
    async () => (await selected.getAttribute("aria-label"))?.startsWith(label) === true,
  );
  t.pass();
}

inBrowser("opens from disk without a network or a complaint, with calls closed", async (t) => {
  const { page, complaints } = await openPage(running(), fit);
  t.is(await page.title(), "network · graphc");
  t.is(await box(page, "y, dense()").getAttribute("aria-expanded"), "false");
  t.true((await page.locator(".pane.current [data-box]").count()) <= 200);
  t.deepEqual(complaints, []);
  await page.close();
});

inBrowser("a press opens a call, and a press on its title closes it", async (t) => {
  const { page } = await openPage(running(), fit);
  await box(page, "y, dense()").click();
  await page.waitForSelector(
    '.pane.current [aria-label^="y/dense/w"], .pane.current [aria-label^="variable y/dense/w"]',
  );
  t.is(await box(page, "y, dense()").getAttribute("aria-expanded"), "true");
  t.regex(await textOf(page, "#crumbs"), /network\s+›?\s*y dense\(\)/);
  await page.locator(".pane.current [data-title]", { hasText: "y dense()" }).click();
  await page.waitForSelector('.pane.current [aria-label^="y, dense()"][aria-expanded="false"]');
  await page.close();
  t.pass();
});

inBrowser("search finds what is in a closed call, opens it and selects what was found", async (t) => {
  const { page, complaints } = await openPage(running(), fit);
  await page.keyboard.press("/");
  await page.keyboard.type("y/dense/w");
  await page.waitForSelector("#results [role=option]");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".pane.current .selected");
  await isSelected(t, page, "variable y/dense/w");
  t.regex(await textOf(page, "#panel"), /f32\[128, 32\]\s+16\.4 kB/);
  const first = async (query: string): Promise<string> => {
    await page.fill("#search", query);
    return textOf(page, "#result-0");
  };
  // A fn's own name by its path, with the call that it is in; a scope's with either sign.
  t.regex(await first("hidden/dense/y"), /^y \+\s+hidden$/);
  t.regex(await first("metrics/loss"), /^loss \S.*metrics › loss$/);
  t.is(await page.locator("#results [role=option]", { hasText: "metrics.loss output" }).count(), 1);
  // What the panel copies of a box leads to the ops of that line, and not to those that mention it.
  for (const place of ["test.graph:7", ":7", ":7:3"]) {
    await page.fill("#search", place);
    const found = await page.locator("#results [role=option]").allInnerTexts();
    t.true(found.some((one) => one.startsWith("@")) && found.every((one) => /\by\b/.test(one)), found.join("; "));
  }
  await page.fill("#search", "no such name");
  t.regex(await textOf(page, "#results"), /Nothing has that name/);
  t.deepEqual(complaints, []);
  await page.close();
});

inBrowser("an edge leads to its other end, by the pointer and by keys", async (t) => {
  const { page } = await openPage(running(), fit);
  await box(page, "placeholder label").click();
  await isSelected(t, page, "placeholder label");
  await page.keyboard.press("]");
  await page.keyboard.press("o");
  await isSelected(t, page, "metrics, scope");
  await page.keyboard.press("o");
  await isSelected(t, page, "placeholder label");
  // Near the beginning of the edge, so that its end is the farther one.
  const end = await page.evaluate<{ readonly x: number; readonly y: number }>(`(() => {
    const path = document.querySelector(".pane.current .wire.chosen .edge");
    const { x, y } = path.getPointAtLength(path.getTotalLength() * 0.1).matrixTransform(path.getScreenCTM());
    return { x, y };
  })()`);
  await page.mouse.click(end.x, end.y);
  await isSelected(t, page, "metrics, scope");
  await page.close();
});

inBrowser("views switch, and the selection goes along", async (t) => {
  const { page, complaints } = await openPage(running(), fit);
  await box(page, "y, dense()").click();
  await page.click('[data-view="2"]');
  await page.waitForSelector(".pane.current .selected");
  t.is(await page.locator('[data-view="2"]').getAttribute("aria-selected"), "true");
  t.regex(
    (await page.locator(".pane.current .selected").first().getAttribute("aria-label")) ?? "",
    /^y, dense\(\) · kernels? \d/,
  );
  await page.locator("#panel section", { hasText: "Kernels" }).locator("button.link").first().click();
  await until("the kernel is selected", async () => /What became one loop/.test(await textOf(page, "#panel")));
  t.deepEqual(complaints, []);
  await page.close();
});

inBrowser("side by side, what is pointed at in one view is marked in the others", async (t) => {
  const { page } = await openPage(running(), fit);
  await page.click("#compare");
  for (const at of [0, 1, 2]) await page.locator(".pane").nth(at).locator("[data-box]").first().waitFor();
  const source = page.locator(".pane").nth(0);
  await source.locator('[aria-label^="y, dense()"]').hover();
  const marked = await page.locator(".pane").nth(2).locator(".linked").count();
  t.true(marked >= 2, `${marked} kernels`);
  // A kernel of the forward pass has no gradient in it, though gradients stem from what it computes.
  const linked = page.locator(".pane").nth(1).locator(".linked");
  const kernels = page.locator(".pane").nth(2);
  await kernels.locator('[aria-label^="hidden, "].role-forward').dispatchEvent("click");
  await page.locator("#panel button.link", { hasText: "hidden_dense_w_matmul" }).first().click();
  await until("what the kernel computes is marked", async () => (await linked.count()) > 0);
  t.is(await page.locator(".pane").nth(1).locator(".linked.role-backward").count(), 0);
  t.notRegex(await textOf(page, "#panel"), /Gradients in it/);
  await kernels.locator('[aria-label^="y, "].role-backward').dispatchEvent("click");
  await page.locator("#panel button.link", { hasText: "y_dense_w_matmul_2" }).first().click();
  await until("gradients are marked", async () => (await linked.and(page.locator(".role-backward")).count()) > 0);
  t.regex(await textOf(page, "#panel"), /Gradients in it/);
  await page.close();
});

inBrowser("keys: along the data, uses, ancestors, groups around", async (t) => {
  const { page } = await openPage(running(), fit);
  await box(page, "placeholder x").click();
  await page.keyboard.press("n");
  await until("a use is told", async () => (await textOf(page, "#status")).startsWith("use 1 of"));
  await page.keyboard.press("Backspace");
  await isSelected(t, page, "hidden, dense()");
  await page.keyboard.press("ArrowDown");
  await isSelected(t, page, "hidden, relu()");
  await page.keyboard.press("a");
  t.true((await page.locator(".pane.current .faded").count()) > 0);
  await page.keyboard.press("a");
  t.is(await page.locator(".pane.current .faded").count(), 0);
  await page.keyboard.press("d");
  await page.keyboard.press("Backspace");
  t.is(await page.locator(".pane.current .selected, .pane.current .box:focus").count(), 0);
  t.is(await textOf(page, "#status"), "nothing is selected");
  await page.keyboard.press("?");
  t.true(await page.locator("#keys").isVisible());
  await page.close();
});

inBrowser("the picture is saved as svg, and a press copies the place in the text", async (t) => {
  const { page } = await openPage(running(), fit);
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#save")]);
  t.is(download.suggestedFilename(), "network-fit-source.svg");
  const svg = readFileSync(await download.path(), "utf8");
  t.regex(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[\s\S]*dense\(\)[\s\S]*<\/svg>\n$/);
  // The browser reads it as XML without an error.
  const read = `new DOMParser().parseFromString(${JSON.stringify(svg)}, "image/svg+xml")`;
  const error = await page.evaluate<string>(`${read}.querySelector("parsererror")?.textContent ?? ""`);
  t.is(error, "");
  await box(page, "y, dense()").click();
  await page.waitForSelector('.pane.current [aria-label^="variable y/dense/w"]');
  await page.locator("#panel .address").first().click();
  await until("the copy is told", async () => (await textOf(page, "#status")) === "copied test.graph:7");
  await page.close();
});

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
    "a contraction: a blocked kernel of its own",
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
  await until("why", async () => /Why\nit is a result or is assigned/.test(await textOf(page, "#panel")));
  t.deepEqual(complaints, []);
  await page.close();
});

inBrowser("light and dark, colours, direction, minimap", async (t) => {
  const { page } = await openPage(running(), fit, "dark");
  const background = await page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
  t.is(background, "rgb(13, 17, 23)");
  for (const mode of ["dtype", "scope", "device", "time", "memory"]) {
    await page.selectOption("#colours", mode);
    t.not(await textOf(page, "#legend"), "");
  }
  const shape = 'document.querySelector(".pane.current svg g").getBoundingClientRect()';
  t.true(await page.evaluate<boolean>(`${shape}.height > ${shape}.width`));
  await page.click("#turn");
  await until("data flow right", () => page.evaluate<boolean>(`${shape}.width > ${shape}.height`));
  t.pass();
  t.false(await page.locator(".pane.current .minimap").isVisible());
  for (let i = 0; i < 6; i++) await page.keyboard.press("+");
  t.true(await page.locator(".pane.current .minimap").isVisible());
  await page.close();
});

inBrowser("empty graphs, one node, and markup in names", async (t) => {
  for (const text of ["graph g {\n}\n", "graph g {\n  placeholder x: f32\n  signature s(x) -> (x)\n}\n"]) {
    const { page, complaints } = await openPage(running(), documentOfText(text));
    t.deepEqual(complaints, []);
    t.log(await progressOf(page));
    await page.close();
  }
  const none = await openPage(running(), { ...whole, programs: [] });
  t.regex(await textOf(none.page, ".missing"), /this graph has no ops/);
  t.true(await none.page.locator("#print").isDisabled());
  await none.page.keyboard.press("t");
  t.deepEqual(none.complaints, []);
  await none.page.close();
  const name = '</script><script>globalThis.broken = true</script><img src=x onerror="globalThis.broken = true">';
  const [first] = whole.programs;
  const hostile = {
    ...whole,
    graph: name,
    lines: whole.lines.map((line) => ({ ...line, text: name, file: name })),
    functions: whole.functions.map((one) => ({ ...one, name, doc: name, signature: name })),
    ops: whole.ops.map(([op]) => [op, name] as const),
    programs: (first === undefined ? [] : [first]).map((program) => ({
      ...program,
      title: name,
      views: program.views.map((view) => ({
        ...view,
        nodes: view.nodes.map((node) => ({ ...node, name, text: name, attributes: [[name, name]] as const })),
        groups: view.groups.map((group) => ({ ...group, name, text: name })),
      })),
    })),
  };
  const { page, complaints } = await openPage(running(), hostile);
  await page.locator(".pane.current [data-box]").first().click();
  await page.keyboard.press("ArrowDown");
  t.is(await page.evaluate(() => "broken" in globalThis), false);
  t.is(await page.locator("main img, main script").count(), 0);
  t.deepEqual(complaints, []);
  await page.close();
});

inBrowser("five thousand ops in a row open as a few parts", async (t) => {
  const { page, complaints, seconds } = await openPage(running(), documentOfText(chain(5000), { open: ["N"] }));
  t.true((await page.locator(".pane.current [data-box]").count()) <= 200);
  t.log(`open in ${seconds.toFixed(2)} s`);
  await page.locator(".pane.current [data-box][aria-expanded]").first().click();
  await page.waitForSelector('.pane.current [aria-expanded="true"]');
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

inBrowser("a hundred thousand ops do not hang the page", async (t) => {
  const { page, complaints, seconds } = await openPage(running(), woven(100_000));
  t.true((await page.locator(".pane.current [data-box]").count()) <= 200);
  t.log(`open in ${seconds.toFixed(2)} s`);
  await page.locator(".pane.current [data-box][aria-expanded]").nth(3).click();
  await page.waitForSelector('.pane.current [aria-expanded="true"]');
  await page.keyboard.press("/");
  await page.keyboard.type("op70001");
  await page.waitForSelector("#results [role=option]");
  await page.keyboard.press("Enter");
  await isSelected(t, page, "op70001 = tanh");
  await page.keyboard.press("a");
  await until("others are dimmed", async () => (await page.locator(".pane.current .faded").count()) > 0);
  t.deepEqual(complaints, []);
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
