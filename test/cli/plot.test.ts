import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { confusion } from "../../cli/plot_specs.js";
import { linePlaces, visiblePoints } from "../../cli/plot_thin.js";
import { GraphError } from "../../compiler/ir/diagnostic.js";
import { pngOf } from "../../viewer/png.js";
import { folderWith, graphcHere } from "./support.js";

const file = `graph g {
  dim N
  placeholder rows: f32[N, 3] = [[0, 1, 2], [3, 5, 8]]
  label = [0, 0, 1, 2, 2, 2]
  guess = [0, 1, 1, 2, 2, 0]
  curve = [1.0, 4.0, 9.0, 16.0]
  other = [2.0, 3.0, 5.0, 7.0]
  pixels = reshape(iota([60]), [5, 3, 4])
  cut = [[-4.8, 90.0, inf], [nan, -inf, 0.5]]
  levels = [[0, 255], [256, -1]]
  text = "words"
  single = 3.0
  holes = [1.0, nan, 2.0, 3.0, -inf, 4.0]
  wide = reshape(cast(arange(60), to=f32), [2, 30])
  pairs = reshape(cast(arange(12), to=f32), [6, 2])
  shades = cast(arange(6), to=f32) / 7
  many = cast(arange(101), to=i32)
  positions = sum(rows, axis=1)
  deep = reshape(cast(arange(48), to=f32), [2, 3, 4, 2])
}
`.replace("iota([60])", "cast(arange(60), to=f32) / 60");

async function plotted(plot: string | readonly string[], fetch: string, ...flags: readonly string[]) {
  const cwd = folderWith({ "g.graph": file });
  const plots = [plot].flat().flatMap((one) => ["--plot", one]);
  const words = ["run", "g.graph", "--fetch", fetch, ...plots, "--target", "reference", ...flags];
  const ended = await graphcHere(words, { cwd });
  return {
    ended,
    read: (name: string) => readFileSync(join(cwd, name)),
    has: (name: string) => existsSync(join(cwd, name)),
  };
}

const textsOf = (svg: Buffer): readonly string[] =>
  [...svg.toString().matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text = ""]) => text);
const marksOf = (svg: Buffer, mark: string): number =>
  [...svg.toString().matchAll(new RegExp(`aria-roledescription="${mark}"`, "g"))].length;

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
  const texts = textsOf(read("out/c.svg"));
  t.true(texts.includes("label") && texts.includes("guess"));
  t.true(texts.includes("4 of 6 equal (66.7 %)"));
  // Nine counts, six labels, two axes and the title.
  t.is(texts.length, 18);
});

test.serial("vectors are a line each, the columns of a matrix, too, and a legend names them", async (t) => {
  const line = await plotted(["line=curve,other:l.svg", "line=rows,curve:m.svg"], "curve,other,rows");
  t.is(line.ended.code, 0, line.ended.stderr);
  t.is(marksOf(line.read("l.svg"), "line mark"), 2);
  const texts = textsOf(line.read("l.svg"));
  t.true(["curve", "other", "position"].every((name) => texts.includes(name)));
  t.is(marksOf(line.read("m.svg"), "line mark"), 4);
  const named = textsOf(line.read("m.svg"));
  t.deepEqual(
    ["rows[:, 0]", "rows[:, 1]", "rows[:, 2]", "curve"].filter((name) => !named.includes(name)),
    [],
  );
});

