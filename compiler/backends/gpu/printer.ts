import type { Computation } from "../../ir/graph.js";
import type { KernelProgram } from "../../kernels/form.js";
import { deviceEdges, lowerPart, partsOf } from "./compile.js";
import type { DeviceKernel, NumberArgument, Step } from "./form.js";
import type { Origin } from "./partition.js";

/** What a device is given for a computation: its parts, and in them each launch with the source of its kernel. For people. */
export function printDevice(computation: Computation): string {
  const { partition, placement } = partsOf(computation);
  const onDevice = deviceEdges(partition);
  const lines = [`gpu ${computation.name} {`];
  const reasons = placement.reasons.map(({ node, reason }) => `  # on the cpu: ${node.op}, as ${reason}`);
  lines.push(...new Set(reasons));
  for (const part of partition.parts) {
    const { outputs, placeholders } = part.computation;
    const list = (names: readonly string[]): string => names.map((name) => JSON.stringify(name)).join(", ");
    const names = (from: readonly { readonly name: string }[]): string => list(from.map(({ name }) => name));
    if (part.side === "host") {
      lines.push(`  cpu (${names(placeholders)}) -> (${names(outputs)})`);
      continue;
    }
    const { program, lowered } = lowerPart(part, onDevice);
    lines.push(`  device (${names(placeholders)}) -> (${names(outputs)}) {`);
    lines.push(...lowered.steps.flatMap((step) => printStep(step, program)).map((line) => `    ${line}`));
    for (const { name, buffer } of program.outputs) lines.push(`    ${JSON.stringify(name)} = b${buffer}`);
    lines.push("  }");
  }
  computation.outputs.forEach(({ name }, i) => {
    lines.push(`  output ${JSON.stringify(name)} = ${originText(partition.outputs[i])}`);
  });
  for (const { path, origin } of partition.assignments)
    lines.push(`  assign ${JSON.stringify(path)} = ${originText(origin)}`);
  lines.push("}");
  return `${lines.join("\n")}\n`;
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
        `b${step.output} = ${step.kernel.name}[${step.kernel.length}](${argumentsOf(step.kernel, program)})`,
        ...sourceOf(step.kernel),
      ];
    case "alias":
      return [`b${step.to} = b${step.from}`];
    case "loop":
      return [`for i${step.loop} < ${step.extent} {`, ...inner(step.body), "}"];
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
