import type { DeviceKind } from "../../ir/device.js";
import { byteSize } from "../../ir/dtype.js";
import { type Computation, rootsOf } from "../../ir/graph.js";
import { type Node, nodesBelow } from "../../ir/node.js";
import { writtenAs } from "../../ir/sources.js";
import type { Span } from "../../ir/span.js";
import { typeText } from "../../ir/type.js";
import { buildKernels } from "../../kernels/build.js";
import type { KernelProgram } from "../../kernels/form.js";
import { printKernels } from "../../kernels/printer.js";
import type { TargetLimits } from "../../kernels/schedule.js";
import { deviceEdges, lackingText, lowerPart, partsOf } from "./compile.js";
import type { DeviceKernel, NumberArgument, Step } from "./form.js";
import type { Origin, Part, Partition } from "./partition.js";
import { detoursOf, fewNumbers, type Transfer, totalsOf, transfersOf } from "./transfers.js";

/** How each part of a computation is shown: the launches that a device is given, or the kernels on both sides. */
export interface PartPrinter {
  /** The lines in the braces of a part of the processor; undefined shows none. */
  readonly host: ((part: Part) => readonly string[]) | undefined;
  readonly device: (part: Part, onDevice: ReadonlySet<string>) => readonly string[];
}

/** Each launch with the source of its kernel. */
export const launches: PartPrinter = {
  host: undefined,
  device: (part, onDevice) => {
    const { program, lowered } = lowerPart(part, onDevice, true);
    const steps = lowered.steps.flatMap((step) => printStep(step, program));
    return [...steps, ...program.outputs.map(({ name, buffer }) => `${JSON.stringify(name)} = b${buffer}`)];
  },
};

/** The kernels of both sides, those of the processor for `target`. */
export function kernelsOn(target: TargetLimits): PartPrinter {
  const linesOf = (program: KernelProgram): readonly string[] => printKernels(program).trimEnd().split("\n");
  return {
    host: ({ computation }) => linesOf(buildKernels(computation, target, { checkNumerics: false })),
    device: (part, onDevice) => linesOf(lowerPart(part, onDevice, true).program),
  };
}

/**
 * The parts of a computation that the processor and a device share: what is computed where, and between them each transfer of a run.
 * What the text places nowhere lies on `unplaced`. `placeOf` writes where a span begins. For people.
 */
export function printParts(
  computation: Computation,
  unplaced: DeviceKind,
  printer: PartPrinter = launches,
  placeOf: (span: Span) => string | undefined = () => undefined,
): string {
  const { partition, placement } = partsOf(computation, unplaced);
  const onDevice = deviceEdges(partition);
  const transfers = transfersOf(computation, partition);
  const lines = [`gpu ${computation.name} {`];
  const reasons = placement.reasons.map(({ node, lacking, reason }) => {
    const inside = lacking === node ? "" : `, for ${lackingText(lacking)} in it`;
    return `  # on the cpu: ${node.op}${inside}, as ${reason}`;
  });
  lines.push(...new Set(reasons));
  const sentOf = nodesSent(computation, partition);
  const lacking = new Set(placement.reasons.map(({ node }) => node.op));
  const detours = detoursOf(partition, transfers, lacking);
  const sent = (before: number): readonly string[] => {
    const [numbers, others] = withNumbers(transfers.filter((one) => one.before === before));
    return [
      ...others.map((one) => `  ${transferText(one, sentOf(one), computation, placeOf)}`),
      ...(numbers.length === 0 ? [] : [`  ${numbersText(numbers, sentOf, computation, placeOf)}`]),
    ];
  };
  partition.parts.forEach((part, i) => {
    const { outputs, placeholders } = part.computation;
    const list = (names: readonly string[]): string => names.map((name) => JSON.stringify(name)).join(", ");
    const names = (from: readonly { readonly name: string }[]): string => list(from.map(({ name }) => name));
    const title = `${part.side === "host" ? "cpu" : "device"} (${names(placeholders)}) -> (${names(outputs)})`;
    const inner = part.side === "host" ? printer.host?.(part) : printer.device(part, onDevice);
    lines.push(...sent(i));
    for (const { ops, bytes } of detours.filter((one) => one.part === i))
      lines.push(`  # the device waits for ${ops.join(", ")}: \`on "gpu"\` there would save ${count(bytes)}`);
    if (inner === undefined) lines.push(`  ${title}`);
    else lines.push(`  ${title} {`, ...inner.map((line) => `    ${line}`), "  }");
  });
  lines.push(...sent(partition.parts.length));
  computation.outputs.forEach(({ name }, i) => {
    lines.push(`  output ${JSON.stringify(name)} = ${originText(partition.outputs[i])}`);
  });
  for (const { path, origin } of partition.assignments)
    lines.push(`  assign ${JSON.stringify(path)} = ${originText(origin)}`);
  const { up, down } = totalsOf(transfers);
  lines.push(`  # a run sends ${count(up)} up and ${count(down)} down`);
  lines.push("}");
  return `${lines.join("\n")}\n`;
}

/** What is sent: the edge, or the node of a feed or a variable. */
function nodesSent(computation: Computation, { edges }: Partition): (transfer: Transfer) => Node | undefined {
  const stored = new Map<string, Node>();
  for (const node of nodesBelow(rootsOf(computation)))
    if (node.op === "placeholder" || node.op === "variable")
      stored.set(`${node.op} ${node.attributes[node.op === "placeholder" ? "name" : "path"]}`, node);
  const results = new Map(computation.outputs.map(({ name, value }) => [name, value.node]));
  return ({ what, name }) => {
    if (what === "result") return results.get(name);
    if (what === "variable") return stored.get(`variable ${name}`);
    return edges.get(name)?.node ?? stored.get(`placeholder ${name}`);
  };
}

