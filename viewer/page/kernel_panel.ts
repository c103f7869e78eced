import type { KernelModel, ProgramModel, ViewerDocument, ViewModel } from "../model.js";
import { groupId } from "../visible.js";
import { codeBlock } from "./code_block.js";
import { button, bytesText, element, plural, section, table } from "./dom.js";
import { stemsOf, type ViewIndex } from "./links.js";

interface Listed {
  readonly program: ProgramModel;
  readonly copy: (text: string) => void;
}

export interface KernelContext extends Listed {
  readonly document: ViewerDocument;
  readonly index: ViewIndex;
  /** The other views of the program. */
  readonly others: readonly ViewIndex[];
  readonly go: (kind: string, id: string) => void;
}

/** Kernels of one loop that are listed with their code; the others are counted. */
const mostInner = 24;

/** What the panel says of kernels: what a call costs, the code, and why an op went into the kernel it went into. */

/** Time and work of a call; undefined for a loop around kernels that nobody measured. */
export function costOf({ work, seconds }: KernelModel): HTMLElement | undefined {
  const rows: (readonly [string, string])[] = [];
  if (seconds !== undefined) rows.push(["measured", secondsText(seconds)]);
  if (work !== undefined) {
    const { operations, transcendentals, readBytes, writtenBytes } = work;
    // What is too short for the clock has no rate.
    const hasRate = seconds !== undefined && seconds > 0 && operations !== undefined && operations > 0;
    const rate = hasRate ? `, ${(operations / seconds / 1e9).toPrecision(3)} GFLOP/s` : "";
    rows.push([
      "operations",
      operations === undefined ? "as many as it takes" : `${operations.toLocaleString("en-US")}${rate}`,
    ]);
    if (transcendentals > 0) rows.push(["calls of functions such as exp", transcendentals.toLocaleString("en-US")]);
    rows.push(["reads", bytesText(readBytes)], ["writes", bytesText(writtenBytes)]);
  }
  return rows.length === 0 ? undefined : table(rows, "facts");
}

/** The same in one line, for lists. */
function costLine({ work, seconds }: KernelModel): string {
  const parts = seconds === undefined ? [] : [secondsText(seconds)];
  if (work !== undefined) {
    const { operations, transcendentals, readBytes, writtenBytes } = work;
    parts.push(operations === undefined ? "as many operations as it takes" : plural(operations, "operation"));
    if (transcendentals > 0) parts.push(`${plural(transcendentals, "call")} of functions such as exp`);
    parts.push(`reads ${bytesText(readBytes)}`, `writes ${bytesText(writtenBytes)}`);
  }
  return parts.join(", ");
}

export function secondsText(seconds: number): string {
  return `${(seconds * 1e6).toPrecision(3)} µs`;
}

/** The code of a kernel, closed: a listing is made when it is opened. */
export function listings(kernel: KernelModel, { program, copy }: Listed, of = ""): readonly HTMLElement[] {
  const unlisted = kernel.unlisted ?? program.unlisted;
  if (kernel.listings.length === 0) return unlisted === undefined ? [] : [element("p", { class: "hint" }, unlisted)];
  return kernel.listings.map(({ form, what, text }) => folded(form, what, text, copy, `${of}${form}`));
}

/** `kept`: what it is called when the panel is made anew. */
function folded(title: string, what: string, text: string, copy: Listed["copy"], kept = title): HTMLElement {
  const details = element("details", {}, element("summary", {}, title, " ", element("span", { class: "type" }, what)));
  details.dataset["form"] = kept;
  details.addEventListener("toggle", () => {
    if (details.open && details.childElementCount === 1) details.append(codeBlock(text, copy));
  });
  return details;
}

/** The forms of code that stand open: they stay so when the panel is made anew, as after a layout, and from kernel to kernel. */
export function unfoldedIn(panel: HTMLElement): ReadonlySet<string> {
  const open = panel.querySelectorAll<HTMLDetailsElement>("details[data-form][open]");
  return new Set([...open].map(({ dataset }) => dataset["form"] ?? ""));
}

