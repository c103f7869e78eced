import { sideOf } from "../dominant.js";
import type { NodeModel, ProgramModel, ViewerDocument, ViewModel } from "../model.js";
import { groupId, nodeId } from "../visible.js";
import { callSections, contentSections, functionOf } from "./call_panel.js";
import { codeBlock, places, quoted } from "./code_block.js";
import { button, bytesText, element, section, table } from "./dom.js";
import { costOf, explanation, explanationOfLoop, kernelsWithin, listings } from "./kernel_panel.js";
import { inputsOf, linkedNodes, nodesOf, titleOf, type ViewIndex } from "./links.js";
import { memoryChart } from "./memory_chart.js";
import { isInMemory, memorySections } from "./memory_panel.js";

export interface PanelContext {
  readonly document: ViewerDocument;
  readonly program: ProgramModel;
  readonly index: ViewIndex;
  /** The other views of the program. */
  readonly others: readonly ViewIndex[];
  readonly go: (kind: string, id: string) => void;
  readonly toggle: (id: string) => void;
  readonly isOpen: (id: string) => boolean;
  readonly highlight: (way: "ancestors" | "descendants") => void;
  readonly copy: (text: string) => void;
}

/** More links than this in one list are counted. */
const mostLinks = 12;

/** What there is to say about a box, or about the program where none is selected. */
export function panelOf(id: string | undefined, context: PanelContext): readonly HTMLElement[] {
  if (id === undefined) return programPanel(context);
  return id.startsWith("n") ? nodePanel(Number(id.slice(1)), context) : groupPanel(Number(id.slice(1)), context);
}

function present<T>(items: readonly (T | undefined)[]): readonly T[] {
  return items.filter((item): item is T => item !== undefined);
}

function nodePanel(at: number, context: PanelContext): readonly HTMLElement[] {
  const { index, document } = context;
  const { view } = index;
  const node = view.nodes[at];
  if (node === undefined) return [];
  const doc = document.ops.find(([name]) => name === node.op)?.[1];
  const types = node.outputs.map((type) => {
    const known = view.types[type];
    const bytes = known?.bytes === undefined ? "" : bytesText(known.bytes);
    return [known?.text ?? "?", bytes] as const;
  });
  return present([
    heading(
      node.name === "" ? node.text : node.name,
      node.kind === "op" ? opTitle(node) : node.kind === "parameter" ? node.text : kindText(node.kind),
    ),
    doc === undefined ? undefined : element("p", { class: "doc" }, ...quoted(doc)),
    isQuoted(node) ? element("p", {}, element("code", {}, node.text)) : undefined,
    section(types.length === 1 ? "Type" : "Types", table(types)),
    section(node.kind === "transfer" ? "Sent" : "Attributes", tableOf(node.attributes)),
    section("Side", sideText(nodeId(at), context)),
    section(node.op === "run_state" ? "Drawn from at" : "Source", places(ownPlaces(node), context)),
    section("Computed once, written also in", twinsIn(node, context)),
    section("Takes", links(view.kind, inputsOf(view, at).map(nodeId), context, index)),
    section("Used by", links(view.kind, (index.users[at] ?? []).map(nodeId), context, index)),
    ...elsewhere(nodeId(at), context),
    ...(isInMemory(node) ? memorySections(at, context) : explanation(at, context)),
    section("The same variable", links(view.kind, sameVariable(at, index), context, index)),
    actions(nodeId(at), context),
  ]);
}

/** A constant that is called otherwise than what it is. */
function isQuoted({ kind, name }: NodeModel): boolean {
  return kind === "constant" && name !== "";
}

/** What the text says, with the name of the op where that is another. */
function opTitle({ name, text, op }: NodeModel): string {
  if (text === op) return op;
  return name === "" ? `op ${op}` : `${text} · op ${op}`;
}

/** Without those of the other places that compute it: the user's line, and one of the library. */
function ownPlaces({ places: all, twins }: NodeModel): NodeModel["places"] {
  return twins === undefined ? all : all.slice(0, 2);
}

/** Other places of the text that compute what a node does. */
function twinsIn({ twins }: NodeModel, context: PanelContext): HTMLElement | undefined {
  if (twins === undefined) return undefined;
  const items = twins.map(({ place, by }) =>
    element("div", {}, by === "" ? undefined : element("code", {}, by), places([place], context)),
  );
  return element("div", {}, ...items);
}

/** A variable's box and those of its new values lead to each other: the cycle that a run closes. */
function sameVariable(at: number, { view }: ViewIndex): readonly string[] {
  const node = view.nodes[at];
  if (node?.kind !== "variable" && node?.kind !== "assign") return [];
  return view.nodes.flatMap((other, index) =>
    index !== at && other.name === node.name && (other.kind === "variable" || other.kind === "assign")
      ? [nodeId(index)]
      : [],
  );
}

