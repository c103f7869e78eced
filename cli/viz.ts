import { extname } from "node:path";
import { type DeviceName, deviceNames } from "../compiler/backends/gpu/devices/device.js";
import { probe } from "../compiler/backends/llvm/availability.js";
import { type KernelListing, listingsOf } from "../compiler/backends/llvm/listing.js";
import { hostTarget } from "../compiler/backends/llvm/target.js";
import { problem } from "../compiler/ir/codes.js";
import { GraphError } from "../compiler/ir/diagnostic.js";
import { type Graph, rootsOf } from "../compiler/ir/graph.js";
import { nearestName } from "../compiler/ir/nearest.js";
import { type Node, nodesBelow } from "../compiler/ir/node.js";
import { selectRequest, selectSignature } from "../compiler/ir/select.js";
import { dimsOf } from "../compiler/ir/specialise.js";
import type { KernelProgram } from "../compiler/kernels/form.js";
import { prepareComputation } from "../compiler/prepare.js";
import { writeFileAtomic } from "../runtime/files/atomic.js";
import { withCode } from "../viewer/code.js";
import { documentOf, type Lower, type Shown } from "../viewer/document.js";
import { dotText } from "../viewer/dot.js";
import { localEngine } from "../viewer/elk.js";
import { htmlText } from "../viewer/html.js";
import { layOut } from "../viewer/layout.js";
import type { GroupModel, ViewerDocument, ViewKind, ViewModel } from "../viewer/model.js";
import type { Direction } from "../viewer/placed.js";
import type { Placing } from "../viewer/placement.js";
import { pngOf } from "../viewer/png.js";
import { svgText } from "../viewer/svg.js";
import { alwaysOpen, firstOpen, visibleOf } from "../viewer/visible.js";
import { builtInOf } from "./built_ins.js";
import type { CommonOptions, Console } from "./console.js";
import { type ExitCode, exitCodes, UsageError } from "./failure.js";
import { openGraph } from "./front_end.js";
import type { LoadOptions } from "./load.js";
import { readProfile } from "./measured_times.js";
import { bytesText, countText, plural } from "./numbers.js";
import type { Sizes } from "./options.js";
import { requireApart, requireOutputs, requirePictures } from "./outputs.js";
import { signatureText } from "./signatures.js";
import { sourceText } from "./source.js";
import { type Choice, choicesOf, originRemarks, type Sized, sizesFor } from "./specialisation.js";
import { requireDevice, unplacedOn } from "./target.js";

export interface VizOptions extends CommonOptions, LoadOptions {
  readonly output: string;
  readonly signature?: string | undefined;
  readonly dim?: Sizes | undefined;
  readonly view: ViewKind;
  readonly direction: Direction;
  /** A file that `--profile` wrote. */
  readonly profile?: string | undefined;
  readonly expand?: readonly string[] | undefined;
  readonly target?: "cpu" | "gpu" | undefined;
  /** What the gpu is called in the picture. */
  readonly device?: DeviceName | undefined;
  /** Whether a page has what the kernels are compiled to. */
  readonly code?: boolean | undefined;
}

/** Where a screen shows one pixel, a document may be printed at twice as many. */
const pngScale = 2;

const writers: Readonly<Record<string, (picture: Picture, options: VizOptions) => Promise<string | Uint8Array>>> = {
  ".html": async ({ document, kernels }, { code }) =>
    htmlText(code === false ? document : await withCode(document, kernels, nativeListings)),
  ".svg": (picture) => drawSvg(picture, "both"),
  ".png": async (picture) => pngOf(await drawSvg(picture, "light"), pngScale),
  ".dot": async (picture) => {
    requireView(picture);
    return dotText(visibleOf(picture.view, picture.open), picture.title, picture.direction);
  },
};

/** One view of one program, with what is open in it. */
interface Picture {
  readonly document: ViewerDocument;
  /** Of each program that has kernels, by its name. */
  readonly kernels: ReadonlyMap<string, readonly KernelProgram[]>;
  readonly program: ViewerDocument["programs"][number];
  readonly view: ViewModel;
  readonly open: ReadonlySet<number>;
  readonly title: string;
  readonly direction: Direction;
}

