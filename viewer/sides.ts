import { fewNumbers, type Transfer } from "../compiler/backends/gpu/transfers.js";
import { type Computation, rootsOf } from "../compiler/ir/graph.js";
import type { Buffer } from "../compiler/kernels/form.js";
import type { Place, ViewBuilder } from "./builder.js";
import { GivenBoxes } from "./given.js";
import { addKernels, type LoweredPart } from "./kernel_view.js";
import { sideName } from "./placement.js";
import type { Stages } from "./stages.js";
import type { KernelTimes } from "./times.js";

/** A computation in parts, which hand each other edges: outputs of one part, placeholders of the others. */
export interface Lowered {
  readonly parts: readonly LoweredPart[];
  /** What the device is called. */
  readonly device: string;
  /** What the run makes of what the parts give, in order: results and new values of variables. */
  readonly ends: readonly End[];
  readonly transfers: readonly Transfer[];
}

export interface End {
  readonly kind: "output" | "assign";
  readonly name: string;
  /** The edge, or the variable that stays as it is. */
  readonly from: { readonly kind: "edge" | "variable"; readonly name: string };
}

/** Fills a view with the kernels of a computation in parts, each a group of its side, and what crosses between them. Gives the sides' groups. */
export function addParts(
  builder: ViewBuilder,
  computation: Computation,
  lowered: Lowered,
  times: readonly KernelTimes[],
  stages: Stages,
): readonly number[] {
  const { parts, ends } = lowered;
  const groups = parts.map(({ device }, i) =>
    addSide(builder, sideName(device === "gpu" ? "gpu" : "cpu", lowered.device), i, parts.length),
  );
  const given = new GivenBoxes(builder);
  given.know(rootsOf(computation));
  for (const { observed } of parts) given.learn(observed);
  const homes = homesOf(lowered);
  const transfers = new TransferBoxes(builder, lowered);
  const variable = (path: string): readonly Place[] => given.variable(path, groups[homes.get(path)?.part ?? -1] ?? -1);
  /** The part that gives an edge, and from where. */
  const made = new Map<string, { readonly part: number; readonly places: readonly Place[] }>();

  const givenTo = (part: number, buffer: Buffer): readonly Place[] => {
    const { device } = parts[part] as LoweredPart;
    const { storage } = buffer;
    if (storage.kind === "variable") {
      const places = variable(storage.path);
      const home = homes.get(storage.path)?.device;
      return home === undefined || home === device ? places : transfers.variable(storage.path, device, places);
    }
    if (storage.kind !== "placeholder") return given.placesOf(buffer, groups[part] ?? -1);
    const edge = made.get(storage.name);
    if (edge !== undefined) {
      const isSame = parts[edge.part]?.device === device;
      return isSame ? edge.places : transfers.edge(storage.name, device, edge.places);
    }
    const places = given.placesOf(buffer, -1);
    return device === "gpu" ? transfers.edge(storage.name, device, places) : places;
  };

  const assigns = new Map(
    ends.flatMap(({ kind, name, from }) => (kind === "assign" && from.kind === "edge" ? [[from.name, name]] : [])),
  );
  let base = 0;
  parts.forEach((part, i) => {
    const assigned = new Map(
      part.program.outputs.flatMap(({ name, buffer }) => {
        const path = assigns.get(name);
        return path === undefined ? [] : [[buffer, path]];
      }),
    );
    const given = (buffer: Buffer): readonly Place[] => givenTo(i, buffer);
    const surroundings = { group: groups[i] ?? -1, base, given, assigned, stages };
    const outputs = addKernels(builder, part, times[i] ?? new Map(), surroundings);
    for (const [name, places] of outputs) made.set(name, { part: i, places });
    base += part.program.buffers.length;
  });
  for (const { kind, name, from } of ends) {
    const edge = from.kind === "edge" ? made.get(from.name) : undefined;
    const places = from.kind === "variable" ? variable(from.name) : (edge?.places ?? []);
    const part = edge === undefined ? undefined : parts[edge.part];
    if (kind === "assign")
      builder.sink(kind, name, places, "update", edge === undefined ? -1 : (groups[edge.part] ?? -1));
    else if (part?.device === "gpu") {
      builder.sink(kind, name, transfers.result(name, from.name, places), "forward", -1);
    } else {
      const isOnDevice = from.kind === "variable" && homes.get(from.name)?.device === "gpu";
      builder.sink(kind, name, isOnDevice ? transfers.fetched(name, from.name, places) : places, "forward", -1);
    }
  }
  for (const { name, what } of lowered.transfers)
    if (what === "flags") transfers.edge(name, "cpu", made.get(name)?.places ?? []);
  return groups;
}

function addSide(builder: ViewBuilder, name: string, part: number, parts: number): number {
  builder.groups.push({
    kind: "side",
    name,
    text: parts === 1 ? "" : `part ${part + 1} of ${parts}`,
    role: "forward",
    parent: -1,
    places: [],
    kernel: undefined,
  });
  return builder.groups.length - 1;
}

interface Home {
  readonly device: string;
  /** The first part there that reads it; undefined where none does. */
  readonly part: number | undefined;
}

