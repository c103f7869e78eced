import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { captionOf, characterWidth } from "../../viewer/boxes.js";
import { describeBox } from "../../viewer/describe.js";
import { dotText } from "../../viewer/dot.js";
import { localEngine } from "../../viewer/elk.js";
import { layOut } from "../../viewer/layout.js";
import type { ViewModel } from "../../viewer/model.js";
import { svgText } from "../../viewer/svg.js";
import { visibleOf } from "../../viewer/visible.js";
import { documentOfText, network, onDevice, programOf, twoSides, viewOf } from "./support.js";

/** What boxes say of ops, beside the ops. */
function wordsIn(view: ViewModel): readonly string[] {
  return view.nodes.filter(({ kind }) => kind === "op").map(({ text, op }) => `${text}: ${op}`);
}

test("an op says what the text says: the function that was called, or the operator", (t) => {
  const text = `graph g {
  placeholder x: f32[2, 8, 8, 3]
  placeholder w: f32[3, 3]
  pooled = max_pool(x, window=2)
  mixed = pooled @ w
  shifted = mixed + pooled
  flat = matmul(w, w)
  mean_pooled = average_pool(x, window=2)
  signature s(x, w) -> (shifted, flat, mean_pooled)
}
`;
  const document = documentOfText(text);
  const words = wordsIn(viewOf(document, "s", "source"));
  for (const word of ["max_pool: reduce_window", "@: dot_general", "+: add", "matmul: dot_general"])
    t.true(words.includes(word), `${word} in ${words.join(", ")}`);
  // Of a function that is several ops, none is the function.
  t.deepEqual(
    words.filter((word) => word.startsWith("average_pool")),
    [],
  );
  const kernels = wordsIn(viewOf(document, "s", "kernels"));
  t.true(kernels.includes("@: dot_general"), kernels.join(", "));
  const pooling = viewOf(document, "s", "source").nodes.find(({ op }) => op === "reduce_window");
  t.is(pooling?.work, "reduce");
});

test("what differentiation makes is called by its op: no text says it", (t) => {
  const backward = viewOf(documentOfText(network), "fit", "gradients").nodes.filter(({ role }) => role === "backward");
  const products = backward.filter(({ op }) => op === "dot_general");
  t.deepEqual([...new Set(products.map(({ text }) => text))], ["dot_general"]);
});

test("a call has its function's documentation and signature, the arguments as written, and their types", (t) => {
  const text = `## Halves.
fn half[T: float, N](x: T[N], by: T = 2.0, times: int = 1) -> (y: T[N]) {
  y = x / by
}
graph g {
  placeholder a: f32[6]
  b = half(a +
    1.0, times=3)
  signature s(a) -> (b)
}
`;
  const document = documentOfText(text);
  const view = viewOf(document, "s", "source");
  const group = view.groups.find(({ name }) => name === "b");
  t.deepEqual(group?.call, {
    of: 0,
    given: [
      { name: "x", value: "f32[6]", written: "a + 1.0", isDefault: false },
      { name: "by", value: "f32", written: "2.0", isDefault: true },
      { name: "times", value: "3", written: "3", isDefault: false },
    ],
    gives: [["y", "f32[6]"]],
  });
  const [half] = document.functions;
  t.is(half?.doc, "Halves.");
  t.is(half?.signature, "fn half[T: float, N](x: T[N], by: T = 2.0, times: int = 1) -> (y: T[N])");
  t.is(document.lines[half?.places[0]?.[0] ?? -1]?.line, 2);
  t.is(document.lines[group?.places[0]?.[0] ?? -1]?.line, 7);
});

test("the step of an optimizer is a call, too, each of its own variable", (t) => {
  const document = documentOfText(network);
  const steps = viewOf(document, "fit", "source").groups.flatMap(({ call }) =>
    document.functions[call?.of ?? -1]?.name === "sgd"
      ? [call?.given.map(({ name, value }) => `${name} ${value}`)]
      : [],
  );
  t.is(steps.length, 4);
  t.true(steps.some((given) => given?.includes("p hidden/dense/w: f32[96, 128]") && given.includes("g f32[96, 128]")));
});

