// Draws examples/transformer/attention.svg: trains the example's network and shows where its heads look while it sorts one sequence
// that it has not seen. Needs a build; takes about half a minute.
import { join } from "node:path";
import { compile, Session } from "../../dist/index.js";
import { drawChart } from "./chart.mjs";

const folder = join(import.meta.dirname, "..", "..", "examples", "transformer");
const session = new Session(await compile(join(folder, "transformer.graph")));
await session.train();
const { drawn: exam } = await session.run("draw");
const length = exam.shape[1];
const sequence = exam.data.slice(0, length);
const heads = 4;
const path = (layer) => `${layer}/transformer_encoder/attended/multi_head_attention/seen/attention/weights`;
const found = await session.run(["answer", path("first"), path("second")], { sequence });
await session.close();

const places = Array.from({ length }, (_, i) => i);
// The keys of the first layer are the digits given: in order of size they show what a head looks for.
const bySize = [...places].sort((i, j) => Number(sequence[i] - sequence[j]) || i - j);
const answer = Array.from(found.answer.data, Number);
const layers = [
  {
    layer: "first",
    columns: bySize,
    labels: bySize.map((i) => Number(sequence[i])),
    title: "First layer: each place of the answer looks at the digits given (put in order here)",
  },
  {
    layer: "second",
    columns: places,
    labels: answer,
    title: "Second layer: each place of the answer looks at the other places",
  },
];

const side = 186;
/** A label for each of a row of places. */
const axis = (labels, title) => ({
  labelExpr: `${JSON.stringify(labels)}[datum.value]`,
  title,
  labelAngle: 0,
  ticks: false,
  domain: false,
});

/** The weights of one head, [queries, keys], as squares that are the darker the more a query takes from a key. */
function heatmap({ layer, columns, labels }, head) {
  const weights = found[path(layer)].data;
  const values = places.flatMap((row) =>
    columns.map((key, column) => ({ row, column, weight: weights[(head * length + row) * length + key] })),
  );
  return {
    title: { text: `head ${head + 1}`, anchor: "middle", fontSize: 12, fontWeight: "normal", offset: 6 },
    width: side,
    height: side,
    data: { values },
    mark: { type: "rect", aria: false },
    encoding: {
      x: { field: "column", type: "ordinal", axis: axis(labels, null) },
      y: { field: "row", type: "ordinal", axis: axis(answer, head === 0 ? "answer" : null) },
      color: {
        field: "weight",
        type: "quantitative",
        title: "weight",
        scale: { domain: [0, Math.max(...weights)], range: ["#ffffff", "#0b5cad"], interpolate: "rgb" },
        legend: head === heads - 1 ? { format: ".2f", tickCount: 4 } : null,
      },
    },
  };
}

await drawChart("examples/transformer/attention.svg", {
  title: {
    text: `given ${[...sequence].join(" ")}, answered ${answer.join(" ")}`,
    fontWeight: "normal",
    fontSize: 12,
    orient: "bottom",
  },
  vconcat: layers.map((layer) => ({
    title: layer.title,
    hconcat: Array.from({ length: heads }, (_, head) => heatmap(layer, head)),
    resolve: { scale: { color: "independent" } },
  })),
  resolve: { scale: { color: "independent" } },
});
