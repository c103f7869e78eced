import { readFileSync } from "node:fs";
import { box, browserTests, isSelected, openPage, progressOf, running, textOf, until } from "./browser.js";
import { chain, documentOfText, network, woven } from "./support.js";

/** How the page opens, and how one moves about in it. */

const inBrowser = browserTests();
const whole = documentOfText(network);
const fit = { ...whole, programs: whole.programs.filter(({ name }) => name === "fit") };

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

inBrowser("the legend has the outlines of what has no colour of its own", async (t) => {
  const text =
    "graph g {\n  placeholder x: f32[8]\n  table = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]\n  y = reshape(x * table, [2, 4])\n  signature s(x) -> (y)\n}\n";
  const { page } = await openPage(running(), documentOfText(text));
  const entry = (label: string) => page.locator("#legend li", { hasText: label }).locator("rect");
  t.is(await entry("constant").getAttribute("stroke-dasharray"), "3 2");
  t.is(await entry("view").getAttribute("stroke-dasharray"), null);
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
  t.regex(await textOf(none.page, "#panel"), /^network graph\s+No signature[\s\S]*file\s+test\.graph$/);
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
