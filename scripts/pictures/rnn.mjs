// Draws examples/rnn/rows.svg: trains the example's network and shows, for five test digits, what it holds likely after each row. Needs
// a build; takes about a minute.
import { join } from "node:path";
import { compile, idx, readData, Session } from "../../dist/index.js";
import { drawChart } from "./chart.mjs";
import { pngAddress } from "./png.mjs";

const folder = join(import.meta.dirname, "..", "..", "examples", "rnn");
// The data lie beside the built graph.
const data = (name) => join(import.meta.dirname, "..", "..", "dist", "examples", "rnn", "data", name);
const session = new Session(await compile(join(folder, "rnn.graph")));
await session.train({ dataDir: data("") });
const images = await readData(idx(data("t10k-images-idx3-ubyte")).slice(0, 10));
const labels = await readData(idx(data("t10k-labels-idx1-ubyte")).slice(0, 10));
const { probs } = await session.run("predict", { image: images });
await session.close();

const chosen = [0, 1, 4, 7, 9];
const side = 168;
const frame = { stroke: "#d0d7de" };

/** A digit as it is read. */
function image(index) {
  const ink = Array.from(images.data.slice(index * 784, (index + 1) * 784));
  const url = pngAddress(
    28,
    28,
    ink.map((value) => [255 - value, 255 - value, 255 - value]),
  );
  return {
    width: side,
    height: side,
    view: frame,
    data: { values: [{ url }] },
    mark: { type: "image", aspect: false, width: side, height: side, x: side / 2, y: side / 2 },
    encoding: { url: { field: "url", type: "nominal" } },
  };
}

/** What the network holds likely, [28, 10], after each row; only the first of a line of charts has the axis of rows. */
function likely(index, place) {
  const values = Array.from(probs.data.slice(index * 280, (index + 1) * 280), (probability, i) => ({
    row: Math.floor(i / 10) + 1,
    digit: i % 10,
    probability,
  }));
  const label = Number(labels.data[index]);
  return {
    width: side,
    height: side,
    view: frame,
    data: { values },
    mark: { type: "rect", aria: false },
    encoding: {
      x: {
        field: "digit",
        type: "ordinal",
        title: `label ${label}`,
        axis: {
          labelAngle: 0,
          ticks: false,
          domain: false,
          labelFontWeight: { condition: { test: `datum.value == ${label}`, value: "bold" }, value: "normal" },
        },
      },
      y: {
        field: "row",
        type: "ordinal",
        title: place === 0 ? "row" : null,
        axis: { values: place === 0 ? [1, 7, 14, 21, 28] : [], ticks: false, domain: false },
      },
      color: {
        field: "probability",
        type: "quantitative",
        scale: { domain: [0, 1], range: ["#ffffff", "#0b5cad"], interpolate: "rgb" },
        legend: null,
      },
    },
  };
}

await drawChart("examples/rnn/rows.svg", {
  vconcat: [
    { title: "What the network reads, a row at a time from the top", hconcat: chosen.map(image) },
    {
      title: "What it holds likely after each row, from white for 0 to blue for 1; in bold the label",
      hconcat: chosen.map(likely),
    },
  ],
});
