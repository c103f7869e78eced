// Charts of the examples, as SVG: a specification of Vega-Lite (https://vega.github.io/vega-lite) with the numbers of a run in it.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, textMetrics, View } from "vega";
import { compile } from "vega-lite";

const root = join(import.meta.dirname, "..", "..");

/** The colours that all charts take their categories from, in this order; blue and orange first, which all eyes tell apart. */
export const colours = ["#0b5cad", "#d67818", "#2a8c4a", "#9b3fa8", "#57606a"];

// Without a canvas Vega takes each letter to be 0.8 of the size of its font wide, which leaves margins on the right. These are the mean
// widths of DejaVu Sans, the widest of the fonts below.
textMetrics.width = ({ fontSize = 11, fontWeight }, text) =>
  Math.ceil(String(text ?? "").length * fontSize * (Number(fontWeight) >= 600 || fontWeight === "bold" ? 0.68 : 0.6));

const config = {
  background: "#fff",
  padding: 14,
  font: "system-ui, -apple-system, Segoe UI, DejaVu Sans, sans-serif",
  title: { anchor: "start", fontSize: 14, fontWeight: 600, color: "#1b1f24", subtitleColor: "#57606a", offset: 10 },
  axis: {
    labelColor: "#57606a",
    titleColor: "#57606a",
    titleFontWeight: "normal",
    gridColor: "#e6e9ed",
    tickColor: "#d0d7de",
  },
  legend: { labelColor: "#1b1f24", titleColor: "#57606a", titleFontWeight: "normal" },
  view: { stroke: null },
  range: { category: colours },
};

/** Draws a specification into a file of the checkout, such as `examples/iris/iris.svg`. */
export async function drawChart(file, specification) {
  const { spec } = compile({ $schema: "https://vega.github.io/schema/vega-lite/v6.json", config, ...specification });
  const svg = await new View(parse(spec), { renderer: "none" }).toSVG();
  writeFileSync(join(root, file), `${svg}\n`);
  console.log(`${file}: ${svg.length} characters`);
}
