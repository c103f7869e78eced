import test from "ava";
import fc from "fast-check";
import { drawElements } from "../../viewer/draw.js";
import { localEngine } from "../../viewer/elk.js";
import { layOut } from "../../viewer/layout.js";
import type { ViewerDocument } from "../../viewer/model.js";
import type { Direction, Placed, PlacedBox } from "../../viewer/placed.js";
import { placeTitles } from "../../viewer/titles.js";
import { type Visible, type VisibleEdge, visibleOf } from "../../viewer/visible.js";
import { faultsOf } from "./geometry.js";
import { documentOfText, network } from "./support.js";

const engine = localEngine();

/** A loop in a call in a scope, an update, and values that many use. */
const nested = `import { dense } from "std/layers"
import { adam } from "std/optimizers"
import { lstm } from "std/recurrent"
graph nested {
  placeholder x: f32[8, 5, 12]
  placeholder wanted: f32[8, 3]
  scope encoder {
    states = lstm(x, 16)
    last = relu(dense(mean(states, axis=1), 16))
  }
  y = dense(encoder.last, 3) + mean(encoder.last)
  scope metrics {
    loss = mean((softmax(y) - wanted) ** 2)
  }
  update learn = minimize(metrics.loss, adam(learning_rate=0.1))
  signature fit(x, wanted) does learn -> (metrics.loss)
}
`;

async function drawn(visible: Visible, direction: Direction): Promise<string> {
  const placed = await layOut(visible, direction, engine);
  return drawElements(placed, { paint: () => ({ name: "c1", label: "" }), describe: () => "", isInteractive: true });
}

const documents: readonly ViewerDocument[] = [documentOfText(network), documentOfText(nested)];

test("whatever is open, edges go from border to border, and clear of titles, labels and other boxes", async (t) => {
  const pictures = documents.flatMap(({ programs }) => programs.flatMap(({ views }) => views));
  const property = fc.asyncProperty(
    fc.constantFrom(...pictures),
    fc.constantFrom<Direction>("down", "right"),
    fc.infiniteStream(fc.boolean()),
    async (view, direction, isOpen) => {
      const open = new Set([...view.groups.keys()].filter(() => isOpen.next().value));
      const visible = visibleOf(view, open);
      const faults = faultsOf(await drawn(visible, direction), visible);
      if (faults.length > 0) throw new Error(faults.join("; "));
    },
  );
  await t.notThrowsAsync(async () => fc.assert(property, { numRuns: 8, seed: 7 }));
});

test("the picture of the README has no faults, and faults are seen", async (t) => {
  const [document] = documents;
  const view = document?.programs.find(({ name }) => name === "predict")?.views[0];
  if (view === undefined) throw new Error("there is no view");
  const visible = visibleOf(view, new Set(view.groups.keys()));
  const markup = await drawn(visible, "down");
  t.deepEqual(faultsOf(markup, visible), []);
  const broken = (pattern: RegExp, text: string): string => faultsOf(markup.replace(pattern, text), visible).join("; ");
  t.regex(broken(/(data-edge="e1">.*? d="M\d+) \d+/, "$1 1"), /e1 starts [\d.]+ off/);
  t.regex(broken(/(data-edge="e1">.*class="head" d="M[\d.]+) \d+/, "$1 1"), /e1 ends [\d.]+ off/);
  // The first group, over all of its neighbours and far beyond what is around it.
  const first = visible.boxes.find(({ isOpen, parent }) => isOpen && parent === undefined)?.id;
  const moved = new RegExp(
    `(data-box="${first}".*<rect class="area" x=")[\\d.]+(" y=")[\\d.]+(" width=")[\\d.]+(" height=")[\\d.]+`,
  );
  t.regex(broken(moved, "$10$20$39999$49999"), new RegExp(`${first} and \\w+ overlap|\\w+ and ${first} overlap`));
  t.regex(broken(moved, "$10$20$31$41"), new RegExp(`\\w+ sticks out of ${first}`));
});

test("an open group with a long name is as wide as its title and no taller than what it holds", async (t) => {
  const document = documentOfText(`graph g {
  placeholder x: f32[4]
  scope a_name_that_is_much_wider_than_its_contents {
    y = x + 1
  }
  signature s(x) -> (a_name_that_is_much_wider_than_its_contents.y)
}
`);
  const view = document.programs[0]?.views[0];
  if (view === undefined) throw new Error("there is no view");
  for (const direction of ["down", "right"] as const) {
    const { boxes } = await layOut(visibleOf(view, new Set(view.groups.keys())), direction, engine);
    const group = boxes.find(({ box }) => box.isOpen);
    const inner = boxes.find(({ box }) => box.parent === group?.box.id);
    if (group?.title === undefined || inner === undefined) throw new Error("the scope is not open");
    t.true(group.width >= group.title.width, direction);
    t.true(group.height <= inner.height + 60, `${direction}: ${group.height}`);
  }
});

/** An open group of 200 by 100 at 100, 100, with a title of 150, and a thin line down into it at each x. */
function crossed(...lines: readonly number[]): Placed {
  const box: PlacedBox["box"] = {
    id: "g0",
    parent: undefined,
    node: undefined,
    name: "g",
    group: undefined,
    isOpen: true,
    count: 1,
    variables: 0,
    on: undefined,
    role: "forward",
  };
  const title = { x: 106, y: 105, width: 150, height: 20 };
  const edge: VisibleEdge = { id: "e0", from: "", to: "", label: "", bytes: undefined, count: 1, ends: [0, 0] };
  const edges = lines.map((x) => ({
    edge,
    points: [
      { x, y: 20 },
      { x, y: 150 },
    ],
    label: undefined,
  }));
  return { width: 400, height: 300, boxes: [{ box, x: 100, y: 100, width: 200, height: 100, title }], edges };
}

function titleIn(placed: Placed) {
  const { placed: made, lacking } = placeTitles(placed);
  const [group] = made.boxes;
  return { x: group?.x, width: group?.width, title: group?.title, lacking: lacking.get("g0") };
}

test("a title stands in the first gap that is wide enough; else its group is made wider, or it is cut short", (t) => {
  const title = { x: 106, y: 105, width: 150, height: 20 };
  t.deepEqual(titleIn(crossed()), { x: 100, width: 200, title, lacking: undefined });
  t.deepEqual(titleIn(crossed(120)), { x: 100, width: 200, title: { ...title, x: 124.5 }, lacking: undefined });
  // The gap at the left ends 4 before the line, which is 1 wide: 89.5 of 150.
  t.deepEqual(titleIn(crossed(200)), { x: 39.5, width: 260.5, title: { ...title, x: 45.5 }, lacking: undefined });
  // A line at each side: nothing can be made wider.
  const cut = titleIn(crossed(95, 200, 305));
  t.deepEqual(cut, { x: 100, width: 200, title: { ...title, width: 89.5 }, lacking: 61 });
});
