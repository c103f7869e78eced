import type { ColourMode } from "../colours.js";
import type { LayoutEngine } from "../layout.js";
import type { ViewerDocument } from "../model.js";
import type { Direction, PlacedEdge, Point } from "../placed.js";
import { nothingText, svgText } from "../svg.js";
import { groupId, nodeId } from "../visible.js";
import { boxesOf, type Chosen, mainBoxOf } from "./carry.js";
import { button, element, inBackground, part, plural } from "./dom.js";
import { unfold, unfoldedIn } from "./kernel_panel.js";
import { legendOf } from "./legend.js";
import { groupsAround, indexOf, nodesOf, reach, titleOf, type ViewIndex } from "./links.js";
import { Pane } from "./pane.js";
import { panelOf } from "./panel.js";
import { nextBox, type Way } from "./steps.js";

type Reach = "ancestors" | "descendants";

/** The page: which program and view are shown, what is selected, and what follows from it in all views. */
export class App {
  readonly document: ViewerDocument;
  readonly #engine: LayoutEngine;
  readonly #indexes = new Map<string, ViewIndex>();
  #panes: readonly Pane[] = [];
  #current = 0;
  #isComparing = false;
  direction: Direction = "down";
  #colour: ColourMode = "structure";
  #selected: string | undefined;
  /** What the selection was carried from, and goes back to: what is selected, until the view changes. */
  #chosen: Chosen | undefined;
  #edge: string | undefined;
  #way: Reach | undefined;
  /** Where the walk through the uses of a box stands. */
  #use: { readonly of: string; readonly at: number } | undefined;

  constructor(document: ViewerDocument, engine: LayoutEngine) {
    this.document = document;
    this.#engine = engine;
  }

  get pane(): Pane | undefined {
    return this.#panes[this.#current];
  }

  get selected(): string | undefined {
    return this.#selected;
  }