/** Draws a graph into a file, of the form that the file's name asks for. */
export async function viz(console: Console, file: string, options: VizOptions): Promise<ExitCode> {
  const writer = writers[extname(options.output).toLowerCase()];
  if (writer === undefined) {
    const known = Object.keys(writers).join(", ");
    throw new UsageError(`--output ${options.output}: a picture's name ends in one of ${known}`);
  }
  requireApart([options.output], [file]);
  const graph = openGraph(console, file, options);
  await requireOutputs(console, [options.output]);
  await requirePictures([options.output]);
  const measured = options.profile === undefined ? undefined : await readProfile(options.profile);
  const placing = placingOf(graph, options, measured?.device);
  const lower = placing === undefined ? undefined : await lowering(placing);
  const { shown, sized } = programsOf(graph, options);
  const kernels = new Map<string, KernelProgram[]>();
  const document = documentOf(graph, shown, {
    file,
    textOf: sourceText,
    builtInOf,
    target: hostTarget(),
    device: measured?.device ?? "cpu",
    times: measured?.times ?? new Map(),
    onKernels: (name, program) => kernels.set(name, [...(kernels.get(name) ?? []), program]),
    lower,
    placing,
  });
  const content = await writer(pictureOf(document, kernels, options), options);
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  await writeFileAtomic(options.output, [bytes]);
  if (console.isJson) console.object({ output: options.output, bytes: bytes.length, diagnostics: [] });
  else console.say(`${options.output}: ${bytesText(bytes.length)}`);
  for (const remark of originRemarks(sized)) console.note(remark);
  const remark = options.profile === undefined ? undefined : timesRemark(options.profile, document);
  if (remark !== undefined) console.note(remark);
  return exitCodes.fine;
}

/** What of the kernels a profile has no times of. Undefined where it has all of what it ran. */
function timesRemark(profile: string, { programs }: ViewerDocument): string | undefined {
  const counted = programs.map(({ name, views }) => {
    const kernels = views
      .flatMap(({ groups }) => groups.flatMap(({ kernel }) => kernel ?? []))
      .filter(({ work }) => work !== undefined);
    return { name, all: kernels.length, timed: kernels.filter(({ seconds }) => seconds !== undefined).length };
  });
  const ran = counted.filter(({ timed }) => timed > 0);
  if (ran.length === 0)
    return `${profile} has no times of these kernels: it is of another file, or ran other signatures`;
  const partly = ran.filter(({ all, timed }) => timed < all);
  if (partly.length === 0) return undefined;
  const counts = partly.map(({ name, all, timed }) => `${countText(timed)} of ${plural(all, "kernel")} of ${name}`);
  return `${profile} has times of ${counts.join(" and ")}: it is of another state of the file, or of other sizes`;
}

/** What the pictures show: the signature asked for, or all, the one that trains first. */
function programsOf(
  graph: Graph,
  options: VizOptions,
): { readonly shown: readonly Shown[]; readonly sized: readonly Sized[] } {
  const chosen = choicesOf(graph, options.signature);
  const choices = options.signature === undefined ? [...chosen, ...unreached(graph, chosen)] : chosen;
  const sized: Sized[] = [];
  const shown = [...choices].sort(trainedFirst(graph)).map((choice): Shown => {
    const sizes = sizesFor(graph, choice, dimsOf(prepareComputation(graph, choice.selection)), options.dim);
    sized.push(sizes);
    const signature = graph.signatures.find(({ name }) => name === choice.name);
    return {
      name: choice.name,
      title: signature === undefined ? choice.name : signatureText(graph, signature),
      selection: choice.selection,
      sizes: sizes.dims,
      open: sizes.open,
    };
  });
  return { shown, sized };
}

/** The names of the graph that no signature computes, so that a picture leaves nothing out. */
function unreached(graph: Graph, choices: readonly Choice[]): readonly Choice[] {
  const reached = new Set<Node>();
  for (const { selection } of choices) {
    const computation =
      selection.kind === "signature" ? selectSignature(graph, selection.name) : selectRequest(graph, selection);
    for (const node of nodesBelow(rootsOf(computation))) reached.add(node);
  }
  const fetches = [...graph.inference.names.keys()].filter((name) => {
    if (name.includes("/") || graph.strings.has(name)) return false;
    const values = [graph.inference.names.get(name), graph.training.names.get(name)];
    return !values.some((value) => value !== undefined && reached.has(value.node));
  });
  return fetches.length === 0 ? [] : [{ name: "other names", selection: { kind: "request", fetches, updates: [] } }];
}

