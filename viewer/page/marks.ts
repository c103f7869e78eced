import type { Placed } from "../placed.js";

/** How boxes are marked besides their colour. */
export interface Marks {
  readonly selected: string | undefined;
  /** Boxes that belong to what is selected or pointed at in another view. */
  readonly linked: ReadonlySet<string>;
  /** With these given, all others are dimmed. */
  readonly lit: ReadonlySet<string> | undefined;
  readonly edge: string | undefined;
}

/** Marks what a picture was drawn as; what is selected takes the focus where the picture had it. */
export function markElements(content: SVGGElement, { edges }: Placed, marks: Marks, hadFocus: boolean): void {
  for (const one of content.querySelectorAll<SVGGElement>("[data-box]")) {
    const id = one.dataset["box"] ?? "";
    const isSelected = id === marks.selected;
    one.classList.toggle("selected", isSelected);
    one.classList.toggle("linked", marks.linked.has(id));
    one.classList.toggle("faded", marks.lit !== undefined && !marks.lit.has(id));
    one.setAttribute("tabindex", isSelected ? "0" : "-1");
    if (isSelected && hadFocus) one.focus({ preventScroll: true });
  }
  const placed = new Map(edges.map(({ edge }) => [edge.id, edge]));
  for (const one of content.querySelectorAll<SVGGElement>("[data-edge]")) {
    const edge = placed.get(one.dataset["edge"] ?? "");
    if (edge === undefined) continue;
    one.classList.toggle("touching", edge.from === marks.selected || edge.to === marks.selected);
    one.classList.toggle("chosen", edge.id === marks.edge);
    one.classList.toggle("faded", marks.lit !== undefined && !(marks.lit.has(edge.from) && marks.lit.has(edge.to)));
  }
}
