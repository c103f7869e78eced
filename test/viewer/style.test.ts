import test from "ava";
import { dark, light } from "../../viewer/style.js";

/** WCAG 2.2, relative luminance and contrast ratio. */
function luminance(colour: string): number {
  const channels = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  const [r = 0, g = 0, b = 0] = channels;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
  return ((x ?? 0) + 0.05) / ((y ?? 0) + 0.05);
}

test("the ratio is that of the standard", (t) => {
  t.is(contrast("#000000", "#ffffff"), 21);
  // From the examples of WCAG's technique G18 and WebAIM: grey 767676 on white is 4.54.
  t.is(contrast("#767676", "#ffffff").toFixed(2), "4.54");
});

for (const [name, theme] of Object.entries({ light, dark })) {
  test(`${name}: texts can be read on every box (AA)`, (t) => {
    for (const [tint, { fill }] of Object.entries(theme.tints)) {
      if (tint === "output") continue;
      // Steps of a scale have all their text in the stronger colour.
      for (const text of /^h\d$/.test(tint) ? [theme.text] : [theme.text, theme.muted]) {
        const ratio = contrast(text, fill);
        t.true(ratio >= 4.5, `${text} on ${tint} ${fill}: ${ratio.toFixed(2)}`);
      }
    }
    t.true(contrast(theme.page, theme.tints["output"]?.fill ?? theme.page) >= 4.5);
    for (const ground of [theme.page, theme.area.fill]) t.true(contrast(theme.muted, ground) >= 4.5, ground);
  });

  test(`${name}: outlines and edges can be told from the page (AA, non-text)`, (t) => {
    for (const [tint, { stroke }] of Object.entries(theme.tints)) {
      const ratio = contrast(stroke, theme.page);
      t.true(ratio >= 3, `${tint} ${stroke}: ${ratio.toFixed(2)}`);
    }
    t.true(contrast(theme.edge, theme.page) >= 3);
  });
}
