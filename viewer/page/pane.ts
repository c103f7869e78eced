import { select } from "d3-selection";
import { type D3ZoomEvent, zoom, zoomIdentity, zoomTransform } from "d3-zoom";
import { type ColourMode, paintOf } from "../colours.js";
import { describeBox } from "../describe.js";
import { drawElements } from "../draw.js";
import { type LayoutEngine, layOut } from "../layout.js";
import type { ProgramModel } from "../model.js";
import {
  type Direction,
  nothingPlaced,
  type Placed,
  type PlacedBox,
  type PlacedEdge,
  type Rectangle,
} from "../placed.js";
import { nothingText } from "../svg.js";
import { alwaysOpen, firstOpen, visibleOf } from "../visible.js";
import { element } from "./dom.js";
import { firstScale, intoSight, leastWhole, margin, startOf, togetherWith, within } from "./framing.js";
import { boxShowing, groupsAround, type ViewIndex } from "./links.js";
import { type Marks, markElements } from "./marks.js";
import { Minimap } from "./minimap.js";

/** What a pane tells the page. */
export interface PaneEvents {
  readonly select: (pane: Pane, id: string | undefined) => void;
  readonly toggle: (id: string) => void;
  readonly hover: (pane: Pane, id: string | undefined) => void;
  readonly edge: (pane: Pane, edge: PlacedEdge, x: number, y: number) => void;
  readonly say: (text: string) => void;
}

/** More boxes than this at once are no picture: the groups that were opened first close again. */
const mostBoxes = 400;
const svgNamespace = "http://www.w3.org/2000/svg";

/** One view of a program: its picture, which groups are open, and how far it is zoomed. */
export class Pane {
  readonly root: HTMLElement;
  readonly svg: SVGSVGElement;
  readonly index: ViewIndex;
  readonly program: ProgramModel;
  placed: Placed = nothingPlaced;
  colour: ColourMode = "structure";
  /** In the order in which they were opened. */
  open: Set<number>;
  #direction: Direction;
  readonly #events: PaneEvents;
  readonly #engine: LayoutEngine;
  readonly #content: SVGGElement;
  readonly #minimap: Minimap;
  readonly #zoom = zoom<SVGSVGElement, unknown>().scaleExtent([0.04, 4]);
  #laidOut = false;
  /** The picture and the size that it was zoomed for; undefined until it has been in sight. */
  #zoomedFor: { readonly placed: Placed; readonly width: number; readonly height: number } | undefined;
  /** How it came to what is seen of it: that decides what another size does to it. */
  #zoomedBy: "begin" | "fit" | "reader" = "begin";
  #isOnPaper = false;
  #work: Promise<void> = Promise.resolve();