test("a call in `next h =` is bound to h, and one that is bound to nothing has the name of its function alone", (t) => {
  const text = `import { dense } from "std/layers"
graph g {
  placeholder xs: f32[5, 3]
  last, states = scan x in xs with h = zeros([3]) {
    next h = tanh(dense(x, units=3) + h)
    yield dense(h, units=2, name="seen")
  }
  signature s(xs) -> (states)
}
`;
  const view = viewOf(documentOfText(text), "s", "source");
  const closed = visibleOf(view, new Set(view.groups.flatMap(({ text: what }, at) => (what === "scan" ? [at] : []))));
  const captions = closed.boxes.filter(({ group }) => group?.kind === "call").map(captionOf);
  // The variables lie outside of the loop.
  t.deepEqual(captions.map(({ name, text: what }) => `${name}|${what}`).sort(), [
    "dense()|2 ops",
    "dense()|2 variables",
    "h|dense() · 2 ops",
    "h|dense() · 2 variables",
  ]);
});

test("operations are counted by definition: of a product two for each pair, of a loop as often as it turns", (t) => {
  const view = viewOf(documentOfText(network), "predict", "source");
  const of = (op: string): readonly (number | undefined)[] =>
    view.nodes.filter((node) => node.op === op).map(({ operations }) => operations);
  t.deepEqual(of("dot_general"), [2 * 64 * 96 * 128, 2 * 64 * 128 * 32]);
  t.deepEqual(of("broadcast_in_dim"), [0, 0]);
  const conv = `import { conv2d } from "std/convolution"
graph g {
  dim N
  placeholder x: f32[N, 8, 8, 3]
  y = conv2d(x, units=4, window=3)
  z = max_pool(y, window=2)
  total, sums = scan row in z with sum = zeros([4, 4, 4]) {
    next sum = sum + row
    yield mean(sum)
  }
  signature s(x) -> (total)
}
`;
  const sized = viewOf(documentOfText(conv, { sizes: new Map([["N", 5]]) }), "s", "source");
  const counted = (wanted: string): number | undefined => sized.nodes.find(({ op }) => op === wanted)?.operations;
  t.is(counted("convolution"), 2 * 5 * 8 * 8 * 4 * 3 * 3 * 3);
  t.is(counted("reduce_window"), 5 * 4 * 4 * 4 * 2 * 2);
  const inLoop = sized.nodes.find(({ op, group }) => op === "add" && sized.groups[group]?.text === "scan");
  t.is(inLoop?.operations, 5 * 4 * 4 * 4);
  const open = viewOf(documentOfText(conv, { open: ["N"] }), "s", "source");
  t.is(open.nodes.find(({ op }) => op === "convolution")?.operations, undefined);
});

test("the state that random numbers share stands at the lines that draw, whichever was read first", (t) => {
  const text = `import { dense } from "std/layers"
graph g {
  placeholder x: f32[4, 3]
  variable count: f32 = 0.0
  h = dense(x, units=2)
  y = dropout(h, rate=0.5)
  z = dropout(h, rate=0.25)
  signature s(x) -> (y, z)
  update learn { count := count + 1.0 }
  signature t(x) does learn -> (y, z)
}
`;
  const document = documentOfText(text);
  const { views } = programOf(document, "t");
  for (const view of views) {
    const [state] = view.nodes.filter(({ op }) => op === "run_state");
    if (view.kind !== "kernels") t.is(state?.text, "random state");
    const at = state?.places.map(([line]) => document.lines[line]).map((line) => `${line?.file}:${line?.line}`);
    if (state !== undefined) t.deepEqual(at, ["test.graph:6", "test.graph:7"], view.kind);
  }
});

