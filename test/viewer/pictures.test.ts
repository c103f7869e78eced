import test from "ava";
import fc from "fast-check";
import { paintOf } from "../../viewer/colours.js";
import { dotText } from "../../viewer/dot.js";
import { escapeMarkup } from "../../viewer/draw.js";
import { localEngine } from "../../viewer/elk.js";
import { layOut } from "../../viewer/layout.js";
import type { ViewModel } from "../../viewer/model.js";
import type { Placed, PlacedBox } from "../../viewer/placed.js";
import { svgText } from "../../viewer/svg.js";
import { alwaysOpen, firstOpen, visibleOf } from "../../viewer/visible.js";
import { chain, documentOfText, network, onDevice, programOf, twoSides, viewOf } from "./support.js";

const document = documentOfText(network);
const engine = localEngine();

function all(view: ViewModel): ReadonlySet<number> {
  return new Set(view.groups.keys());
}

function overlap(a: PlacedBox, b: PlacedBox): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

function isInside(inner: PlacedBox, outer: PlacedBox): boolean {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}

function hasNoOverlaps(placed: Placed): boolean {
  const boxes = new Map(placed.boxes.map((one) => [one.box.id, one]));
  return placed.boxes.every((one) => {
    const parent = one.box.parent === undefined ? undefined : boxes.get(one.box.parent);
    if (parent !== undefined && !isInside(one, parent)) return false;
    return placed.boxes.every((other) => one === other || one.box.parent !== other.box.parent || !overlap(one, other));
  });
}

test("at first calls are closed; each open group shows what is in it", (t) => {
  const view = viewOf(document, "fit", "source");
  const closed = visibleOf(view, new Set());
  t.true(closed.boxes.some(({ group, isOpen, count }) => group?.name === "y" && !isOpen && count > 1));
  const open = visibleOf(view, all(view));
  t.is(open.boxes.filter(({ node }) => node !== undefined).length, view.nodes.length);
});

test("edges are those between what is seen, several as one", (t) => {
  const property = fc.property(
    fc.constantFrom("source", "gradients", "kernels"),
    fc.array(fc.nat({ max: 40 })),
    (kind, chosen) => {
      const view = viewOf(document, "fit", kind as ViewModel["kind"]);
      const { boxes, edges } = visibleOf(view, new Set(chosen));
      const ids = new Set(boxes.filter(({ isOpen }) => !isOpen).map(({ id }) => id));
      const pairs = edges.map(({ from, to }) => `${from} ${to}`);
      return (
        edges.every(({ from, to, count }) => from !== to && ids.has(from) && ids.has(to) && count > 0) &&
        new Set(pairs).size === pairs.length
      );
    },
  );
  t.notThrows(() => fc.assert(property));
});

// Of what is drawn, `geometry.test.ts` asks the same of random choices of open groups in all views.
test("nothing overlaps, and what is in a group is drawn in it", async (t) => {
  const view = viewOf(document, "fit", "kernels");
  for (const open of [firstOpen(view), all(view)]) {
    const placed = await layOut(visibleOf(view, open), "down", engine);
    t.true(hasNoOverlaps(placed));
    t.true(placed.edges.every(({ points }) => points.length >= 2));
  }
});

test("data flow down, or right", async (t) => {
  const view = viewOf(documentOfText(chain(3)), "run", "source");
  const visible = visibleOf(view, new Set());
  const down = await layOut(visible, "down", engine);
  const right = await layOut(visible, "right", engine);
  t.deepEqual(
    down.boxes.map(({ y }) => y),
    down.boxes.map(({ y }) => y).sort((a, b) => a - b),
  );
  t.deepEqual(
    right.boxes.map(({ x }) => x),
    right.boxes.map(({ x }) => x).sort((a, b) => a - b),
  );
});

test("a flat graph comes in parts: at most 200 boxes are seen at first, and none when one part opens", (t) => {
  const view = viewOf(documentOfText(chain(3000)), "run", "source");
  const first = visibleOf(view, firstOpen(view));
  t.true(first.boxes.length <= 200, `${first.boxes.length}`);
  t.is(
    first.boxes.reduce((sum, { count, node }) => sum + (node === undefined ? count : 0), 0) +
      first.boxes.filter(({ node }) => node?.kind === "op").length,
    3000,
  );
  for (const group of view.groups.keys()) {
    const inside = view.nodes.filter((node) => node.group === group).length;
    const groups = view.groups.filter(({ parent }) => parent === group).length;
    t.true(inside + groups <= 60, `${inside} and ${groups}`);
  }
  // Between parts of consecutive ops all edges go forward.
  t.true(first.edges.every(({ from, to }) => from.startsWith("n") || Number(to.slice(1)) >= Number(from.slice(1))));
});

const hostile = `graph g {
  placeholder x: f32
  text = "<script>alert(1)</script> & \\"quotes\\""
  y = x + 1
  signature s(x) -> (y)
}
`;

test("markup in names stays text", async (t) => {
  const given = documentOfText(hostile);
  const [program] = given.programs;
  const [view] = program?.views ?? [];
  if (program === undefined || view === undefined) throw new Error("no view");
  const named: ViewModel = {
    ...view,
    nodes: view.nodes.map((node) => ({ ...node, name: '</title><script>alert("&")</script>', text: "]]>" })),
  };
  const placed = await layOut(visibleOf(named, new Set()), "down", engine);
  const options = { title: "</svg><script>", colour: "structure", themes: "both" } as const;
  const svg = svgText(placed, named, program, options);
  t.false(/<script/i.test(svg));
  t.is(svg.match(/<\/svg>/g)?.length, 1);
  t.true(svg.includes("&lt;/svg&gt;&lt;script&gt;"));
  const dot = dotText(visibleOf(named, new Set()), 'a"b\\', "down");
  t.true(dot.startsWith('digraph "a\\"b\\\\" {'));
});