  constructor(program: ProgramModel, index: ViewIndex, direction: Direction, engine: LayoutEngine, events: PaneEvents) {
    this.program = program;
    this.index = index;
    this.open = new Set(firstOpen(index.view));
    this.#direction = direction;
    this.#engine = engine;
    this.#events = events;
    this.svg = document.createElementNS(svgNamespace, "svg");
    this.svg.setAttribute("role", "application");
    this.svg.setAttribute("aria-label", `${index.view.kind}: arrow keys follow the data, Enter opens, ? has all keys`);
    this.svg.setAttribute("tabindex", "0");
    this.#content = document.createElementNS(svgNamespace, "g");
    this.svg.append(this.#content);
    this.#minimap = new Minimap((x, y) => this.centre(x, y));
    this.root = element("section", { class: "pane", attributes: { "aria-label": `${index.view.kind} view` } });
    // Side by side, which view it is; before its first picture, that one is being made.
    const caption = element("p", { class: "caption", attributes: { "aria-hidden": "true" } }, index.view.kind);
    const waiting = element("p", { class: "waiting" }, "laying out…");
    this.root.append(this.svg, this.#minimap.root, caption, waiting);
    if (index.view.missing !== undefined) this.root.append(element("p", { class: "missing" }, index.view.missing));
    else if (index.view.nodes.length === 0) this.root.append(element("p", { class: "missing" }, nothingText));
    this.#zoom.on("zoom", ({ transform, sourceEvent }: D3ZoomEvent<SVGSVGElement, unknown>) => {
      if (sourceEvent !== null && sourceEvent !== undefined) this.#zoomedBy = "reader";
      this.#content.setAttribute("transform", transform.toString());
      this.#minimap.frame(this.frame());
    });
    this.#zoom.on("end", () => this.#minimap.settle());
    select(this.svg).call(this.#zoom).on("dblclick.zoom", null);
    this.#listen();
  }

  #listen(): void {
    let wasInSight = false;
    new ResizeObserver(() => {
      // One that comes into sight is zoomed by `show`.
      if (wasInSight && this.#hasSize() && !this.#isOnPaper) {
        this.#resized();
        this.#drawMinimap();
      }
      wasInSight = this.#hasSize();
    }).observe(this.svg);
    const boxAt = (event: Event): string | undefined => {
      const found = (event.target as Element).closest("[data-box], [data-title]");
      return found?.getAttribute("data-box") ?? found?.getAttribute("data-title") ?? undefined;
    };
    this.svg.addEventListener("click", (event) => {
      const id = boxAt(event);
      const edgeId = (event.target as Element).closest("[data-edge]")?.getAttribute("data-edge");
      const edge = this.placed.edges.find((one) => one.edge.id === edgeId);
      if (id !== undefined) {
        const box = this.boxOf(id)?.box;
        const isCaption = (event.target as Element).closest("[data-title]") !== null;
        this.#events.select(this, id);
        if (box?.group !== undefined && (!box.isOpen || isCaption)) this.#events.toggle(id);
      } else if (edge !== undefined) {
        const [x, y] = this.#pointAt(event);
        this.#events.edge(this, edge, x, y);
      } else this.#events.select(this, undefined);
      this.svg.focus({ preventScroll: true });
    });
    let pointed: string | undefined;
    this.svg.addEventListener("pointermove", (event) => {
      const id = boxAt(event);
      if (id === pointed) return;
      pointed = id;
      this.#events.hover(this, id);
    });
    this.svg.addEventListener("pointerleave", () => {
      pointed = undefined;
      this.#events.hover(this, undefined);
    });
  }