test("what the text places says on which side it runs, a group once for all that is in it", (t) => {
  const document = onDevice(twoSides, "cpu", "webasm");
  for (const kind of ["source", "gradients"] as const) {
    const view = viewOf(document, "fit", kind);
    const { boxes } = visibleOf(view, new Set(view.groups.keys()));
    const placed = boxes.filter(({ on }) => on !== undefined).map((box) => `${box.name} ${captionOf(box).text}`);
    for (const text of ["h dense() · on webasm", "h tanh · on webasm"]) t.true(placed.includes(text), `${placed}`);
    t.false(boxes.some((box) => box.on !== undefined && view.groups[box.node?.group ?? -1]?.isPlaced === true));
    const side = (op: string, group: string): readonly (string | undefined)[] =>
      view.nodes.filter((node) => node.op === op && view.groups[node.group]?.name === group).map((node) => node.side);
    t.true(side("dot_general", "h").every((one) => one === "webasm"));
    t.true(side("dot_general", "y").every((one) => one === "processor"));
  }
  const kernels = viewOf(document, "fit", "kernels");
  t.deepEqual([...new Set(kernels.groups.filter(({ kind }) => kind === "side").map(({ name }) => name))].sort(), [
    "processor",
    "webasm",
  ]);
  t.true(kernels.groups.some(({ kernel }) => kernel?.device === "webasm"));
  t.true(
    kernels.nodes.some(({ attributes }) => attributes.some(([, what]) => what === "from the processor to webasm")),
  );
  t.false(kernels.nodes.some(({ isPlaced }) => isPlaced === true));
});

test("a document for Graphviz has whole names, in lines where they are long", (t) => {
  const name = `${"layer_of_a_long_name_".repeat(4)}end`;
  const text = `graph g {\n  placeholder ${name}: f32[2]\n  y = ${name} + 1\n  signature s(${name}) -> (y)\n}\n`;
  const dot = dotText(visibleOf(viewOf(documentOfText(text), "s", "source"), new Set()), "g", "down");
  t.true(dot.includes(`tooltip="${name}"`), dot);
  const label = /label="(layer[^"]*)"/.exec(dot)?.[1] ?? "";
  t.is(label.replaceAll("\\n", ""), name);
  t.true(label.split("\\n").every((line) => line.length <= 40));
  t.false(dot.includes("…"));
  const [placeholder, ...others] = viewOf(documentOfText(text), "s", "source").nodes;
  if (placeholder === undefined) throw new Error("no node");
  const hostile = { ...placeholder, name: 'a"b\\n &lt;c' };
  const view: ViewModel = { ...viewOf(documentOfText(text), "s", "source"), nodes: [hostile, ...others] };
  t.true(dotText(visibleOf(view, new Set()), "g", "down").includes('label="a\\"b\\\\n &amp;lt;c"'));
});

test("a picture has whole names, in lines where they are long, and tells them where it is pointed at", async (t) => {
  const name = `${"layer_of_a_long_name_".repeat(4)}end`;
  const text = `graph g {
  placeholder ${name}: f32[2]
  scope inside_${name} {
    y_${name} = ${name} + 1
  }
  signature s(${name}) -> (inside_${name}.y_${name})
}
`;
  const document = documentOfText(text);
  const view = viewOf(document, "s", "source");
  for (const open of [new Set<number>(), new Set(view.groups.keys())]) {
    const placed = await layOut(visibleOf(view, open), "down", localEngine());
    const svg = svgText(placed, view, programOf(document, "s"), { title: "g", colour: "structure", themes: "light" });
    t.false(svg.includes("…"));
    const written = [...svg.matchAll(/class="name">([^<]*)/g)].map(([, part]) => part).join("");
    for (const one of [name, `inside_${name}`, `inside_${name}.y_${name}`]) t.true(written.includes(one), one);
    t.true(svg.includes(`<title>placeholder ${name}: f32[2]</title>`));
    t.true(svg.includes(`<title>inside_${name}, scope, 1 op</title>`));
    // Each line is within its box, and the lines of one box are one below another.
    for (const { box, x, y, width, height } of placed.boxes.filter((one) => !one.box.isOpen)) {
      const element = svg.slice(svg.indexOf(`>${describeBox(box, view)}</title>`)).split("</g>")[0] ?? "";
      const lines = [...element.matchAll(/<text x="([\d.]+)" y="([\d.]+)"[^>]*>(.*?)<\/text>/g)];
      t.true(lines.length > 1);
      let above = y;
      for (const [, left = "", base = "", content = ""] of lines) {
        const characters = content.replace(/<[^>]*>/g, "").length;
        t.true(Number(left) >= x && Number(left) + characters * characterWidth <= x + width + 1);
        t.true(Number(base) - 12 >= above - 1 && Number(base) + 4 <= y + height);
        above = Number(base);
      }
    }
  }
});

