import { browserTests, openPage, running, textOf, until } from "./browser.js";
import { documentOfText, network } from "./support.js";

/** The picture fits where it is shown: on paper, in windows and directions that changed meanwhile; and so does a selection in all views. */

const inBrowser = browserTests();
const whole = documentOfText(network);
const fit = { ...whole, programs: whole.programs.filter(({ name }) => name === "fit") };

/** Two calls, in one of which another call is bound to the other's name. */
const steps = `import { dense } from "std/layers"
import { sgd } from "std/optimizers"
fn twice(x: f32[64, 96]) -> (y: f32[64, 96]) {
  y = x + tanh(x)
}
fn dense_block(x: f32[64, 96]) -> (y: f32[64, 96]) {
  second = twice(x)
  inner = relu(dense(second, 96))
  y = x + dense(inner, 96)
}
graph steps {
  placeholder x: f32[64, 96]
  placeholder label: f32[64, 32]
  first = dense_block(x)
  second = dense(first, 32)
  scope metrics {
    loss = mean((second - label) ** 2)
  }
  update learn = minimize(metrics.loss, sgd(learning_rate=0.1))
  signature fit(x, label) does learn -> (metrics.loss)
}
`;

inBrowser("on paper the picture alone is shown, all of it, on one light sheet", async (t) => {
  const { page } = await openPage(running(), fit, "dark");
  await page.keyboard.press("3");
  await page.locator(".pane.current [data-box]").first().waitFor();
  const sheets = async () => (await page.pdf()).toString("latin1").match(/\/Type\s*\/Page\b/g)?.length;
  t.is(await sheets(), 1);
  await page.keyboard.press("1");
  await page.keyboard.press("+");
  const picture = page.locator(".pane.current > svg > g");
  const before = await picture.getAttribute("transform");
  t.is(await sheets(), 1);
  t.is(await picture.getAttribute("transform"), before);
  await page.keyboard.press("c");
  await page.locator(".pane >> nth=1").locator("[data-box]").first().waitFor();
  t.is(await sheets(), 1);
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  await page.evaluate("dispatchEvent(new Event('beforeprint'))");
  for (const hidden of ["header", "#panel", ".pane:not(.current) >> nth=0", ".pane:not(.current) >> nth=1"])
    t.false(await page.locator(hidden).isVisible(), hidden);
  const fill = (of: string): string => `getComputedStyle(document.querySelector(".pane.current ${of}")).fill`;
  t.is(await page.evaluate<string>(fill(".name")), "rgb(31, 35, 40)");
  t.is(await page.evaluate<string>(fill("rect.c2, rect.placeholder")), "rgb(223, 243, 255)");
  const [sheet, drawn] = await Promise.all([page.locator(".pane.current > svg").boundingBox(), picture.boundingBox()]);
  if (sheet === null || drawn === null) throw new Error("nothing is on the sheet");
  t.true(drawn.x >= sheet.x - 1 && drawn.x + drawn.width <= sheet.x + sheet.width + 1);
  t.true(drawn.y >= sheet.y - 1 && drawn.y + drawn.height <= sheet.y + sheet.height + 1);
  await page.close();
});

inBrowser("a view that was turned or resized while another was shown fits when it is shown", async (t) => {
  const { page } = await openPage(running(), fit);
  const isWhole = () =>
    page.evaluate<boolean>(`(() => {
      const found = document.querySelectorAll(".pane.current > svg, .pane.current > svg > g");
      const [pane, picture] = [...found].map((one) => one.getBoundingClientRect());
      // What would be too small to read begins where its data do.
      const isLeast = found[1].getAttribute("transform").endsWith("scale(0.7)");
      return picture.left >= pane.left && (picture.right <= pane.right + 1 || isLeast);
    })()`);
  await page.keyboard.press("3");
  await page.keyboard.press("t");
  await until("data flow right", async () => (await textOf(page, "#status")) === "data flow right");
  await page.keyboard.press("1");
  await until("the turned picture fits", isWhole);
  for (let i = 0; i < 6; i++) await page.keyboard.press("+");
  const map = await page.locator(".pane.current .minimap").boundingBox();
  t.true(map !== null && map.width > 20, `${map?.width}`);
  await page.keyboard.press("2");
  await page.keyboard.press("t");
  await until("data flow down", async () => (await textOf(page, "#status")) === "data flow down");
  await page.setViewportSize({ width: 700, height: 700 });
  await page.keyboard.press("1");
  await until("the picture fits the smaller window", isWhole);
  await page.close();
});