  #pointAt(event: MouseEvent): [number, number] {
    const { left, top } = this.svg.getBoundingClientRect();
    return zoomTransform(this.svg).invert([event.clientX - left, event.clientY - top]);
  }

  boxOf(id: string): PlacedBox | undefined {
    return this.placed.boxes.find(({ box }) => box.id === id);
  }

  /** Lays out what is open, unless that has been done, and fits what changed while it was out of sight. */
  async show(): Promise<void> {
    await (this.#laidOut ? this.#work : this.#layOut(undefined));
    const { placed, width, height } = this.#zoomedFor ?? {};
    const { clientWidth, clientHeight } = this.svg;
    if (placed !== this.placed || width !== clientWidth || height !== clientHeight) this.begin();
    this.#drawMinimap();
  }

  #hasSize(): boolean {
    return this.svg.clientWidth > 0;
  }

  /** What was fitted fits again; where its reader moved it, what was in the middle stays there. */
  #resized(): void {
    const { width, height } = this.#zoomedFor ?? {};
    if (width === undefined || height === undefined) return;
    if (this.#zoomedBy === "fit") this.fit();
    else if (this.#zoomedBy === "begin") this.begin();
    else {
      const { k } = zoomTransform(this.svg);
      const [right, down] = [this.svg.clientWidth - width, this.svg.clientHeight - height];
      this.#zoom.translateBy(select(this.svg), right / 2 / k, down / 2 / k);
    }
    this.#keepZoom();
  }

  /** What is zoomed stays so, though it or its size is another now. Out of sight no size is known. */
  #keepZoom(): void {
    if (this.#zoomedFor === undefined || !this.#hasSize()) return;
    this.#zoomedFor = { placed: this.placed, width: this.svg.clientWidth, height: this.svg.clientHeight };
  }

  #drawMinimap(): void {
    this.#minimap.draw(this.placed);
    this.#minimap.frame(this.frame());
    this.#minimap.settle();
  }

  /** On paper the whole picture is shown, whatever part of it is seen here. */
  toPaper(): void {
    this.#isOnPaper = true;
    const { width, height } = this.placed;
    if (width > 0) this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.#content.removeAttribute("transform");
  }

  fromPaper(): void {
    this.#isOnPaper = false;
    this.svg.removeAttribute("viewBox");
    this.#content.setAttribute("transform", zoomTransform(this.svg).toString());
  }

  async turn(direction: Direction): Promise<void> {
    this.#direction = direction;
    if (!this.#laidOut) return;
    await this.#layOut(undefined);
    this.begin();
  }

  /** Opens or closes a group. Its corner stays where it is on the screen, unless what is opened would not be seen there. */
  async toggle(id: string): Promise<void> {
    const group = Number(id.slice(1));
    const title = this.index.view.groups[group]?.name ?? "";
    const isOpen = !this.open.delete(group);
    if (isOpen) {
      this.open.add(group);
      this.#close(group);
    }
    await this.#layOut(id);
    const placed = this.boxOf(id);
    if (isOpen && placed !== undefined) this.#bringIntoSight(placed);
    this.#events.say(`${title} ${isOpen ? "opened" : "closed"}`);
  }

  /** Opens what is around a box, so that it is seen. */
  async reveal(id: string): Promise<void> {
    const hidden = groupsAround(this.index.view, id).filter((group) => !this.open.has(group));
    for (const group of hidden) this.open.add(group);
    if (hidden.length > 0) this.#close(hidden.at(-1) ?? -1);
    if (hidden.length > 0 || !this.#laidOut) await this.#layOut(undefined);
  }

  /** Closes the groups opened first, but for those around `kept`, while too much is seen. */
  #close(kept: number): void {
    const { view } = this.index;
    const around = new Set([...groupsAround(view, `g${kept}`), kept, ...alwaysOpen(view)]);
    for (const group of [...this.open]) {
      if (visibleOf(view, this.open).boxes.length <= mostBoxes) return;
      if (!around.has(group)) this.open.delete(group);
    }
  }

  #layOut(anchor: string | undefined): Promise<void> {
    this.#laidOut = true;
    const task = async (): Promise<void> => {
      this.root.setAttribute("aria-busy", "true");
      const before = anchor === undefined ? undefined : this.boxOf(anchor);
      this.placed = await layOut(visibleOf(this.index.view, this.open), this.#direction, this.#engine);
      this.root.removeAttribute("aria-busy");
      this.root.classList.add("drawn");
      this.draw();
      this.#keepZoom();
      const after = anchor === undefined ? undefined : this.boxOf(anchor);
      if (before === undefined || after === undefined) return;
      this.#zoomedBy = "reader";
      this.#zoom.translateBy(select(this.svg), before.x - after.x, before.y - after.y);
    };
    this.#work = this.#work.then(task, task);
    return this.#work;
  }

  draw(): void {
    const { view } = this.index;
    this.#content.innerHTML = drawElements(this.placed, {
      paint: (box) => paintOf(box, this.colour, view, this.program),
      describe: (box) => describeBox(box, view),
      isInteractive: true,
    });
    this.#drawMinimap();
    this.mark(this.#marks);
  }

  #marks: Marks = { selected: undefined, linked: new Set(), lit: undefined, edge: undefined };

  mark(marks: Marks): void {
    this.#marks = marks;
    const hadFocus = document.activeElement !== null && this.svg.contains(document.activeElement);
    markElements(this.#content, this.placed, marks, hadFocus);
    // A box that is selected no more would keep its ring with the focus.
    if (hadFocus && marks.selected === undefined) this.svg.focus({ preventScroll: true });
    this.#minimap.mark(marks);
  }

  /** The boxes that show some nodes. */
  boxesShowing(nodes: Iterable<number>): ReadonlySet<string> {
    const boxes = new Set<string>();
    for (const node of nodes) boxes.add(boxShowing(this.index.view, node, this.open));
    return boxes;
  }

  /** The part of the picture that is seen. */
  frame(): { readonly x: number; readonly y: number; readonly width: number; readonly height: number } {
    const { x, y, k } = zoomTransform(this.svg);
    const { clientWidth, clientHeight } = this.svg;
    return { x: -x / k, y: -y / k, width: clientWidth / k, height: clientHeight / k };
  }

  /** Shows all of the picture. */
  fit(): void {
    const scale = this.#wholeScale();
    const { clientWidth, clientHeight } = this.svg;
    const { width, height } = this.placed;
    this.#place(scale, (clientWidth - width * scale) / 2, (clientHeight - height * scale) / 2, "fit");
  }

  /** What is seen at first: a picture that would be too small to read begins where its data do. */
  begin(): void {
    const scale = firstScale(this.#wholeScale());
    const { clientWidth, clientHeight } = this.svg;
    const { width, height } = this.placed;
    const isDown = this.#direction === "down";
    const [x, y] = startOf(this.placed, { width: clientWidth / scale, height: clientHeight / scale }, isDown);
    this.#place(
      scale,
      within(clientWidth, width * scale, margin - x * scale),
      within(clientHeight, height * scale, margin - y * scale),
      "begin",
    );
  }

  /** At which the whole picture fits into the pane. */
  #wholeScale(): number {
    const { clientWidth, clientHeight } = this.svg;
    const { width, height } = this.placed;
    return Math.min(1.25, (clientWidth - 2 * margin) / width, (clientHeight - 2 * margin) / height);
  }

  #place(scale: number, x: number, y: number, by: "begin" | "fit"): void {
    const { clientWidth, clientHeight } = this.svg;
    if (clientWidth === 0 || this.placed.width === 0) return;
    this.#zoom.transform(select(this.svg), zoomIdentity.translate(x, y).scale(scale));
    this.#zoomedFor = { placed: this.placed, width: clientWidth, height: clientHeight };
    this.#zoomedBy = by;
  }

  zoomBy(factor: number): void {
    this.#zoomedBy = "reader";
    this.#zoom.scaleBy(select(this.svg), factor);
  }

  panBy(x: number, y: number): void {
    this.#zoomedBy = "reader";
    this.#zoom.translateBy(select(this.svg), x / zoomTransform(this.svg).k, y / zoomTransform(this.svg).k);
  }

  centre(x: number, y: number): void {
    this.#zoomedBy = "reader";
    this.#zoom.translateTo(select(this.svg), x, y);
  }

  #isInSight({ x, y }: PlacedBox): boolean {
    const frame = this.frame();
    return x >= frame.x && y >= frame.y && x < frame.x + frame.width && y < frame.y + frame.height;
  }

  /** Whether one of these boxes is seen. */
  shows(ids: ReadonlySet<string>): boolean {
    return [...ids].some((id) => {
      const placed = this.boxOf(id);
      return placed !== undefined && this.#isInSight(placed);
    });
  }

  /** Brings a box into sight, and with it as many of its counterparts as can be read there. */
  goToAll(id: string, others: ReadonlySet<string>): void {
    const main = this.boxOf(id);
    const parts = main?.box.isOpen === true ? [] : [...others].flatMap((other) => this.boxOf(other) ?? []);
    const together = main === undefined ? undefined : togetherWith(main, parts, this.#size());
    if (together === undefined || together === main) this.goTo(id);
    else this.#bringIntoSight({ ...together, title: undefined });
  }

  #size(): { readonly width: number; readonly height: number } {
    return { width: this.svg.clientWidth, height: this.svg.clientHeight };
  }

  #bringIntoSight(area: Rectangle & Pick<PlacedBox, "title">): void {
    if (!this.#hasSize()) return;
    const now = zoomTransform(this.svg);
    const { x, y, k } = intoSight(this.placed, area, this.#size(), this.#direction === "down", now);
    this.#zoomedBy = "reader";
    this.#zoom.transform(select(this.svg), zoomIdentity.translate(x, y).scale(k));
  }

  /** Brings a box into sight, at a size that can be read. */
  goTo(id: string): void {
    const placed = this.boxOf(id);
    if (placed === undefined) return;
    if (placed.box.isOpen) {
      this.#bringIntoSight(placed);
      return;
    }
    const { k } = zoomTransform(this.svg);
    if (k < leastWhole) {
      this.#zoomedBy = "reader";
      this.#zoom.scaleTo(select(this.svg), 0.8);
    }
    const frame = this.frame();
    const { x, y, width, height } = placed;
    const isWhole =
      x >= frame.x && y >= frame.y && x + width <= frame.x + frame.width && y + height <= frame.y + frame.height;
    if (!isWhole) this.centre(x + width / 2, y + Math.min(height, frame.height) / 2);
  }
}