/** The examples with loops of their own, or of the library's recurrent layers. */
const looping = readdirSync("examples").flatMap((name) => {
  const file = join("examples", name, `${name}.graph`);
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  return /\b(scan|while)\b|std\/recurrent/.test(text) ? [{ name, text }] : [];
});

test("no parameter of a loop is nameless in any view, and kernels call it as the source does", (t) => {
  t.true(looping.length >= 6);
  for (const { name, text } of looping) {
    const sizes = new Map([...text.matchAll(/^ {2}dim (\w+)/gm)].map(([, dim = ""]) => [dim, 8]));
    for (const { name: program, views } of documentOfText(text, { sizes }).programs) {
      const where = `${name} ${program}`;
      const parameters = views.map(({ nodes }) => nodes.filter(({ kind }) => kind === "parameter"));
      const nameless = parameters.flat().filter((node) => node.name === "" && node.text !== "iteration");
      t.deepEqual(nameless, [], where);
      const [source = [], , kernels = []] = parameters.map((nodes) => nodes.map((node) => node.name));
      for (const one of kernels) t.true(source.includes(one.replace(/^gradient of /, "")), `${where}: ${one}`);
    }
  }
});

test("what a backward loop is given is called by what the forward loop kept, and its carries are gradients", (t) => {
  const text = `graph g {
  placeholder xs: f32[5, 3]
  variable w: f32[3, 3] = ones([3, 3])
  last, all = scan x in xs with h = zeros([3]) {
    next h = tanh(x + h @ w)
    yield h * h
  }
  loss = mean(last ** 2) + mean(all)
  update learn { w := w - gradients(loss, [w]) }
  signature fit(xs) does learn -> (loss)
}
`;
  const view = viewOf(documentOfText(text), "fit", "gradients");
  const given = view.nodes.filter(({ kind }) => kind === "parameter").map((node) => `${node.name} ${node.text}`);
  for (const one of [
    "x element",
    "h carry",
    "w from outside",
    "tanh element",
    "gradient of h carry",
    "gradient of all element",
  ])
    t.true(given.includes(one), `${one} in ${given.join(", ")}`);
});

test("what two places of the text compute is one box, which names the other place", (t) => {
  const text = `graph g {
  placeholder logits: f32[8, 3]
  placeholder label: u8[8]
  probs = softmax(logits)
  loss = mean(sparse_softmax_cross_entropy(logits, label))
  a = logits * 2.0
  b = logits * 2.0 + 1.0
  signature s(logits, label) -> (probs, loss, a, b)
}
`;
  const document = documentOfText(text);
  const told = (kind: "source" | "kernels", op: string, group: string): readonly string[] => {
    const view = viewOf(document, "s", kind);
    return view.nodes
      .filter((node) => node.op === op && (view.groups[node.group]?.name ?? "") === group)
      .flatMap(({ twins = [] }) => twins.map(({ place, by }) => `${document.lines[place[0]]?.line}: ${by}`));
  };
  t.deepEqual(told("source", "exp", "probs"), ["5: loss sparse_softmax_cross_entropy()"]);
  t.deepEqual(told("source", "mul", ""), ["7: "]);
  // What one place alone computes has no other.
  t.deepEqual(told("source", "div", "probs"), []);
  t.deepEqual(told("source", "add", ""), []);
  t.deepEqual(told("kernels", "exp", "probs"), []);
  t.false(
    viewOf(documentOfText(network), "fit", "source").nodes.some(
      ({ op, twins }) => op === "dot_general" && twins !== undefined,
    ),
  );
});