test.serial("points are two vectors or pairs, coloured by classes or on a scale", async (t) => {
  const { ended, read } = await plotted(
    [
      "scatter=curve,other:s.svg",
      "scatter=pairs:p.svg",
      "scatter=pairs,label:c.svg",
      "scatter=label,guess,shades:v.svg",
    ],
    "curve,other,pairs,label,guess,shades",
  );
  t.is(ended.code, 0, ended.stderr);
  t.deepEqual(
    ["s.svg", "p.svg", "c.svg", "v.svg"].map((name) => marksOf(read(name), "circle")),
    [4, 6, 6, 6],
  );
  t.true(["pairs[:, 0]", "pairs[:, 1]"].every((name) => textsOf(read("p.svg")).includes(name)));
  const colours = (name: string) =>
    new Set(
      [
        ...read(name)
          .toString()
          .matchAll(/"circle"[^>]* fill="([^"]+)"/g),
      ].map(([, fill]) => fill),
    ).size;
  t.deepEqual([colours("p.svg"), colours("c.svg"), colours("v.svg")], [1, 3, 6]);
});

test.serial("what is not finite breaks a line, and the chart says how much it was", async (t) => {
  const { ended, read } = await plotted("line=holes:h.svg", "holes");
  t.is(ended.code, 0, ended.stderr);
  t.true(textsOf(read("h.svg")).includes("2 values that are not finite: left out"));
  // 2 to 3 is a line; 1 and 4 have no neighbour, and are dots.
  t.is(marksOf(read("h.svg"), "circle"), 2);
});

test("of a long line each part keeps its extremes and its gaps, and of a crowd one point for each cell", (t) => {
  const values = Float64Array.from({ length: 1_000_000 }, (_, i) => Math.sin(i / 1000));
  values[123_457] = 9;
  values[654_321] = -9;
  values[777_777] = Number.NaN;
  const places = linePlaces([...values]);
  t.true(places.length <= 4000);
  for (const place of [
    { at: 123_457, value: 9 },
    { at: 654_321, value: -9 },
    { at: 777_777, value: null },
  ])
    t.deepEqual(
      places.find(({ at }) => at === place.at),
      place,
    );
  t.true(places.every(({ at }, i) => i === 0 || at > (places[i - 1]?.at ?? -1)));
  t.is(linePlaces([1, 2, 3]).length, 3);
  const crowd = Array.from({ length: 40_000 }, (_, i) => i);
  const [xs, ys] = [crowd.map((i) => i % 200), crowd.map((i) => Math.floor(i / 400))];
  xs[39_999] = Number.NaN;
  const { shown, lost } = visiblePoints(xs, ys, (i) => i % 2);
  t.is(lost, 1);
  // Each place occurs twice, once in each half of a row of 400.
  const seen = shown.map((i) => `${xs[i]} ${ys[i]} ${i % 2}`);
  t.is(seen.length, 20_000);
  t.is(new Set(seen).size, 20_000);
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
  // Three columns of 4 and two rows of 3 pixels, each 53 times (640 / 12) in both directions, with gaps of 3.
  t.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [3 * 4 * 53 + 6, 2 * 3 * 53 + 3]);
  const svg = await plotted("images=pixels:g.svg", "pixels");
  t.regex(svg.read("g.svg").toString(), /href="data:image\/png;base64,/);
});

test.serial("what is no level of an image is counted", async (t) => {
  const { ended } = await plotted(
    ["images=cut:a.png", "images=pixels:b.png", "images=levels:c.png"],
    "cut,pixels,levels",
  );
  t.is(ended.code, 0, ended.stderr);
  const cut = "drew a.png: of 6 numbers 2 outside 0 to 1 and 3 not finite: cut to black or full brightness";
  t.deepEqual(
    ended.stderr.split("\n").filter((line) => line.startsWith("drew")),
    [cut, "drew b.png", "drew c.png: of 4 numbers 2 outside 0 to 255: cut to black or full brightness"],
  );
});

