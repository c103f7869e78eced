import { sideOf } from "../dominant.js";
import type { GroupModel, NodeModel, ViewModel } from "../model.js";
import { groupId, nodeId } from "../visible.js";
import { places } from "./code_block.js";
import { button, bytesText, element, section, table } from "./dom.js";
import { callOf, type KernelContext, kernelAround, secondsText } from "./kernel_panel.js";
import { inputsOf, type ViewIndex } from "./links.js";

/** More kernels than this in one list are counted. */
const mostKernels = 12;

/** Whether a box is of what lies in memory before a run, or of what is put there. */
export function isInMemory({ kind }: NodeModel): boolean {
  return kind === "variable" || kind === "assign" || kind === "placeholder" || kind === "constant";
}

/** A kernel that reads or writes something, for what, and through which box of it. */
interface Use {
  readonly at: number;
  readonly group: GroupModel;
  readonly purposes: ReadonlySet<string>;
}

/**
 * Of what lies in memory, in whichever view it stands: where, what a variable begins with, which kernels read and write it, and the code
 * of the one that writes it, else of the first that reads it.
 */
export function memorySections(at: number, context: KernelContext): readonly (HTMLElement | undefined)[] {
  const node = context.index.view.nodes[at];
  const kernels = [context.index, ...context.others].find(({ view }) => view.kind === "kernels");
  if (node === undefined || kernels === undefined || kernels.view.missing !== undefined) return [];
  const source = [context.index, ...context.others].find(({ view }) => view.kind === "source");
  const { given, assigned } = boxesOf(at, node, context.index, kernels);
  const readers = usesOf(
    given.flatMap((box) => following(box, kernels, "users")),
    kernels,
    source,
    undefined,
  );
  const makers = assigned.flatMap((box) => following(box, kernels, "inputs"));
  const writers = usesOf(makers, kernels, source, "update");
  const main = writers[0] ?? readers[0];
  const why = assigned.length === 0 || node.kind !== "assign" ? [] : (kernels.view.nodes[makers[0] ?? -1]?.why ?? []);
  return [
    section("Memory", memoryTable(node, given[0] ?? assigned[0], kernels)),
    ...firstValue(node, context),
    section("Why", why.length === 0 ? undefined : element("ul", {}, ...why.map((text) => element("li", {}, text)))),
    section("Written by", useList(writers, context)),
    section("Read by", useList(readers, context)),
    ...(main === undefined ? [] : callOf(main.at, kernels.view, context)),
  ];
}

/** The boxes among the kernels of what lies in memory, and of its new values. */
function boxesOf(
  at: number,
  { kind, name }: NodeModel,
  index: ViewIndex,
  kernels: ViewIndex,
): { readonly given: readonly number[]; readonly assigned: readonly number[] } {
  const called = (wanted: NodeModel["kind"]): readonly number[] =>
    kernels.view.nodes.flatMap((other, box) => (other.kind === wanted && other.name === name ? [box] : []));
  if (kind === "placeholder") return { given: called("placeholder"), assigned: [] };
  if (kind !== "constant") return { given: called("variable"), assigned: called("assign") };
  const made =
    index === kernels
      ? [at]
      : (index.view.kind === "source" ? [at] : (index.view.nodes[at]?.stems ?? [])).flatMap(
          (stem) => kernels.stemming.get(stem) ?? [],
        );
  return { given: made.filter((box) => kernels.view.nodes[box]?.kind === "constant"), assigned: [] };
}

/** The boxes at the other ends of a box's edges, through what is sent between the sides. */
function following(box: number, index: ViewIndex, way: "users" | "inputs"): readonly number[] {
  const next = way === "users" ? (index.users[box] ?? []) : inputsOf(index.view, box);
  return next.flatMap((one) =>
    index.view.nodes[one]?.kind === "transfer" && one !== box ? following(one, index, way) : [one],
  );
}

function usesOf(
  boxes: readonly number[],
  { view }: ViewIndex,
  source: ViewIndex | undefined,
  purpose: string | undefined,
): readonly Use[] {
  const found = new Map<number, { readonly group: GroupModel; readonly purposes: Set<string> }>();
  for (const box of boxes) {
    const node = view.nodes[box];
    const at = node === undefined ? -1 : kernelAround(view, node.group);
    const group = view.groups[at];
    if (node === undefined || group === undefined) continue;
    const use = found.get(at) ?? { group, purposes: new Set() };
    use.purposes.add(purpose ?? purposeOf(node, source));
    found.set(at, use);
  }
  return [...found].map(([at, use]) => ({ at, ...use }));
}

/** The source view tells what stands in an update: among the kernels its arithmetic is no part of a gradient. */
function purposeOf(node: NodeModel, source: ViewIndex | undefined): string {
  if (node.role === "backward") return "gradient";
  const isUpdate = (stem: number): boolean => {
    const made = source?.view.nodes[stem];
    const groups = source?.view.groups ?? [];
    for (let at = made?.group ?? -1; at >= 0; at = groups[at]?.parent ?? -1)
      if (groups[at]?.kind === "update") return true;
    return made?.role === "update";
  };
  return node.stems.some(isUpdate) ? "update" : "forward";
}

function memoryTable(node: NodeModel, box: number | undefined, { view }: ViewIndex): HTMLElement | undefined {
  const shown = box === undefined ? undefined : view.nodes[box];
  if (shown === undefined) return undefined;
  const bytes = view.types[shown.outputs[0] ?? -1]?.bytes;
  const where =
    node.kind === "placeholder"
      ? "each run is fed it"
      : node.kind === "constant"
        ? "among the constants of the program"
        : "the session's, from run to run";
  const side = sideName(box ?? -1, view);
  return table(
    [
      ["lies", side === undefined ? where : `${where}, ${side}`],
      ...(bytes === undefined ? [] : [["bytes", bytesText(bytes)] as const]),
    ],
    "facts",
  );
}

function sideName(box: number, view: ViewModel): string | undefined {
  const side = view.groups[sideOf(nodeId(box), view)]?.name;
  return side === undefined ? undefined : `on the ${side}`;
}

function firstValue(
  { kind, name, places: own }: NodeModel,
  { document, copy }: KernelContext,
): readonly (HTMLElement | undefined)[] {
  const variable = kind === "variable" ? document.variables.find((one) => one.name === name) : undefined;
  if (variable === undefined) return [];
  // Each line once, and none of those of the declaration, which stand above.
  const above = new Set(own.map(([line]) => line));
  const made = new Map(variable.places.filter(([line]) => !above.has(line)).map((place) => [place[0], place]));
  return [
    section(
      "First value",
      element("p", {}, element("code", {}, variable.initial), variable.isTrained ? ", then trained" : ""),
      places([...made.values()], { document, copy }),
    ),
  ];
}

function useList(uses: readonly Use[], { go }: KernelContext): HTMLElement | undefined {
  if (uses.length === 0) return undefined;
  const items = uses.slice(0, mostKernels).map(({ at, group, purposes }) => {
    const seconds = group.kernel?.seconds;
    const time = seconds === undefined ? "" : `, ${secondsText(seconds)}`;
    const what = element("span", { class: "type" }, `${[...purposes].sort().join(", ")}${time}`);
    return element(
      "li",
      {},
      button(group.name, "go there", () => go("kernels", groupId(at)), "link"),
      " ",
      what,
    );
  });
  const more = uses.length - items.length;
  return element(
    "ul",
    { class: "links" },
    ...items,
    more > 0 ? element("li", { class: "hint" }, `and ${more} more`) : undefined,
  );
}
