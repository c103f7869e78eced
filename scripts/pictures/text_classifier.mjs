// Draws examples/text_classifier/probability.svg: how many of the mails that are held out the trained network holds spam with which
// probability. Needs a build; takes some ten seconds.
import { join } from "node:path";
import { columnsOf, spamAssassin, vocabularyOf } from "../../dist/examples/text_classifier/mails.js";
import { compile, Session } from "../../dist/index.js";
import { drawChart } from "./chart.mjs";

const length = 80;
const mails = spamAssassin(length);
const practice = mails.filter((_, i) => i % 5 !== 0);
const exam = mails.filter((_, i) => i % 5 === 0);
const vocabulary = vocabularyOf(practice, 5000);
const graph = join(import.meta.dirname, "..", "..", "dist", "examples", "text_classifier", "text_classifier.graph");
const session = new Session(await compile(graph));
await session.train({ data: columnsOf(practice, vocabulary, length) });
const { words } = columnsOf(exam, vocabulary, length);
const { probability } = await session.run("predict", { words });
await session.close();

const bins = 20;
const kinds = ["spam", "other mails"];
const values = kinds.flatMap((kind) =>
  Array.from({ length: bins }, (_, bin) => ({
    kind,
    from: bin / bins,
    to: (bin + 1) / bins,
    // A logarithmic axis has no 0: an empty bin has no bar.
    count: exam.filter(
      ({ spam }, i) => spam === (kind === "spam") && Math.min(bins - 1, Math.floor(probability.data[i] * bins)) === bin,
    ).length,
    base: 0.5,
  })).filter(({ count }) => count > 0),
);

await drawChart("examples/text_classifier/probability.svg", {
  title: `${exam.length} mails not seen in training, by the probability of spam`,
  data: { values },
  facet: { row: { field: "kind", sort: kinds, title: null, header: { labelOrient: "top", labelAnchor: "start" } } },
  spec: {
    width: 620,
    height: 150,
    mark: { type: "bar", binSpacing: 2 },
    encoding: {
      x: {
        field: "from",
        type: "quantitative",
        title: "probability of spam",
        scale: { domain: [0, 1] },
        bin: "binned",
      },
      x2: { field: "to" },
      y: {
        field: "count",
        type: "quantitative",
        title: "mails",
        scale: { type: "log", domain: [0.5, 1000] },
        axis: { values: [1, 10, 100, 1000] },
      },
      y2: { field: "base" },
      color: { field: "kind", scale: { domain: kinds, range: ["#d67818", "#0b5cad"] }, legend: null },
    },
  },
});