function trainedFirst(graph: Graph): (a: Choice, b: Choice) => number {
  const rank = ({ name }: Choice): number => (name === graph.train?.run ? 0 : 1);
  return (a, b) => rank(a) - rank(b);
}

/** Where things lie, where a device has a share; its name is the one asked for, else that of the profile. */
function placingOf(graph: Graph, { target, device }: VizOptions, measured: string | undefined): Placing | undefined {
  requireDevice(target, device, graph);
  const unplaced = unplacedOn(graph, target);
  if (unplaced === undefined) return undefined;
  const name = device ?? deviceNames.find((one) => measured?.startsWith(`${one} (`) === true);
  // A profile has the adapter, too. Where the processor plays the device, it is the other side as well.
  return { unplaced, device: name === undefined ? "gpu" : name === "cpu" ? "gpu (cpu)" : name };
}

async function lowering(placing: Placing): Promise<Lower> {
  const { lowerForDevice } = await import("../viewer/device_parts.js");
  return (computation) => lowerForDevice(computation, placing, hostTarget());
}

async function nativeListings(program: KernelProgram): Promise<ReadonlyMap<string, KernelListing> | string> {
  if (!probe().available) return "Native code is not made on this machine: graphc doctor says what is missing.";
  return listingsOf(program, hostTarget());
}

function pictureOf(
  document: ViewerDocument,
  kernels: ReadonlyMap<string, readonly KernelProgram[]>,
  options: VizOptions,
): Picture {
  const program = document.programs[0] ?? emptyProgram;
  const view = program.views.find(({ kind }) => kind === options.view) ?? emptyView;
  const title = `${document.graph}: ${program.name}`;
  return {
    document,
    kernels,
    program,
    view,
    open: openGroups(view, options.expand),
    title,
    direction: options.direction,
  };
}

const emptyView: ViewModel = { kind: "source", missing: undefined, nodes: [], groups: [], types: [] };
const emptyProgram: Picture["program"] = {
  name: "nothing",
  kind: "signature",
  title: "",
  sizes: "",
  views: [],
  names: [],
  memory: undefined,
  unlisted: undefined,
};

/** The groups of these names, and those around them. Throws GraphError G083 for a name that no group has. */
function openGroups(view: ViewModel, names: readonly string[] | undefined): ReadonlySet<number> {
  if (names === undefined) return firstOpen(view);
  const open = new Set(alwaysOpen(view));
  for (const name of names) {
    const found = view.groups.flatMap((group, index) => (name === "all" || isNamed(group, name) ? [index] : []));
    if (found.length === 0 && name !== "all") throw unknownGroup(view, name);
    for (let index of found) {
      for (; index >= 0; index = view.groups[index]?.parent ?? -1) open.add(index);
    }
  }
  return open;
}

/** A call that is bound to no name is called by the name of its function. */
function isNamed(group: GroupModel, name: string): boolean {
  return group.name === name || group.name === `${name}()`;
}

function unknownGroup(view: ViewModel, name: string): GraphError {
  const names = [...new Set(view.groups.map((group) => group.name))];
  const nearest = nearestName(name, names);
  const some = names.length === 0 ? "it has no groups" : `there is ${names.slice(0, 8).join(", ")}`;
  return new GraphError([
    problem("G083", undefined, `the view has no group \`${name}\``, {
      hint: nearest === undefined ? some : `did you mean \`${nearest}\`?`,
    }),
  ]);
}

/** A page says itself what is missing. */
function requireView({ view }: Picture): void {
  if (view.missing !== undefined) throw new UsageError(view.missing);
}

async function drawSvg(picture: Picture, themes: "both" | "light"): Promise<string> {
  requireView(picture);
  const { program, view, open, title, direction } = picture;
  const placed = await layOut(visibleOf(view, open), direction, localEngine());
  return svgText(placed, view, program, { title, colour: "structure", themes });
}
