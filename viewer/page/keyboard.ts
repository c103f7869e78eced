import type { App } from "./app.js";
import { element, inBackground, part } from "./dom.js";
import { toggleMaps } from "./minimap.js";

const keys: readonly (readonly [string, string])[] = [
  ["/", "search"],
  ["arrows", "go along the data, or to the box beside"],
  ["Enter", "open or close a group"],
  ["Backspace", "go to the group around"],
  ["n, p", "next and previous use of what is selected"],
  ["[, ]", "choose an edge of the box"],
  ["o", "go to the other end of the edge"],
  ["a, d", "what it depends on; what depends on it"],
  ["1, 2, 3", "the source, gradients and kernels"],
  ["c", "the three views side by side"],
  ["f", "fit the picture"],
  ["+, −", "zoom"],
  ["Shift with arrows", "pan"],
  ["m", "hide or show the map"],
  ["t", "turn the direction of the data"],
  ["Escape", "select nothing"],
  ["?", "these keys"],
];

export function keysTable(): HTMLElement {
  return element(
    "table",
    {},
    ...keys.map(([key, what]) =>
      element("tr", {}, element("td", {}, element("kbd", {}, key)), element("td", {}, what)),
    ),
  );
}

const arrows: Readonly<Record<string, "up" | "down" | "left" | "right">> = {
  ArrowUp: "up",
  ArrowDown: "down",
  ArrowLeft: "left",
  ArrowRight: "right",
};

/** The keys of the page; fields and buttons keep theirs. */
export function keyboard(app: App, search: HTMLInputElement): void {
  const actions: Readonly<Record<string, () => void>> = {
    "/": () => {
      search.focus();
      search.select();
    },
    n: () => inBackground(app.use(1)),
    p: () => inBackground(app.use(-1)),
    "[": () => app.chooseEdge(-1),
    "]": () => app.chooseEdge(1),
    o: () => inBackground(app.followEdge()),
    a: () => app.highlight("ancestors"),
    d: () => app.highlight("descendants"),
    "1": () => inBackground(app.chooseView(0)),
    "2": () => inBackground(app.chooseView(1)),
    "3": () => inBackground(app.chooseView(2)),
    c: () => inBackground(app.compare()),
    f: () => app.pane?.fit(),
    "+": () => app.pane?.zoomBy(1.3),
    "=": () => app.pane?.zoomBy(1.3),
    "-": () => app.pane?.zoomBy(1 / 1.3),
    t: () => inBackground(app.turn()),
    m: () => app.say(toggleMaps()),
    "?": () => part("keys", HTMLDialogElement).showModal(),
    Escape: () => app.select(undefined),
    Backspace: () => inBackground(app.leave()),
  };
  document.addEventListener("keydown", (event) => {
    const target = event.target instanceof Element ? event.target : undefined;
    if (event.ctrlKey || event.metaKey || event.altKey || part("keys", HTMLDialogElement).open) return;
    if (target?.closest("input, select, textarea") !== null && target !== undefined) return;
    const isInPicture = target?.closest(".pane") !== null || target === document.body;
    const arrow = arrows[event.key];
    if (arrow !== undefined && isInPicture) {
      event.preventDefault();
      if (event.shiftKey) pan(app, arrow);
      else app.step(arrow);
    } else if ((event.key === "Enter" || event.key === " ") && isInPicture) {
      event.preventDefault();
      inBackground(app.toggle());
    } else {
      const action = actions[event.key];
      if (action === undefined) return;
      event.preventDefault();
      action();
    }
  });
}

function pan(app: App, way: "up" | "down" | "left" | "right"): void {
  const step = 80;
  const x = way === "left" ? step : way === "right" ? -step : 0;
  const y = way === "up" ? step : way === "down" ? -step : 0;
  app.pane?.panBy(x, y);
}