test.serial("charts are judged before the run, and all are written or none", async (t) => {
  // The run itself would fail at the first NaN.
  const early = await plotted(["line=holes:a.svg", "line=deep:b.svg"], "holes,deep", "--check-numerics");
  t.is(early.ended.code, 2);
  t.regex(early.ended.stderr, /`deep` is f32\[2, 3, 4, 2\], .* `part = deep\[0, 0, :, :\]`/);
  t.false(early.has("a.svg"));
  // How many classes there are, only the run shows.
  const late = await plotted(["line=curve:a.svg", "confusion=many,many:b.svg"], "curve,many", "-o", "curve=curve.npy");
  t.is(late.ended.code, 2);
  t.regex(late.ended.stderr, /there are 101 classes/);
  t.deepEqual([late.has("a.svg"), late.has("b.svg"), late.has("curve.npy")], [false, false, false]);
  // A size that the feed gives is known before the run.
  const fed = await plotted("scatter=positions,curve:s.svg", "positions,curve,holes", "--check-numerics");
  t.is(fed.ended.code, 2);
  t.regex(fed.ended.stderr, /`positions` is f32\[2\] and `curve` is f32\[4\]/);
});

for (const [what, plot, fetch, message] of [
  ["an unknown kind", "pie=label:x.svg", "label", /It reads confusion=A,B/],
  ["too few names", "confusion=label:x.svg", "label", /confusion takes 2 names/],
  ["a name too many", "images=label,guess:x.svg", "label", /images takes 1 name\./],
  ["an empty name", "line=label,:x.svg", "label", /A name is empty/],
  ["a format that is not there", "line=label:x.gif", "label", /ends in \.svg or \.png/],
  ["a name that is no result", "line=guess:x.svg", "label", /`guess` is no result of this run: the results are label/],
  ["a misspelt name", "line=labl:x.svg", "label", /`labl` is no result of this run: did you mean `label`\?/],
  ["text", "line=text:x.svg", "text", /`text` is a string/],
  ["different lengths", "scatter=label,curve:x.svg", "label,curve", /`label` is i64\[6\] and `curve` is f32\[4\]/],
  ["more axes than two", "line=pixels:x.svg", "pixels", /`pixels` is f32\[5, 3, 4\], .* `part = pixels\[0, :, :\]`/],
  ["more lines than can be told apart", "line=wide:x.svg", "wide", /30 lines, and 20 are the most.* transpose/],
  ["a single number", "line=single:x.svg", "single", /`single` is f32, .*single number/],
  [
    "classes that are no classes",
    "confusion=label,shades:x.svg",
    "label,shades",
    /`shades` is f32\[6\], .*cast\(shades, to=i32\)/,
  ],
  ["likelihoods instead of classes", "confusion=label,pairs:x.svg", "label,pairs", /argmax\(pairs, axis=-1\)/],
  ["points without a second axis", "scatter=curve:x.svg", "curve", /name a second result/],
  ["three columns for two axes", "scatter=rows:x.svg", "rows", /`rows` is f32\[N, 3\], .*rows\[:, 0:2\]/],
  ["no images", "images=label:x.svg", "label", /`label` is i64\[6\], and images are .*reshape\(label/],
  ["two channels", "images=deep:x.svg", "deep", /1 or 3 channels: .*deep\[:, :, :, 0\]/],
] as const) {
  test.serial(`${what} is refused`, async (t) => {
    const { ended, has } = await plotted(plot, fetch);
    t.is(ended.code, 2);
    t.regex(ended.stderr, message);
    t.false(has("x.svg"));
  });
}

test.serial("means are no charts", async (t) => {
  const { ended } = await plotted("line=curve:x.svg", "curve", "--data", "rows=nothing.npy");
  t.is(ended.code, 2);
  t.regex(ended.stderr, /--plot draws the results of one run/);
});

test.serial("a chart takes the place of no file of another kind", async (t) => {
  const cwd = folderWith({ "g.graph": file, "notes.svg": "my notes\n" });
  const words = ["run", "g.graph", "--fetch", "curve", "--plot", "line=curve:notes.svg", "--target", "reference"];
  const { code, stderr } = await graphcHere(words, { cwd });
  t.is(code, 1);
  t.regex(stderr, /G092.*the file there is no picture but text that begins with "my notes"/);
  t.is(readFileSync(join(cwd, "notes.svg"), "utf8"), "my notes\n");
});