function groupPanel(at: number, context: PanelContext): readonly HTMLElement[] {
  const { index, program } = context;
  const { view } = index;
  const group = view.groups[at];
  if (group === undefined) return [];
  const id = groupId(at);
  const inside = nodesOf(index, id);
  const kernel = group.kernel;
  const buffers = (ids: readonly number[]): readonly (readonly [string, string])[] =>
    ids.map((one) => {
      const buffer = program.memory?.buffers[one];
      const where = buffer?.offset === undefined ? (buffer?.storage ?? "") : `at ${buffer.offset}`;
      return [`${buffer?.label ?? "?"} ${buffer?.type ?? ""}`, `${bytesText(buffer?.bytes ?? 0)}, ${where}`];
    });
  const called = functionOf(group, context.document);
  return present([
    heading(
      group.name,
      group.kind === "part"
        ? group.text === "part"
          ? "a part of a long graph"
          : group.text
        : kernel === undefined
          ? group.text
          : `${group.text} kernel`,
    ),
    called === undefined || called.doc === "" ? undefined : element("p", { class: "doc" }, ...quoted(called.doc)),
    ...callSections(group, called),
    section("Side", sideText(group.side === undefined ? groupId(group.parent) : id, context)),
    section("Sent", tableOf(group.kind === "transfers" ? inside.flatMap((node) => sentRow(view.nodes[node])) : [])),
    kernel === undefined ? undefined : section("A call of it", costOf(kernel)),
    kernel === undefined ? undefined : section("What became one loop", codeBlock(kernel.code, context.copy)),
    kernel === undefined ? undefined : section("What it was compiled to", ...listings(kernel, context)),
    kernel === undefined ? undefined : kernelsWithin(at, view, context),
    kernel === undefined ? undefined : section("Reads", table(buffers(kernel.reads))),
    kernel === undefined ? undefined : section("Writes", table(buffers(kernel.writes))),
    section(called === undefined ? "Source" : "Called at", places(group.places, context)),
    section("Declared at", called === undefined ? undefined : places(called.places, context)),
    section("Kernels", links(view.kind, kernelsIn(at, view), context, index)),
    ...contentSections(inside, view),
    ...elsewhere(id, context),
    ...explanationOfLoop(at, context),
    actions(id, context),
  ]);
}

/** The kernels of a part of a training step, or of a call in it, in the order of a run; of a kernel, none. */
function kernelsIn(group: number, { groups }: ViewModel): readonly string[] {
  const kind = groups[group]?.kind;
  if (kind !== "phase" && kind !== "stage") return [];
  const isInside = (from: number): boolean => {
    for (let at = from; at >= 0; at = groups[at]?.parent ?? -1) if (at === group) return true;
    return false;
  };
  return groups.flatMap(({ kernel, parent }, at) =>
    kernel !== undefined && !kernel.order.includes(".") && isInside(parent) ? [groupId(at)] : [],
  );
}

function tableOf(rows: readonly (readonly [string, string])[]): HTMLElement | undefined {
  return rows.length === 0 ? undefined : table(rows);
}

/** Where a box lies, of a picture with two sides. */
function sideText(id: string, { index: { view } }: PanelContext): HTMLElement | undefined {
  const own = (id.startsWith("g") ? view.groups : view.nodes)[Number(id.slice(1))];
  if (own?.side !== undefined)
    return element("p", {}, own.isPlaced === true ? `${own.side}, as the text says` : own.side);
  const side = view.groups[sideOf(id, view)];
  return side && element("p", {}, [side.name, side.text].filter((text) => text !== "").join(", "));
}

function sentRow(node: NodeModel | undefined): readonly (readonly [string, string])[] {
  return node === undefined ? [] : [[node.name, node.attributes.find(([name]) => name === "bytes")?.[1] ?? ""]];
}

function programPanel(context: PanelContext): readonly HTMLElement[] {
  const { program, document, index } = context;
  const { view } = index;
  const ops = view.nodes.filter(({ kind }) => kind === "op").length;
  const constants = view.nodes.filter(({ kind }) => kind === "constant").length;
  const kernels = view.groups.filter(({ kind }) => kind === "kernel").length;
  const facts: (readonly [string, string])[] = [
    ["file", document.file],
    ...(ops > 0 || (constants === 0 && kernels === 0) ? [["ops", ops.toLocaleString("en-US")] as const] : []),
    ...(ops === 0 && constants > 0 ? [["constants", constants.toLocaleString("en-US")] as const] : []),
    ...(kernels > 0 ? [["kernels", kernels.toLocaleString("en-US")] as const] : []),
    ...(program.sizes === "" ? [] : [["sizes", program.sizes] as const]),
  ];
  const { memory } = program;
  if (memory !== undefined)
    facts.push(["peak memory", bytesText(memory.peakBytes)], ["arena", bytesText(memory.arenaBytes)]);
  return present([
    heading(program.name, program.kind === "signature" ? "signature" : "what no signature computes"),
    program.title === program.name ? undefined : element("p", {}, element("code", {}, program.title)),
    section("Program", table(facts, "facts")),
    // A device keeps its arrays as it likes.
    memory === undefined || view.kind !== "kernels" || memory.moments === 0
      ? undefined
      : section(
          "Memory over time",
          element(
            "p",
            { class: "doc" },
            "Temporaries in the arena: across, when they live; down, where they lie. Bytes are used again.",
          ),
          memoryChart(memory),
        ),
    element("p", { class: "hint" }, "Click a box to see more of it; ? lists the keys."),
  ]);
}

