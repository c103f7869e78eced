import type { GroupModel, KernelModel, ProgramModel, ViewerDocument, ViewModel } from "../model.js";
import { codeBlock } from "./code_block.js";
import { bytesText, element, section, table } from "./dom.js";
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
}

/** What the panel says of kernels: what a call costs, the code, and why an op went into the kernel it went into. */

/** Time and work of a call; undefined for a loop around kernels that nobody measured. */
export function costOf({ work, seconds }: KernelModel): HTMLElement | undefined {
  const rows: (readonly [string, string])[] = [];
  if (seconds !== undefined) rows.push(["measured", `${(seconds * 1e6).toPrecision(3)} µs`]);
  if (work !== undefined) {
    const { operations, transcendentals, readBytes, writtenBytes } = work;
    const rate =
      seconds === undefined || operations === undefined
        ? ""
        : `, ${(operations / seconds / 1e9).toPrecision(3)} GFLOP/s`;
    rows.push([
      "operations",
      operations === undefined ? "as many as it takes" : `${operations.toLocaleString("en-US")}${rate}`,
    ]);
    if (transcendentals > 0) rows.push(["calls of functions such as exp", transcendentals.toLocaleString("en-US")]);
    rows.push(["reads", bytesText(readBytes)], ["writes", bytesText(writtenBytes)]);
  }
  return rows.length === 0 ? undefined : table(rows, "facts");
}

/** The code of a kernel, closed: a listing is made when it is opened. */
export function listings(kernel: KernelModel, { program, copy }: Listed): readonly HTMLElement[] {
  const unlisted = kernel.unlisted ?? program.unlisted;
  if (kernel.listings.length === 0) return unlisted === undefined ? [] : [element("p", { class: "hint" }, unlisted)];
  return kernel.listings.map(({ form, what, text }) => folded(form, what, text, copy));
}

function folded(title: string, what: string, text: string, copy: Listed["copy"]): HTMLElement {
  const details = element("details", {}, element("summary", {}, title, " ", element("span", { class: "type" }, what)));
  details.dataset["form"] = title;
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
  const group = kernels.view.groups[kernelAround(kernels.view, node.group)];
  return [section("Why", why), group === undefined ? undefined : callOf(group, context)];
}

/** What a call of a kernel costs, and its code. */
export function callOf({ name, kernel }: GroupModel, context: KernelContext): HTMLElement | undefined {
  if (kernel === undefined) return undefined;
  const { code } = kernel;
  return section(
    `In ${name}, a call`,
    costOf(kernel),
    folded("loops", `${code.split("\n").length} lines`, code, context.copy),
    ...listings(kernel, context),
  );
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