test("whatever the text, markup gives it back", (t) => {
  const entities: ReadonlyMap<string, string> = new Map([
    ["&amp;", "&"],
    ["&lt;", "<"],
    ["&gt;", ">"],
    ["&quot;", '"'],
  ]);
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const escaped = escapeMarkup(text);
      const read = escaped.replace(/&(amp|lt|gt|quot);/g, (entity) => entities.get(entity) ?? entity);
      return !/[<>"]/.test(escaped) && (read === text || read.includes("\uFFFD"));
    }),
  );
  t.is(escapeMarkup("a\u0000\uD800b"), "a\uFFFD\uFFFDb");
});

test("an svg carries its style for light and dark, and loads nothing", async (t) => {
  const program = programOf(document, "fit");
  const view = viewOf(document, "fit", "source");
  const placed = await layOut(visibleOf(view, firstOpen(view)), "down", engine);
  const svg = svgText(placed, view, program, { title: "fit", colour: "structure", themes: "both" });
  t.regex(svg, /@media screen and \(prefers-color-scheme:dark\)/);
  t.deepEqual(svg.match(/https?:[^"]*/g), ["http://www.w3.org/2000/svg"]);
  t.false(/href|url\(|@import/.test(svg));
});

test("the picture of an empty graph says so", async (t) => {
  const [program] = documentOfText("graph g {\n}\n").programs;
  const [view] = program?.views ?? [];
  if (program === undefined || view === undefined) throw new Error("no view");
  const placed = await layOut(visibleOf(view, firstOpen(view)), "down", engine);
  const svg = svgText(placed, view, program, { title: "g", colour: "structure", themes: "light" });
  t.regex(
    svg,
    /^<svg [^>]*width="400" height="80"[\s\S]*<text [^>]*>There is nothing to show: this graph has no ops\.</,
  );
});

test("the language of Graphviz: open groups are clusters", (t) => {
  const view = viewOf(document, "predict", "source");
  const text = dotText(visibleOf(view, all(view)), "predict", "right");
  t.regex(text, /^digraph "predict" \{\n {2}rankdir=LR;/);
  const index = view.groups.findIndex(({ name }) => name === "y");
  t.regex(text, new RegExp(`subgraph cluster_g${index} \\{\\n\\s+label="y dense\\(\\)";`));
  t.is((text.match(/\{/g) ?? []).length, (text.match(/\}/g) ?? []).length);
});

test("the side that a box lies on is seen without colours, and what is sent has a shape of its own", async (t) => {
  const sided = onDevice(twoSides, "cpu");
  const program = programOf(sided, "fit");
  const view = viewOf(sided, "fit", "kernels");
  const visible = visibleOf(view, firstOpen(view));
  const svg = svgText(await layOut(visible, "down", engine), view, program, {
    title: "fit",
    colour: "structure",
    themes: "both",
  });
  const areas = [...svg.matchAll(/<rect class="area side-(c\d)"/g)].map(([, tint]) => tint);
  t.deepEqual(areas, ["c1", "c2", "c1", "c2"]);
  for (const title of [
    'processor</tspan> <tspan class="text">part 1 of 4',
    'gpu</tspan> <tspan class="text">part 4 of 4',
  ])
    t.true(svg.includes(title), title);
  t.regex(svg, /<path class="transfer"[^>]*Z"\/><text[^>]*>.*?>x<\/tspan> <tspan class="text">up, 24 bytes/);
  const dot = dotText(visible, "fit", "down");
  t.regex(dot, /subgraph cluster_g1 \{\n {4}label="gpu part 2 of 4";\n {4}style="rounded,filled"/);
  t.regex(dot, /label="4 numbers up, 16 bytes in launches", shape=hexagon, peripheries=2/);
  // One kernel counts the steps of all four variables, and these boxes are one.
  t.true(
    dot.includes('label="learn/adam\\nh/dense/w/t\\nh/dense/b/t\\ny/dense/w/t\\ny/dense/b/t :=", shape=cylinder'),
    dot,
  );
  t.regex(svg, /learn\/adam<\/tspan> <tspan class="text">4 new values/);
  // Whatever else is closed, the sides stay open.
  t.deepEqual([...alwaysOpen(view)], [0, 1, 2, 3]);
});

test("colours: a scope has one in both passes, the backward pass its own, the largest the end of the scale", (t) => {
  const program = programOf(document, "fit");
  const view = viewOf(document, "fit", "gradients");
  const { boxes } = visibleOf(view, new Set());
  const of = (name: string, role: string) => boxes.find(({ group, role: its }) => group?.name === name && its === role);
  const [forward, backward] = [of("y", "forward"), of("y", "backward")];
  if (forward === undefined || backward === undefined) throw new Error("no such boxes");
  t.deepEqual(paintOf(forward, "scope", view, program), paintOf(backward, "scope", view, program));
  t.is(paintOf(forward, "structure", view, program).label, "forward");
  t.is(paintOf(backward, "structure", view, program).label, "backward");
  const all = visibleOf(view, new Set(view.groups.keys())).boxes;
  const largest = Math.max(...view.types.map(({ bytes }) => bytes ?? 0));
  for (const box of all) {
    const bytes = view.types[box.node?.outputs[0] ?? -1]?.bytes;
    if (bytes === largest) t.is(paintOf(box, "memory", view, program).name, "h6");
    else if (bytes !== undefined && bytes * 2 ** 7 < largest) t.is(paintOf(box, "memory", view, program).name, "h1");
  }
  for (const box of all) t.is(paintOf(box, "time", view, program).name, "c0");
});