/** `up "x" f32[8, 4]: 128 bytes  # a feed, model.graph:3`. */
function transferText(
  { direction, name, type, bytes, what }: Transfer,
  node: Node | undefined,
  { sources }: Computation,
  placeOf: (span: Span) => string | undefined,
): string {
  const spans = node === undefined ? [] : sources.spansOf(node);
  const op = node === undefined || node.op === "placeholder" ? undefined : writtenAs(spans, node.op);
  const why: Readonly<Record<Transfer["what"], string>> = {
    feed: "a feed",
    edge: op ?? "an edge",
    variable: "a variable that the other side assigns",
    result: "where it is fetched",
    flags: "whether a position is out of range",
    number: `${op ?? "a feed"}, an argument of launches`,
  };
  const place = spans[0] === undefined ? undefined : placeOf(spans[0]);
  const at = place === undefined ? "" : `, ${place}`;
  return `${direction} ${JSON.stringify(name)} ${typeText(type)}: ${count(bytes)}  # ${why[what]}${at}`;
}

/** Numbers that go over together, where they are many, and all else. */
function withNumbers(transfers: readonly Transfer[]): readonly [readonly Transfer[], readonly Transfer[]] {
  const numbers = transfers.filter(({ what }) => what === "number");
  return numbers.length < fewNumbers ? [[], transfers] : [numbers, transfers.filter(({ what }) => what !== "number")];
}

/** `up 8 numbers f32: 0 bytes  # adam, 32 bytes of arguments of launches, model.graph:3`. */
function numbersText(
  numbers: readonly Transfer[],
  nodeOf: (transfer: Transfer) => Node | undefined,
  { sources }: Computation,
  placeOf: (span: Span) => string | undefined,
): string {
  const nodes = numbers.map(nodeOf);
  const once = (texts: readonly string[]): string => [...new Set(texts)].join(", ");
  const made = nodes.map((node) =>
    node === undefined || node.op === "placeholder" ? "feeds" : writtenAs(sources.spansOf(node), node.op),
  );
  const places = nodes.flatMap((node) => {
    const [span] = node === undefined ? [] : sources.spansOf(node);
    return span === undefined ? [] : (placeOf(span) ?? []);
  });
  const bytes = `${count(numbers.length * byteSize("f32"))} of arguments of launches`;
  const types = once(numbers.map(({ type }) => typeText(type)));
  return `up ${numbers.length} numbers ${types}: ${count(0)}  # ${once([...made, bytes, ...places])}`;
}

function count(bytes: number): string {
  return `${bytes.toLocaleString("en")} ${bytes === 1 ? "byte" : "bytes"}`;
}

function originText(origin: Origin | undefined): string {
  if (origin === undefined) return "nothing";
  return origin.kind === "edge" ? JSON.stringify(origin.name) : `variable ${JSON.stringify(origin.path)}`;
}

function printStep(step: Step, program: KernelProgram): readonly string[] {
  const inner = (steps: readonly Step[]): readonly string[] =>
    steps.flatMap((one) => printStep(one, program)).map((line) => `  ${line}`);
  switch (step.kind) {
    case "launch":
      return [
        `b${step.output} = ${step.kernel.name}[${sizeText(step.kernel)}](${argumentsOf(step.kernel, program)})`,
        ...sourceOf(step.kernel),
      ];
    case "alias":
      return [`b${step.to} = b${step.from}`];
    case "loop":
      return [
        `for i${step.loop} < ${step.extent} {`,
        ...inner(step.body),
        "}",
        ...step.stacks.map(({ slab, to, isReversed }) => `b${to} = stack(b${slab}${isReversed ? ", last first" : ""})`),
      ];
    case "while":
      return [
        `while b${step.predicate} counting i${step.loop} {`,
        ...inner(step.condition),
        "} do {",
        ...inner(step.body),
        "}",
      ];
    case "branch":
      return [`if b${step.predicate} {`, ...inner(step.whenTrue), "} else {", ...inner(step.whenFalse), "}"];
  }
}

/** Elements, as rows of threads and what each of those makes. */
function sizeText({ grid, perThread }: DeviceKernel): string {
  const threads = [...grid].reverse().join(" x ");
  return perThread === 1 ? threads : `${threads} x ${perThread}`;
}

function argumentsOf({ arrays, numbers }: DeviceKernel, program: KernelProgram): string {
  const array = (id: number): string => {
    const storage = program.buffers[id]?.storage;
    if (storage?.kind === "placeholder") return `b${id} ${JSON.stringify(storage.name)}`;
    return storage?.kind === "variable" ? `b${id} ${JSON.stringify(storage.path)}` : `b${id}`;
  };
  return [...arrays.map(array), ...numbers.map((number) => numberText(number, program))].join(", ");
}

function numberText(argument: NumberArgument, program: KernelProgram): string {
  switch (argument.kind) {
    case "loop":
      return `i${argument.loop}`;
    case "scalar": {
      const storage = program.buffers[argument.buffer]?.storage;
      return storage?.kind === "placeholder" ? JSON.stringify(storage.name) : `b${argument.buffer}`;
    }
    case "key":
      return `key(${JSON.stringify(argument.path)}#${argument.index})[${argument.part}]`;
    case "special":
      return argument.value;
  }
}

function sourceOf({ source, functions }: DeviceKernel): readonly string[] {
  const called = functions.map((text) => /^function (\w+)/.exec(text)?.[1] ?? "").filter((name) => name !== "");
  const lines = source.split("\n").map((line) => `  ${line}`);
  return called.length === 0 ? lines : [...lines, `  # calls ${called.join(", ")}`];
}