/** What there is to say where the file has no program. */
export function emptyPanel({ graph, file }: ViewerDocument): readonly HTMLElement[] {
  const doc = "No signature, no name and no update: what the graph computes is shown here once it is written.";
  return [heading(graph, "graph"), element("p", { class: "doc" }, doc), table([["file", file]], "facts")];
}

function heading(name: string, what: string): HTMLElement {
  return element("h2", {}, element("span", { class: "title" }, name), " ", element("span", { class: "what" }, what));
}

function kindText(kind: string): string {
  return kind === "assign" ? "new value of a variable" : kind === "transfer" ? "sent between the sides" : kind;
}

function links(kind: string, ids: readonly string[], { go }: PanelContext, index: ViewIndex): HTMLElement | undefined {
  if (ids.length === 0) return undefined;
  const items = ids.slice(0, mostLinks).map((id) => {
    const type = index.view.types[index.view.nodes[Number(id.slice(1))]?.outputs[0] ?? -1]?.text;
    // Where there are two sides, the one that it lies on, too.
    const side = index.view.groups[sideOf(id, index.view)]?.name;
    const what = id.startsWith("g") ? side : side === undefined ? type : `${type ?? ""} ${side}`;
    const shown = what === undefined ? undefined : element("span", { class: "type" }, what);
    return element(
      "li",
      {},
      button(titleOf(index.view, id), "go there", () => go(kind, id), "link"),
      " ",
      shown,
    );
  });
  const more = ids.length > mostLinks ? [element("li", { class: "hint" }, `and ${ids.length - mostLinks} more`)] : [];
  return element("ul", { class: "links" }, ...items, ...more);
}

/** What it is in the other views. */
function elsewhere(id: string, context: PanelContext): readonly (HTMLElement | undefined)[] {
  const { index, others } = context;
  const own = nodesOf(index, id);
  return others.flatMap((other) => {
    const nodes = linkedNodes(index, own, other);
    const { view } = other;
    if (view.kind === "source") return section("In the source", links("source", nodes.map(nodeId), context, other));
    if (view.kind === "kernels") {
      const around = (node: number): number => view.nodes[node]?.group ?? -1;
      const isKernel = (group: number): boolean => view.groups[group]?.kind === "kernel";
      const kernels = [...new Set(nodes.map(around))].filter(isKernel);
      // A variable, a feed, what is sent.
      const beside = nodes.filter((node) => !isKernel(around(node)));
      const ofForward = new Set(nodes.filter((node) => view.nodes[node]?.role !== "backward").map(around));
      // What is itself a gradient, or asks for one, went into those kernels.
      const isAsked = own.some((node) => {
        const { role, op } = index.view.nodes[node] ?? {};
        return role === "backward" || op === "gradients";
      });
      const gradient = isAsked ? [] : kernels.filter((group) => !ofForward.has(group));
      const forward = kernels.filter((group) => !gradient.includes(group));
      const title = forward.length === 0 ? "Among the kernels" : "Kernels it went into";
      return [
        section(title, links("kernels", [...forward.map(groupId), ...beside.map(nodeId)], context, other)),
        section("Kernels of its gradient", links("kernels", gradient.map(groupId), context, other)),
      ];
    }
    const backward = nodes.filter((node) => view.nodes[node]?.role === "backward");
    const isRequest = id.startsWith("n") && index.view.nodes[Number(id.slice(1))]?.op === "gradients";
    const title = isRequest ? "Expanded to" : index.view.kind === "source" ? "Its gradient" : "Gradients in it";
    return section(title, links("gradients", backward.map(nodeId), context, other));
  });
}

function actions(id: string, { toggle, isOpen, highlight }: PanelContext): HTMLElement {
  const isGroup = id.startsWith("g");
  const opening = isGroup ? [button(isOpen(id) ? "Close" : "Open", "Enter", () => toggle(id))] : [];
  return element(
    "p",
    { class: "actions" },
    ...opening,
    button("What it depends on", "key a", () => highlight("ancestors")),
    button("What depends on it", "key d", () => highlight("descendants")),
  );
}