/** Where variables are kept: on the side that gives them new values, else on the one that alone reads them. */
function homesOf({ parts, ends }: Lowered): ReadonlyMap<string, Home> {
  const assigned = new Map<string, string>();
  const makers = new Map(parts.flatMap(({ program, device }) => program.outputs.map(({ name }) => [name, device])));
  for (const { kind, name, from } of ends) {
    const maker = from.kind === "edge" ? makers.get(from.name) : undefined;
    if (kind === "assign" && maker !== undefined) assigned.set(name, maker);
  }
  const readers = new Map<string, number[]>();
  parts.forEach(({ program }, part) => {
    for (const { storage } of program.buffers)
      if (storage.kind === "variable") readers.set(storage.path, [...(readers.get(storage.path) ?? []), part]);
  });
  const fetched = new Set(
    ends.flatMap(({ kind, from }) => (kind === "output" && from.kind === "variable" ? [from.name] : [])),
  );
  const homes = new Map<string, Home>();
  for (const path of new Set([...assigned.keys(), ...readers.keys()])) {
    const reading = readers.get(path) ?? [];
    const devices = new Set(reading.map((part) => parts[part]?.device ?? ""));
    // Who fetches it reads it on the processor.
    if (fetched.has(path)) devices.add("cpu");
    const [only] = devices;
    const device = assigned.get(path) ?? (devices.size === 1 ? only : undefined);
    if (device !== undefined) homes.set(path, { device, part: reading.find((part) => parts[part]?.device === device) });
  }
  return homes;
}

/** The boxes of what is sent, each made when something first reads what arrives. */
class TransferBoxes {
  readonly #builder: ViewBuilder;
  readonly #device: string;
  readonly #transfers: ReadonlyMap<string, Transfer>;
  readonly #numbers = new Map<number, number>();
  readonly #boxes = new Map<string, Place>();
  readonly #groups = new Map<number, number>();

  constructor(builder: ViewBuilder, { transfers, device }: Lowered) {
    this.#builder = builder;
    this.#device = device;
    this.#transfers = new Map(transfers.map((one) => [keyOf(one.direction, kindOf(one.what), one.name), one]));
    for (const { what, before } of transfers)
      if (what === "number") this.#numbers.set(before, (this.#numbers.get(before) ?? 0) + 1);
  }

  edge(name: string, to: string, from: readonly Place[]): readonly Place[] {
    return this.#sent(keyOf(to === "gpu" ? "up" : "down", "edge", name), from);
  }

  variable(path: string, to: string, from: readonly Place[]): readonly Place[] {
    return this.#sent(keyOf(to === "gpu" ? "up" : "down", "variable", path), from);
  }

  /** A result, which the processor may have read before as an edge. */
  result(name: string, edge: string, from: readonly Place[]): readonly Place[] {
    const known = keyOf("down", "edge", edge);
    return this.#sent(this.#transfers.has(known) ? known : keyOf("down", "result", name), from);
  }

  /** What a variable was before the run, which the processor may have read. */
  fetched(name: string, path: string, from: readonly Place[]): readonly Place[] {
    const known = keyOf("down", "variable", path);
    return this.#sent(this.#transfers.has(known) ? known : keyOf("down", "result", name), from);
  }

  #name(): string {
    return this.#device === "gpu" ? "the gpu" : this.#device;
  }

  #sent(key: string, from: readonly Place[]): readonly Place[] {
    const known = this.#boxes.get(key);
    const transfer = this.#transfers.get(key);
    if (known !== undefined) return [known];
    // What was there before the run is not sent in it.
    if (transfer === undefined) return from;
    const { direction, name, type, bytes, what, before } = transfer;
    const text = what === "number" ? `${direction}, in launches` : `${direction}, ${bytesText(bytes)}`;
    const place: Place = [
      this.#builder.passing(from, {
        kind: "transfer",
        name,
        text,
        work: "transfer",
        group: what === "number" ? this.#numbersBefore(before) : -1,
        outputs: [this.#builder.type(type)],
        attributes: [
          [
            "sent",
            direction === "up" ? `from the processor to ${this.#name()}` : `from ${this.#name()} to the processor`,
          ],
          ["bytes", what === "number" ? "4, as an argument of launches" : bytes.toLocaleString("en-US")],
          ["what", whatTexts[what]],
        ],
      }),
      0,
    ];
    this.#boxes.set(key, place);
    return [place];
  }

  /** Numbers are arguments of launches: those of one part go over together. */
  #numbersBefore(part: number): number {
    const count = this.#numbers.get(part) ?? 0;
    if (count < fewNumbers) return -1;
    const known = this.#groups.get(part);
    if (known !== undefined) return known;
    this.#builder.groups.push({
      kind: "transfers",
      name: `${count} numbers`,
      text: `up, ${bytesText(4 * count)} in launches`,
      role: "forward",
      parent: -1,
      places: [],
      kernel: undefined,
    });
    this.#groups.set(part, this.#builder.groups.length - 1);
    return this.#builder.groups.length - 1;
  }
}

const whatTexts: Readonly<Record<Transfer["what"], string>> = {
  feed: "a feed",
  edge: "a value that the other side computed",
  variable: "a variable that the other side assigns",
  result: "a result of the run",
  flags: "whether a check failed",
  number: "a number",
};

/** A result has the name that the run gives it, which may be that of another edge. */
function kindOf(what: Transfer["what"]): "variable" | "result" | "edge" {
  return what === "variable" || what === "result" ? what : "edge";
}

function keyOf(direction: Transfer["direction"], kind: "variable" | "result" | "edge", name: string): string {
  return `${direction} ${kind} ${name}`;
}

function bytesText(bytes: number): string {
  return `${bytes.toLocaleString("en-US")} ${bytes === 1 ? "byte" : "bytes"}`;
}