export function unfold(panel: HTMLElement, forms: ReadonlySet<string>): void {
  for (const details of panel.querySelectorAll<HTMLDetailsElement>("details[data-form]"))
    if (forms.has(details.dataset["form"] ?? "")) details.open = true;
}

/** Of an op: why it was fused or not, and the kernel that computes it, in whichever view the op stands. */
export function explanation(at: number, context: KernelContext): readonly (HTMLElement | undefined)[] {
  const kernels = [context.index, ...context.others].find(({ view }) => view.kind === "kernels");
  if (kernels === undefined) return [];
  const made = madeOf(at, context.index, kernels);
  const node = made === undefined ? undefined : kernels.view.nodes[made];
  if (node === undefined) return [];
  const why = node.why.length === 0 ? undefined : element("ul", {}, ...node.why.map((text) => element("li", {}, text)));
  return [section("Why", why), ...callOf(kernelAround(kernels.view, node.group), kernels.view, context)];
}

/** Of the group of a loop or branch: what there is to say of the op that it is the body of. */
export function explanationOfLoop(group: number, context: KernelContext): readonly (HTMLElement | undefined)[] {
  const at = context.index.view.nodes.findIndex((node) => node.group === group && node.work === "region");
  return at < 0 ? [] : explanation(at, context);
}

/** What a call of a kernel costs, and its code: of a loop or branch, its own and that of each kernel in it. */
export function callOf(at: number, view: ViewModel, context: KernelContext): readonly (HTMLElement | undefined)[] {
  const group = view.groups[at];
  const kernel = group?.kernel;
  if (group === undefined || kernel === undefined) return [];
  const { code } = kernel;
  return [
    section(
      `In ${group.name}, a call`,
      costOf(kernel),
      folded("loops", plural(code.split("\n").length, "line"), code, context.copy),
      ...listings(kernel, context),
    ),
    kernelsWithin(at, view, context),
  ];
}

/** The kernels that run in a loop or branch, in their order, each with what a call costs and its code; undefined for other kernels. */
export function kernelsWithin(at: number, view: ViewModel, context: KernelContext): HTMLElement | undefined {
  const inner = view.groups.flatMap((group, i) => (i !== at && isWithin(i, at, view) ? [{ group, i }] : []));
  const items = inner.slice(0, mostInner).flatMap(({ group: { name, text, kernel }, i }) => {
    if (kernel === undefined) return [];
    const { order, code } = kernel;
    const cost = costLine(kernel);
    return element(
      "div",
      { class: "inner" },
      element(
        "p",
        {},
        button(`#${order} ${name}`, "go there", () => context.go("kernels", groupId(i)), "link"),
        " ",
        element("span", { class: "type" }, text),
      ),
      cost === "" ? undefined : element("p", { class: "doc" }, cost),
      folded("loops", plural(code.split("\n").length, "line"), code, context.copy, `${name} loops`),
      ...(kernel.listings.length === 0 ? [] : listings(kernel, context, `${name} `)),
    );
  });
  const more = inner.length - items.length;
  const rest = more > 0 ? element("p", { class: "hint" }, `and ${more} more`) : undefined;
  return section("Kernels in it, a call of each", ...items, rest);
}

function isWithin(group: number, around: number, { groups }: ViewModel): boolean {
  for (let at = group; at >= 0; at = groups[at]?.parent ?? -1)
    if (at === around) return groups[group]?.kernel !== undefined;
  return false;
}

/** The node among the kernels: itself, or the last that the forward pass made of it. */
function madeOf(at: number, index: ViewIndex, kernels: ViewIndex): number | undefined {
  if (index === kernels) return at;
  const stems = stemsOf(index.view, [at]);
  const isBackward = index.view.nodes[at]?.role === "backward";
  const made = [...stems].flatMap((stem) => kernels.stemming.get(stem) ?? []);
  return made.filter((node) => (kernels.view.nodes[node]?.role === "backward") === isBackward).at(-1);
}

/** The innermost kernel around what stands in a group; -1 where there is none. */
export function kernelAround({ groups }: ViewModel, from: number): number {
  for (let at = from; at >= 0; at = groups[at]?.parent ?? -1) if (groups[at]?.kernel !== undefined) return at;
  return -1;
}
