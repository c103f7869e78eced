import { browserTests, openPage, running, textOf, until } from "./browser.js";
import { documentOfText, network } from "./support.js";

/** The picture fits where it is shown: on paper, and in windows and directions that changed meanwhile. */

const inBrowser = browserTests();
const whole = documentOfText(network);
const fit = { ...whole, programs: whole.programs.filter(({ name }) => name === "fit") };

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
      return picture.left >= pane.left && picture.right <= pane.right + 1;
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