/** What is seen of the picture, in its own units: its middle and its scale. */
interface Sight {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

const sight = `(() => {
  const [, x, y, k] = /translate\\(([^,]+),([^)]+)\\) scale\\(([^)]+)\\)/.exec(
    document.querySelector(".pane.current > svg > g").getAttribute("transform"));
  const { clientWidth, clientHeight } = document.querySelector(".pane.current > svg");
  return { x: (clientWidth / 2 - x) / k, y: (clientHeight / 2 - y) / k, scale: Number(k) };
})()`;

inBrowser(
  "a picture opens large enough to be read; in a window of another size it is fitted again, or keeps its middle",
  async (t) => {
    const { page } = await openPage(running(), fit);
    await page.setViewportSize({ width: 700, height: 620 });
    await page.keyboard.press("3");
    await page.locator(".pane.current [data-box]").first().waitFor();
    const seen = () => page.evaluate<Sight>(sight);
    // Letters of 12 are at least 8.
    t.true((await seen()).scale * 12 >= 8, `${(await seen()).scale}`);
    t.true(await page.locator(".pane.current .minimap").isVisible());
    await page.keyboard.press("f");
    await until("all of it is seen", async () => (await seen()).scale * 12 < 8);
    const fitted = (await seen()).scale;
    await page.setViewportSize({ width: 1300, height: 900 });
    await until("it is fitted again", async () => (await seen()).scale > 1.2 * fitted);
    await page.keyboard.press("+");
    await page.keyboard.press("ArrowDown");
    const before = await seen();
    await page.setViewportSize({ width: 1000, height: 700 });
    const isKept = async (): Promise<boolean> => {
      const { x, y, scale } = await seen();
      return Math.abs(x - before.x) < 1 && Math.abs(y - before.y) < 1 && scale === before.scale;
    };
    await until("the middle stays in the middle", isKept);
    await page.close();
  },
);

/** Whether the first that a selector finds in the chosen pane, or all, are whole in sight. */
const inSight = (selector: string, which: "some" | "every"): string => `(() => {
  const around = document.querySelector(".pane.current > svg").getBoundingClientRect();
  return [...document.querySelectorAll(${JSON.stringify(`.pane.current ${selector}`)})].${which}((one) => {
    const { left, top, right, bottom } = one.getBoundingClientRect();
    return left >= around.left - 1 && top >= around.top - 1 && right <= around.right + 1 && bottom <= around.bottom + 1;
  });
})()`;

inBrowser("what is opened is brought into sight; the map leaves the selection free, and m hides it", async (t) => {
  const { page } = await openPage(running(), fit);
  await page.setViewportSize({ width: 1000, height: 620 });
  // At the lower border, where an opened group would lie outside.
  const group = page.locator('.pane.current [data-box^="g"]').last();
  const id = await group.getAttribute("data-box");
  await page.locator(".pane.current > svg").focus();
  while (((await group.boundingBox())?.y ?? 0) < 420) await page.keyboard.press("Shift+ArrowUp");
  await group.click();
  await page.locator(`.pane.current [data-title="${id}"]`).first().waitFor();
  t.true(await page.evaluate<boolean>(inSight(`[data-title="${id}"]`, "some")));
  t.true(await page.evaluate<boolean>(inSight("[data-box].selected", "every")));
  const map = page.locator(".pane.current .minimap");
  await page.keyboard.press("/");
  await page.keyboard.type("y/dense/w");
  await page.keyboard.press("Enter");
  await until("it is selected", async () => (await textOf(page, "#crumbs [aria-current]")) === "y/dense/w");
  for (let i = 0; i < 3; i++) await page.keyboard.press("+");
  const chosen = page.locator(".pane.current .box.selected");
  const pane = await page.locator(".pane.current > svg").boundingBox();
  // From corner to corner.
  for (const to of ["Left", "Up", "Right", "Down"])
    for (let step = 0; step < 12; step++) {
      const [box, at] = [await chosen.boundingBox(), await map.boundingBox()];
      if (box === null || at === null || pane === null) throw new Error("the selection and the map are seen");
      const isBeside = box.x >= at.x + at.width || at.x >= box.x + box.width;
      t.true(isBeside || box.y >= at.y + at.height || at.y >= box.y + box.height, `${to} ${step}`);
      const [right, below] = [pane.x + pane.width - box.x - box.width, pane.y + pane.height - box.y - box.height];
      const room = { Left: right, Up: below, Right: box.x - pane.x, Down: box.y - pane.y }[to] ?? 0;
      if (room < 90) break;
      await page.keyboard.press(`Shift+Arrow${to}`);
    }
  await page.keyboard.press("m");
  t.false(await map.isVisible());
  await page.keyboard.press("m");
  t.true(await map.isVisible());
  await page.close();
});

inBrowser("side by side, each view can be read, and what belongs to the selection comes into sight", async (t) => {
  const { page } = await openPage(running(), fit);
  await page.setViewportSize({ width: 1000, height: 560 });
  const legendIn = async (view: string): Promise<readonly string[]> => {
    await page.keyboard.press(view);
    await page.locator(".pane.current [data-box]").first().waitFor();
    await until("it has a legend", async () => (await textOf(page, "#legend")) !== "");
    return (await textOf(page, "#legend")).split("\n");
  };
  const legends = { kernels: await legendIn("3"), source: await legendIn("1") };
  t.true(legends.kernels.some((entry) => !legends.source.includes(entry)));
  await page.keyboard.press("c");
  for (const at of [0, 1, 2]) await page.locator(".pane").nth(at).locator("[data-box]").first().waitFor();
  await until("all are laid out", async () => (await page.locator(".pane[aria-busy]").count()) === 0);
  const scales = await page.evaluate<readonly number[]>(
    `[...document.querySelectorAll(".pane > svg > g")].map((one) => Number(/scale\\(([^)]+)/.exec(one.getAttribute("transform"))[1]))`,
  );
  for (const scale of scales) t.true(scale * 12 >= 8, `${scales}`);
  t.deepEqual(await page.locator(".caption:visible").allInnerTexts(), ["source", "gradients", "kernels"]);
  const entries = (await textOf(page, "#legend")).split("\n");
  t.true(
    [...legends.source, ...legends.kernels].every((entry) => entries.includes(entry)),
    `${entries}`,
  );
  await page.keyboard.press("/");
  await page.keyboard.type("y/dense/w");
  await page.keyboard.press("Enter");
  const areSeen = (): Promise<boolean> =>
    page.evaluate<boolean>(`[...document.querySelectorAll(".pane:not(.current)")].every((pane) => {
      const around = pane.getBoundingClientRect();
      return [...pane.querySelectorAll(".linked")].some((one) => {
        const { left, top } = one.getBoundingClientRect();
        return left >= around.left - 1 && top >= around.top - 1 && left < around.right && top < around.bottom;
      });
    })`);
  await until("the other views have moved to it", areSeen);
  await page.close();
});

inBrowser("the controls stand in one row from 1000 pixels on, and all can be reached", async (t) => {
  const { page } = await openPage(running(), whole);
  for (const width of [1000, 1100, 1130, 1240, 1330, 1400]) {
    await page.setViewportSize({ width, height: 700 });
    const height = await page.evaluate<number>('document.querySelector("header").getBoundingClientRect().height');
    t.true(height < 60, `${width}: ${height}`);
  }
  await page.setViewportSize({ width: 1000, height: 700 });
  t.false(await page.locator("#turn").isVisible());
  await page.click("#more");
  await page.click("#turn");
  await until("data flow right", async () => (await textOf(page, "#status")) === "data flow right");
  t.false(await page.locator("#turn").isVisible());
  await page.close();
});

inBrowser("a selection is carried to its own part of the step, and goes back to where it was made", async (t) => {
  const { page, complaints } = await openPage(running(), documentOfText(steps));
  const selected = page.locator(".pane.current .selected").first();
  const isSelected = async (label: RegExp): Promise<void> => {
    await until(`${label} is selected`, async () => label.test((await selected.getAttribute("aria-label")) ?? ""));
    t.pass();
  };
  const find = async (query: string): Promise<void> => {
    await page.keyboard.press("/");
    await page.fill("#search", query);
    await page.keyboard.press("Enter");
  };
  // The whole title is typed: a call in `first` that is bound to the same name has all words, too.
  await find("second dense");
  await isSelected(/^second, dense\(\)/);
  await page.keyboard.press("3");
  // It has one op in the forward pass and more in its gradient.
  await isSelected(/^second, .*dense\(\) · kernel/);
  t.regex((await selected.getAttribute("class")) ?? "", /role-forward/);
  t.true((await page.locator(".pane.current .linked.role-backward").count()) > 0);
  await page.keyboard.press("1");
  await isSelected(/^second, dense\(\)/);
  // An op in a call goes through two views where it is one of many.
  await find("first/dense_block/inner/dense/y");
  await isSelected(/^y = \+/);
  for (const view of ["2", "3", "1"]) await page.keyboard.press(view);
  await isSelected(/^y = \+/);
  // What is replaced by its meaning is that meaning elsewhere.
  await find("gradients");
  await isSelected(/^gradients/);
  t.regex(await textOf(page, "#panel"), /Expanded to\n[\s\S]*dot_general f32\[64, 96\][\s\S]*Kernels it went into\n/);
  for (const view of ["2", "3"]) {
    await page.keyboard.press(view);
    await until("a part of the gradient is selected", async () =>
      ((await selected.getAttribute("class")) ?? "").includes("role-backward"),
    );
    t.true((await page.locator(".pane.current .linked").count()) > 0);
  }
  await page.keyboard.press("1");
  await isSelected(/^gradients/);
  // What is chosen in another view is carried from there.
  await page.keyboard.press("2");
  await find("x");
  await isSelected(/^placeholder x/);
  await page.keyboard.press("1");
  await isSelected(/^placeholder x/);
  t.deepEqual(complaints, []);
  await page.close();
});
