import { colourModes } from "../colours.js";
import type { ViewerDocument } from "../model.js";
import { diagramStyle } from "../style.js";
import { App } from "./app.js";
import { divider } from "./divider.js";
import { element, embedded, inBackground, part } from "./dom.js";
import { workerEngine } from "./engine.js";
import { keyboard, keysTable } from "./keyboard.js";
import { toggleMaps } from "./minimap.js";
import { emptyPanel } from "./panel.js";
import { find, searchBox } from "./search.js";

/** In a narrow window, what is asked for seldom: a press opens it, any other press, Escape or a choice closes it. */
function menu(opener: HTMLElement, items: HTMLElement): void {
  const setOpen = (isOpen: boolean): void => opener.setAttribute("aria-expanded", String(isOpen));
  opener.addEventListener("click", () => {
    setOpen(opener.getAttribute("aria-expanded") !== "true");
    items.querySelector("button")?.focus();
  });
  addEventListener("click", ({ target }) => {
    if (target !== opener) setOpen(false);
  });
  items.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    setOpen(false);
    opener.focus();
  });
}

async function start(): Promise<void> {
  performance.mark("script");
  document.head.append(element("style", {}, diagramStyle("both")));
  // The engine takes longer to start than the document to be read, and starts in a thread of its own.
  const engine = workerEngine();
  const model = JSON.parse(await embedded("document")) as ViewerDocument;
  document.title = `${model.graph} · graphc`;
  part("graph", HTMLElement).textContent = model.graph;
  const app = new App(model, engine);

  const programs = part("programs", HTMLSelectElement);
  programs.append(
    ...model.programs.map(({ name }, i) => element("option", { attributes: { value: String(i) } }, name)),
  );
  programs.addEventListener("change", () => inBackground(app.chooseProgram(Number(programs.value))));
  part("program", HTMLElement).hidden = model.programs.length < 2;

  for (const tab of document.querySelectorAll<HTMLElement>("[data-view]"))
    tab.addEventListener("click", () => inBackground(app.chooseView(Number(tab.dataset["view"]))));
  part("views", HTMLElement).addEventListener("keydown", (event) => {
    const tabs = [...document.querySelectorAll<HTMLElement>("[data-view]")];
    const at = tabs.indexOf(event.target as HTMLElement);
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (at < 0 || step === 0) return;
    event.stopPropagation();
    const next = tabs[(at + step + tabs.length) % tabs.length];
    next?.focus();
    next?.click();
  });

  const colours = part("colours", HTMLSelectElement);
  colours.append(...colourModes.map((mode) => element("option", { attributes: { value: mode } }, mode)));
  colours.addEventListener("change", () => {
    const mode = colourModes.find((one) => one === colours.value);
    if (mode !== undefined) app.colourBy(mode);
  });

  const actions: Readonly<Record<string, () => void>> = {
    compare: () => inBackground(app.compare()),
    turn: () => inBackground(app.turn()),
    fit: () => app.pane?.fit(),
    closer: () => app.pane?.zoomBy(1.3),
    farther: () => app.pane?.zoomBy(1 / 1.3),
    map: () => app.say(toggleMaps()),
    print: () => print(),
    help: () => part("keys", HTMLDialogElement).showModal(),
    save: () => {
      const picture = app.picture();
      if (picture === undefined) return;
      const address = URL.createObjectURL(new Blob([picture.text], { type: "image/svg+xml" }));
      element("a", { attributes: { href: address, download: picture.name } }).click();
      setTimeout(() => URL.revokeObjectURL(address), 10_000);
    },
  };
  for (const [id, action] of Object.entries(actions)) part(id, HTMLElement).addEventListener("click", action);
  menu(part("more", HTMLElement), part("rest", HTMLElement));
  part("key-table", HTMLElement).append(keysTable());

  const search = part("search", HTMLInputElement);
  searchBox(search, part("results", HTMLElement), {
    find: (query) => (app.pane === undefined ? [] : find(app.pane.index, model, query)),
    index: () =>
      app.pane?.index ?? {
        view: { kind: "source", missing: undefined, nodes: [], groups: [], types: [] },
        users: [],
        stemming: new Map(),
        requested: new Map(),
        children: new Map(),
        names: new Map(),
      },
    choose: (id) => {
      inBackground(app.goTo(id).then(() => app.pane?.svg.focus({ preventScroll: true })));
    },
    leave: () => app.pane?.svg.focus({ preventScroll: true }),
  });
  keyboard(app, search);
  divider(part("divider", HTMLElement), part("main", HTMLElement));

  addEventListener("beforeprint", () => app.pane?.toPaper());
  addEventListener("afterprint", () => app.pane?.fromPaper());

  if (model.programs.length === 0) {
    // Nothing that they could act on.
    const controls = document.querySelectorAll<HTMLButtonElement>("#views button, #compare, .tools button:not(#help)");
    for (const control of controls) control.disabled = true;
    search.disabled = true;
    colours.disabled = true;
    part("panel", HTMLElement).replaceChildren(...emptyPanel(model));
  }
  await app.chooseProgram(0);
  performance.mark("ready");
  document.documentElement.dataset["ready"] = "true";
}

inBackground(start());
