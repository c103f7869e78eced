import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { confusion } from "../../cli/plot.js";
import { GraphError } from "../../compiler/ir/diagnostic.js";
import { pngOf } from "../../viewer/png.js";
import { folderWith, graphcHere } from "./support.js";

const file = `graph g {
  label = [0, 0, 1, 2, 2, 2]
  guess = [0, 1, 1, 2, 2, 0]
  curve = [1.0, 4.0, 9.0, 16.0]
  other = [2.0, 3.0, 5.0, 7.0]
  pixels = reshape(iota([60]), [5, 3, 4])
  text = "words"
}
`.replace("iota([60])", "cast(arange(60), to=f32) / 60");

async function plotted(plot: string, fetch: string) {
  const cwd = folderWith({ "g.graph": file });
  const ended = await graphcHere(["run", "g.graph", "--fetch", fetch, "--plot", plot, "--target", "reference"], {
    cwd,
  });
  return { ended, read: (name: string) => readFileSync(join(cwd, name)) };
}

test.serial("a confusion matrix counts each pair, and has a cell for every pair of classes", async (t) => {
  t.deepEqual(
    confusion([0, 0, 1, 2, 2, 2], [0, 1, 1, 2, 2, 0]).map(({ count }) => count),
    [1, 1, 0, 0, 1, 0, 1, 0, 2],
  );
  t.deepEqual(confusion([], []), []);
  const { ended, read } = await plotted("confusion=label,guess:out/c.svg", "label,guess");
  t.is(ended.code, 0, ended.stderr);
  t.regex(ended.stderr, /drew out\/c\.svg/);
  const svg = read("out/c.svg").toString();
  t.regex(svg, /^<svg /);
  const texts = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((match) => match[1]);
  t.true(texts.includes("label") && texts.includes("guess"));
  // Nine counts, six labels and two titles.
  t.is(texts.length, 17);
});

test.serial("lines and points", async (t) => {
  const line = await plotted("line=curve,other:l.svg", "curve,other");
  t.is(line.ended.code, 0, line.ended.stderr);
  t.is(
    [
      ...line
        .read("l.svg")
        .toString()
        .matchAll(/aria-roledescription="line mark"/g),
    ].length,
    2,
  );
  const scatter = await plotted("scatter=curve,other:s.svg", "curve,other");
  t.is(
    [
      ...scatter
        .read("s.svg")
        .toString()
        .matchAll(/aria-roledescription="circle"/g),
    ].length,
    4,
  );
});

test.serial("charts are drawn as PNG, at twice the size of the SVG", async (t) => {
  const size = (svg: string, name: string): number => Number(new RegExp(` ${name}="(\\d+)"`).exec(svg)?.[1]);
  for (const plot of ["line=curve,other", "scatter=curve,other", "confusion=label,guess"]) {
    const names = plot.replace(/^.*=/, "");
    const { ended, read } = await plotted(`${plot}:c.png`, names);
    t.is(ended.code, 0, ended.stderr);
    const svg = (await plotted(`${plot}:c.svg`, names)).read("c.svg").toString();
    const png = read("c.png");
    t.deepEqual([...png.subarray(1, 4)], [...Buffer.from("PNG")]);
    t.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [2 * size(svg, "width"), 2 * size(svg, "height")]);
  }
});

test("a PNG without a font to write with is refused, where its texts would be left out in silence", (t) => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text y="8">x</text></svg>';
  const error = t.throws(() => pngOf(svg, 1, { fonts: "none" }), { instanceOf: GraphError });
  t.is(error?.diagnostics[0]?.code, "G120");
  t.regex(error?.message ?? "", /no font/);
});

test.serial("images stand in a grid", async (t) => {
  const { ended, read } = await plotted("images=pixels:g.png", "pixels");
  t.is(ended.code, 0, ended.stderr);
  const png = read("g.png");
  // Three columns of 4 and two rows of 3 pixels, with gaps of 2.
  t.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [3 * 4 + 4, 2 * 3 + 2]);
  const svg = await plotted("images=pixels:g.svg", "pixels");
  t.regex(svg.read("g.svg").toString(), /href="data:image\/png;base64,/);
});

for (const [what, plot, fetch, message] of [
  ["an unknown kind", "pie=label:x.svg", "label", /It reads confusion=A,B/],
  ["too few names", "confusion=label:x.svg", "label", /confusion takes 2 names/],
  ["a format that is not there", "line=label:x.gif", "label", /ends in \.svg or \.png/],
  ["a name that is no result", "line=guess:x.svg", "label", /`guess` is no tensor among the results, which are label/],
  ["text", "line=text:x.svg", "text", /`text` is no tensor/],
  ["different lengths", "scatter=label,curve:x.svg", "label,curve", /have 6 and 4 elements/],
  ["more axes than one", "line=pixels:x.svg", "pixels", /a row of numbers is needed/],
  ["no images", "images=label:x.svg", "label", /holds no images/],
] as const) {
  test.serial(`${what} is refused`, async (t) => {
    const { ended } = await plotted(plot, fetch);
    t.is(ended.code, 2);
    t.regex(ended.stderr, message);
  });
}