  #indexOf(program: number, view: number): ViewIndex | undefined {
    const key = `${program} ${view}`;
    const known = this.#indexes.get(key);
    const shown = this.document.programs[program];
    const model = shown?.views[view];
    if (known !== undefined || shown === undefined || model === undefined) return known;
    const made = indexOf(model, shown.names);
    this.#indexes.set(key, made);
    return made;
  }

  async chooseProgram(program: number): Promise<void> {
    this.#selected = undefined;
    this.#chosen = undefined;
    const model = this.document.programs[program];
    this.#panes = (model?.views ?? []).flatMap((_, view) => {
      const index = this.#indexOf(program, view);
      if (index === undefined || model === undefined) return [];
      const pane = new Pane(model, index, this.direction, this.#engine, {
        select: (one, id) => this.#selectIn(one, id),
        toggle: (id) => inBackground(this.toggle(id)),
        hover: (one, id) => this.#hover(one, id),
        edge: (one, edge, x, y) => this.#followFrom(one, edge, x, y),
        say: (text) => this.say(text),
      });
      pane.colour = this.#colour;
      return [pane];
    });
    const blank = model === undefined ? [element("p", { class: "missing" }, nothingText)] : [];
    part("panes", HTMLElement).replaceChildren(...this.#panes.map(({ root }) => root), ...blank);
    await this.chooseView(Math.min(this.#current, Math.max(0, this.#panes.length - 1)));
  }

  /** Shows a view; what was selected is selected there, too. */
  async chooseView(view: number): Promise<void> {
    const before = this.pane;
    this.#current = view;
    this.#arrange();
    const { pane } = this;
    if (pane === undefined) return;
    if (before !== undefined && before !== pane) this.#selected = this.#chosen && mainBoxOf(this.#chosen, pane);
    this.#way = undefined;
    // The panel changes at once; the legend is that of the picture, which may take a while.
    this.#refresh();
    await this.#showPanes();
    // Another view was asked for while this one was laid out.
    if (pane !== this.pane) return;
    this.#refresh();
    const parts = this.#counterparts(pane);
    if (this.#selected !== undefined) pane.goToAll(this.#selected, parts);
    const { view: shown } = pane.index;
    if (before === undefined || before === pane) return;
    const more =
      parts.size === 0
        ? ""
        : `; ${plural(parts.size, "box", "boxes")} more ${parts.size === 1 ? "belongs" : "belong"} to it`;
    this.say(this.#selected === undefined ? shown.kind : `${shown.kind}: ${titleOf(shown, this.#selected)}${more}`);
  }

  /** The boxes of a view that show what was chosen in another view, but for the one that is selected. */
  #counterparts(pane: Pane): ReadonlySet<string> {
    const { pane: current } = this;
    const chosen = this.#chosen;
    const boxes = new Set(
      chosen === undefined || (pane === current && pane === chosen.pane) ? [] : boxesOf(chosen, pane),
    );
    if (pane === current && this.#selected !== undefined) boxes.delete(this.#selected);
    return boxes;
  }

  async compare(): Promise<void> {
    this.#isComparing = !this.#isComparing;
    this.#arrange();
    await this.#showPanes();
    this.#refresh();
    if (this.#selected !== undefined && this.pane !== undefined)
      this.pane.goToAll(this.#selected, this.#counterparts(this.pane));
    this.#follow();
  }

  /** Side by side, what belongs to the selection is brought into sight. */
  #follow(): void {
    const chosen = this.#chosen;
    if (!this.#isComparing || chosen === undefined) return;
    for (const pane of this.#panes) {
      if (pane === this.pane) continue;
      const boxes = boxesOf(chosen, pane);
      const main = pane.shows(boxes) ? undefined : mainBoxOf(chosen, pane);
      if (main !== undefined) pane.goToAll(main, boxes);
    }
  }

  #arrange(): void {
    part("panes", HTMLElement).classList.toggle("comparing", this.#isComparing);
    this.#panes.forEach((pane, i) => {
      pane.root.hidden = !this.#isComparing && i !== this.#current;
      pane.root.classList.toggle("current", i === this.#current);
      const tab = document.querySelector(`[data-view="${i}"]`);
      tab?.setAttribute("aria-selected", String(i === this.#current));
      tab?.setAttribute("tabindex", i === this.#current ? "0" : "-1");
    });
    part("compare", HTMLElement).setAttribute("aria-pressed", String(this.#isComparing));
  }

  async #showPanes(): Promise<void> {
    const shown = this.#isComparing ? this.#panes : this.#panes.filter((_, i) => i === this.#current);
    await Promise.all(shown.map((pane) => pane.show()));
  }

  #selectIn(pane: Pane, id: string | undefined): void {
    const at = this.#panes.indexOf(pane);
    if (at !== this.#current && at >= 0) {
      this.#current = at;
      this.#arrange();
    }
    this.select(id);
  }

  select(id: string | undefined): void {
    this.#selected = id;
    this.#chosen = id === undefined || this.pane === undefined ? undefined : { pane: this.pane, id };
    this.#way = undefined;
    this.#edge = undefined;
    this.#refresh();
    this.#follow();
    if (this.pane !== undefined) this.say(id === undefined ? "nothing is selected" : titleOf(this.pane.index.view, id));
  }

  /** Opens what hides a box, selects it and brings it into sight. */
  async goTo(id: string): Promise<void> {
    const { pane } = this;
    if (pane === undefined) return;
    await pane.reveal(id);
    this.select(id);
    pane.goTo(id);
  }

  async goToView(kind: string, id: string): Promise<void> {
    const view = this.#panes.findIndex(({ index }) => index.view.kind === kind);
    if (view >= 0 && view !== this.#current) await this.chooseView(view);
    await this.goTo(id);
  }

  async toggle(id = this.#selected): Promise<void> {
    if (id === undefined || !id.startsWith("g") || this.pane === undefined) return;
    await this.pane.toggle(id);
    this.#refresh();
  }

  /** Dims all but what a box depends on, or what depends on it; the same again ends that. */
  highlight(way: Reach): void {
    this.#way = this.#way === way ? undefined : way;
    this.#refresh();
    if (this.#way !== undefined) this.say(way === "ancestors" ? "what it depends on" : "what depends on it");
  }

  /** The next or previous box that uses what is selected. */
  async use(step: 1 | -1): Promise<void> {
    const { pane } = this;
    if (pane === undefined || this.#selected === undefined) return;
    const of = this.#use?.of !== undefined && this.#isUse(this.#use, this.#selected) ? this.#use.of : this.#selected;
    const users = this.#usersOf(of);
    if (users.length === 0) return this.say("nothing uses it");
    const at = this.#use?.of === of ? this.#use.at + step : step > 0 ? 0 : -1;
    const place = (at + users.length) % users.length;
    await this.goTo(users[place] as string);
    this.#use = { of, at: place };
    this.say(`use ${place + 1} of ${users.length}`);
  }

  #usersOf(of: string): readonly string[] {
    const { pane } = this;
    if (pane === undefined) return [];
    const inside = nodesOf(pane.index, of);
    const own = new Set(inside);
    const users = inside.flatMap((node) => pane.index.users[node] ?? []).filter((user) => !own.has(user));
    return [...new Set(users)].sort((a, b) => a - b).map(nodeId);
  }

  #isUse(use: { readonly of: string; readonly at: number }, id: string): boolean {
    return this.#usersOf(use.of)[use.at] === id;
  }

  /** An edge leads to its end that is farther from where it was pressed. */
  #followFrom(pane: Pane, { edge, points }: PlacedEdge, x: number, y: number): void {
    const [start, end] = [points[0], points.at(-1)];
    const far = (point: Point | undefined): number => (point === undefined ? 0 : Math.hypot(point.x - x, point.y - y));
    this.#selectIn(pane, far(start) > far(end) ? edge.from : edge.to);
    this.#edge = edge.id;
    this.#refresh();
    if (this.#selected !== undefined) pane.goTo(this.#selected);
  }

  /** Chooses one of the edges of the selected box. */
  chooseEdge(step: 1 | -1): void {
    const edges = this.#edgesOfSelected();
    if (edges.length === 0) return;
    const at = edges.findIndex(({ id }) => id === this.#edge);
    const next = edges[(at + step + edges.length + (at < 0 && step < 0 ? 1 : 0)) % edges.length];
    this.#edge = next?.id;
    this.#refresh();
    const { pane } = this;
    if (next === undefined || pane === undefined) return;
    const other = next.from === this.#selected ? next.to : next.from;
    this.say(`${next.label}, ${next.from === this.#selected ? "to" : "from"} ${titleOf(pane.index.view, other)}`);
  }

  /** Goes to the other end of the chosen edge. */
  async followEdge(): Promise<void> {
    const edge = this.#edgesOfSelected().find(({ id }) => id === this.#edge) ?? this.#edgesOfSelected()[0];
    if (edge === undefined) return;
    await this.goTo(edge.from === this.#selected ? edge.to : edge.from);
    this.#edge = edge.id;
    this.#refresh();
  }

  #edgesOfSelected() {
    const edges = this.pane?.placed.edges.map(({ edge }) => edge) ?? [];
    return edges.filter(({ from, to }) => from === this.#selected || to === this.#selected);
  }

  /** Along the data, or between boxes side by side. */
  step(way: Way): void {
    const { pane } = this;
    const next = pane === undefined ? undefined : nextBox(pane, this.#selected, way, this.direction);
    if (pane === undefined || next === undefined) return;
    this.select(next);
    pane.goTo(next);
  }

  async leave(): Promise<void> {
    const around =
      this.pane === undefined || this.#selected === undefined ? [] : groupsAround(this.pane.index.view, this.#selected);
    const outer = around.at(-1);
    if (outer === undefined) this.select(undefined);
    else await this.goTo(groupId(outer));
  }

  async turn(): Promise<void> {
    this.direction = this.direction === "down" ? "right" : "down";
    await Promise.all(this.#panes.map((pane) => pane.turn(this.direction)));
    this.#refresh();
    this.say(`data flow ${this.direction}`);
  }

  colourBy(mode: ColourMode): void {
    this.#colour = mode;
    for (const pane of this.#panes) {
      pane.colour = mode;
      pane.draw();
    }
    this.#refresh();
  }

  /** The picture as it stands, as a file. */
  picture(): { readonly name: string; readonly text: string } | undefined {
    const { pane } = this;
    if (pane === undefined) return undefined;
    const { program, index } = pane;
    const title = `${this.document.graph}: ${program.name}, ${index.view.kind}`;
    const text = svgText(pane.placed, index.view, program, { title, colour: this.#colour, themes: "both" });
    return { name: `${this.document.graph}-${program.name}-${index.view.kind}.svg`, text };
  }

  say(text: string): void {
    part("status", HTMLElement).textContent = text;
  }

  #hover(pane: Pane, id: string | undefined): void {
    this.#mark(id === undefined ? undefined : { pane, id });
  }

  #refresh(): void {
    const { pane } = this;
    if (pane === undefined) return;
    this.#mark(undefined);
    this.#breadcrumbs(pane);
    part("legend", HTMLElement).replaceChildren(...legendOf(this.#isComparing ? this.#panes : [pane], this.#colour));
    const others = this.#panes.filter((one) => one !== pane).map(({ index }) => index);
    const panel = part("panel", HTMLElement);
    const unfolded = unfoldedIn(panel);
    panel.replaceChildren(
      ...panelOf(this.#selected, {
        document: this.document,
        program: pane.program,
        index: pane.index,
        others,
        go: (kind, id) => inBackground(this.goToView(kind, id)),
        toggle: (id) => inBackground(this.toggle(id)),
        isOpen: (id) => pane.open.has(Number(id.slice(1))),
        highlight: (way) => this.highlight(way),
        copy: (text) => inBackground(this.#copy(text)),
      }),
    );
    unfold(panel, unfolded);
  }

  async #copy(text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // A page from disk may have no clipboard: the older way needs a field.
      const field = element("textarea", { attributes: { readonly: "" } });
      field.value = text;
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
    const lines = text.split("\n").length;
    this.say(lines === 1 ? `copied ${text}` : `copied ${lines} lines`);
  }

  /** Marks what is selected, and in all views what belongs to it and to what the pointer is at. */
  #mark(hovered: Chosen | undefined): void {
    const { pane: current } = this;
    for (const pane of this.#panes) {
      const isCurrent = pane === current;
      const linked = new Set(this.#counterparts(pane));
      if (hovered !== undefined && pane !== hovered.pane) for (const box of boxesOf(hovered, pane)) linked.add(box);
      pane.mark({
        selected: isCurrent ? this.#selected : undefined,
        linked,
        lit: isCurrent ? this.#lit(pane) : undefined,
        edge: isCurrent ? this.#edge : undefined,
      });
    }
  }

  #lit(pane: Pane): ReadonlySet<string> | undefined {
    if (this.#way === undefined || this.#selected === undefined) return undefined;
    const reached = pane.boxesShowing(reach(pane.index, nodesOf(pane.index, this.#selected), this.#way));
    const around = [...reached].flatMap((id) => groupsAround(pane.index.view, id).map(groupId));
    return new Set([...reached, ...around]);
  }

  #breadcrumbs(pane: Pane): void {
    const { view } = pane.index;
    const crumbs = [button(`${this.document.graph}`, "the whole graph", () => this.select(undefined))];
    if (this.#selected !== undefined) {
      for (const group of groupsAround(view, this.#selected))
        crumbs.push(button(view.groups[group]?.name ?? "", "select", () => inBackground(this.goTo(groupId(group)))));
      crumbs.push(button(titleOf(view, this.#selected), "selected", () => pane.goTo(this.#selected ?? "")));
      crumbs.at(-1)?.setAttribute("aria-current", "true");
    }
    part("crumbs", HTMLElement).replaceChildren(...crumbs.map((crumb) => element("li", {}, crumb)));
  }
}
