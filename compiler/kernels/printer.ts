import { expressionsOfStatement, operandsOf } from "./access.js";
import type {
  Access,
  Accumulator,
  Affine,
  Buffer,
  BufferId,
  Extent,
  Kernel,
  KernelProgram,
  LoopId,
  ScalarExpr,
  Statement,
} from "./form.js";
import { byteLength } from "./lives.js";

/**
 * Prints a program for people: buffers with their places, then each kernel as nested loops. A value that is used several times
 * gets a name (`%1 = ...`) where it is first used, as it is computed once.
 */
export function printKernels(program: KernelProgram): string {
  const lines = [`kernels ${program.name} {`];
  for (const buffer of program.buffers) lines.push(`  ${bufferLine(buffer, program)}`);
  for (const [phase, kernels] of [
    ["compute", program.compute],
    ["commit", program.commit],
  ] as const) {
    if (kernels.length === 0) continue;
    lines.push(`  ${phase} {`);
    for (const kernel of kernels) lines.push(...printKernel(kernel).map((line) => `    ${line}`));
    lines.push("  }");
  }
  for (const { name, buffer, dtype, shape } of program.outputs)
    lines.push(`  output ${name}: ${dtype}[${shape.join(", ")}] = b${buffer}`);
  program.failures.forEach(({ code, message }, i) => lines.push(`  failure ${i} ${code}: ${message}`));
  lines.push(`  arena ${program.memory.arenaBytes} bytes, peak ${program.memory.peakBytes} bytes`, "}");
  return `${lines.join("\n")}\n`;
}

function bufferLine(buffer: Buffer, { memory }: KernelProgram): string {
  const type = `b${buffer.id}: ${buffer.dtype}[${buffer.length}]`;
  switch (buffer.storage.kind) {
    case "placeholder":
      return `${type} placeholder ${JSON.stringify(buffer.storage.name)}`;
    case "variable":
      return `${type} variable ${JSON.stringify(buffer.storage.path)}`;
    case "constant":
      return `${type} constant`;
    case "run_state":
      return `${type} run_state`;
    case "temporary":
      return `${type} at ${memory.offsets.get(buffer.id)} (${byteLength(buffer)} bytes)  # ${buffer.label}`;
  }
}

/** One kernel, as lines without indentation. */
export function printKernel(kernel: Kernel): readonly string[] {
  switch (kernel.kind) {
    case "nest":
      return [`nest ${kernel.name} {`, ...new Writer(statementsIn(kernel.body)).body(kernel.body, "  "), "}"];
    case "contract": {
      const writer = new Writer([kernel.lhs, kernel.rhs, ...kernel.epilogue.map((store) => store.value)]);
      const s = kernel.schedule;
      const packs = [
        s.packVectorOperand && kernel.panel === undefined ? "vector operand" : "",
        s.packScalarOperand ? "scalar operand" : "",
      ].filter(Boolean);
      const ready =
        kernel.panel === undefined
          ? ""
          : `, vector operand in strips of ${kernel.panel.width} at ${bufferText(kernel.panel.buffer)}`;
      const axes = (name: string, loops: readonly Extent[]): string =>
        loops.length === 0 ? "" : ` ${name}(${loops.map((loop) => `i${loop.id} < ${loop.extent}`).join(", ")})`;
      return [
        `contract ${kernel.name}${axes("batch", kernel.batch)}${axes("m", kernel.m)}${axes("n", kernel.n)}${axes("k", kernel.k)} {`,
        `  ${accumulatorText(kernel.accumulator)} += ${writer.text(kernel.lhs)} * ${writer.text(kernel.rhs)}`,
        ...writer.body(kernel.epilogue, "  "),
        `  schedule lanes ${s.vectorAxis}, tile ${s.rows} x ${s.vectors}, blocks ${s.blockRows} x ${s.blockColumns} x ${s.blockDepth}${s.outerDepth > 0 ? `, turns of ${s.outerDepth}` : ""}` +
          `${ready}, ${packs.length === 0 ? "in place" : `packs ${packs.join(" and ")} into ${kernel.scratch.map(bufferText).join(", ")}`}`,
        "}",
      ];
    }
    case "routine": {
      const parameters = [...kernel.parameters].map(([name, value]) => `${name}=${value}`).join(", ");
      const list = (ids: readonly BufferId[]): string => ids.map(bufferText).join(", ");
      const failure = kernel.failure === undefined ? "" : ` fails ${kernel.failure}`;
      return [
        `routine ${kernel.name} ${kernel.routine}.${kernel.dtype}(${list(kernel.operands)}) -> (${list(kernel.results)})` +
          ` scratch (${list(kernel.scratch)}) {${parameters}}${failure}`,
      ];
    }
    case "loop":
      return [`loop ${kernel.name} i${kernel.loop.id} < ${kernel.loop.extent} {`, ...kernelLines(kernel.body), "}"];
    case "while":
      return [
        `while ${kernel.name} i${kernel.loop} {`,
        ...kernelLines(kernel.condition),
        `} ${new Writer([]).access(kernel.predicate)} {`,
        ...kernelLines(kernel.body),
        "}",
      ];
    case "branch":
      return [
        `branch ${kernel.name} ${new Writer([]).access(kernel.predicate)} {`,
        ...kernelLines(kernel.whenTrue),
        "} else {",
        ...kernelLines(kernel.whenFalse),
        "}",
      ];
  }
}

function kernelLines(kernels: readonly Kernel[]): readonly string[] {
  return kernels.flatMap(printKernel).map((line) => `  ${line}`);
}

function bufferText(id: BufferId): string {
  return `b${id}`;
}

function accumulatorText({ id, combiner, dtype, keyDtype }: Accumulator): string {
  return `a${id}: ${combiner} ${dtype}${keyDtype === dtype ? "" : ` by ${keyDtype}`}`;
}

function affineText({ offset, terms }: Affine): string {
  const parts = terms.map(({ loop, stride }) => (stride === 1 ? loopText(loop) : `${stride}*${loopText(loop)}`));
  if (offset !== 0 || parts.length === 0) parts.push(String(offset));
  return parts.join(" + ").replaceAll("+ -", "- ");
}

function loopText(loop: LoopId): string {
  return `i${loop}`;
}

function statementsIn(body: readonly Statement[]): readonly ScalarExpr[] {
  return body.flatMap((statement) => {
    switch (statement.kind) {
      case "loop":
        return statementsIn(statement.body);
      case "store":
      case "accumulate":
        return expressionsOfStatement(statement);
    }
  });
}

const symbols = new Map<string, string>([
  ["add", "+"],
  ["sub", "-"],
  ["mul", "*"],
  ["div", "/"],
  ["eq", "=="],
  ["ne", "!="],
  ["lt", "<"],
  ["le", "<="],
  ["gt", ">"],
  ["ge", ">="],
]);

const updates = new Map<string, string>([
  ["add", "+="],
  ["mul", "*="],
]);

class Writer {
  readonly #uses = new Map<ScalarExpr, number>();
  readonly #names = new Map<ScalarExpr, string>();
  #pending: string[] = [];

  constructor(roots: readonly ScalarExpr[]) {
    const visit = (expression: ScalarExpr): void => {
      const uses = (this.#uses.get(expression) ?? 0) + 1;
      this.#uses.set(expression, uses);
      if (uses === 1) for (const operand of operandsOf(expression)) visit(operand);
    };
    for (const root of roots) visit(root);
  }

  body(body: readonly Statement[], indent: string): readonly string[] {
    return body.flatMap((statement) => {
      switch (statement.kind) {
        case "loop": {
          const lanes = statement.schedule.vector ? " lanes" : "";
          const unroll = statement.schedule.unroll > 1 ? ` x${statement.schedule.unroll}` : "";
          const { rows } = statement.schedule;
          const lines = rows.length === 0 ? "" : `, a line a lane of ${rows.map((id) => `b${id}`).join(", ")}`;
          const sums =
            statement.accumulators.length === 0
              ? ""
              : ` with ${statement.accumulators.map(accumulatorText).join(", ")}`;
          return [
            `${indent}for i${statement.id} < ${statement.extent}${lanes}${unroll}${lines}${sums} {`,
            ...this.body(statement.body, `${indent}  `),
            `${indent}}`,
          ];
        }
        case "store":
          return this.#line(indent, () => {
            const value = this.text(statement.value);
            const combined =
              statement.combiner === undefined ? "=" : (updates.get(statement.combiner) ?? `${statement.combiner}=`);
            return `${this.access(statement.target)} ${combined} ${value}`;
          });
        case "accumulate": {
          const { index } = statement;
          return this.#line(indent, () => {
            const at = index === undefined ? "" : ` at ${this.text(index)}`;
            return `a${statement.accumulator} <- ${this.text(statement.value)}${at}`;
          });
        }
      }
    });
  }

  #line(indent: string, make: () => string): readonly string[] {
    const text = make();
    const before = this.#pending;
    this.#pending = [];
    return [...before, text].map((line) => `${indent}${line}`);
  }

  text(expression: ScalarExpr): string {
    const name = this.#names.get(expression);
    if (name !== undefined) return name;
    const text = this.#compose(expression);
    const simple = expression.kind === "constant" || expression.kind === "accumulated" || expression.kind === "load";
    if (simple || (this.#uses.get(expression) ?? 0) < 2) return text;
    const fresh = `%${this.#names.size}`;
    this.#names.set(expression, fresh);
    this.#pending.push(`${fresh} = ${text}`);
    return fresh;
  }

  /** Run-time positions stand before the affine part. */
  access({ buffer, index, dynamic = [] }: Access): string {
    const parts = dynamic.map(({ value, stride }) => {
      const text = this.text(value);
      return stride === 1 ? text : `${stride}*${text}`;
    });
    if (parts.length === 0 || index.offset !== 0 || index.terms.length > 0) parts.push(affineText(index));
    return `b${buffer}[${parts.join(" + ").replaceAll("+ -", "- ")}]`;
  }

  #compose(expression: ScalarExpr): string {
    switch (expression.kind) {
      case "load":
        return this.access(expression.access);
      case "constant":
        return typeof expression.value === "bigint" ? `${expression.value}` : numberText(expression.value);
      case "index":
        return `index(${affineText(expression.value)})`;
      case "accumulated":
        return `a${expression.accumulator}`;
      case "random":
        return `random(${JSON.stringify(expression.path)}#${expression.index}, ${affineText(expression.position)})`;
      case "check_index":
        return `check_index(${this.text(expression.value)}, ${expression.limit}${expression.fromEnd ? " from end" : ""}, failure ${expression.failure})`;
      case "check_finite":
      case "check_nonzero":
        return `${expression.kind}(${this.text(expression.value)}, failure ${expression.failure})`;
      case "apply": {
        const args = expression.args.map((arg) => this.text(arg));
        const symbol = symbols.get(expression.op);
        if (symbol !== undefined && args.length === 2) return `(${args[0]} ${symbol} ${args[1]})`;
        const name = expression.op === "cast" ? expression.dtype : expression.op;
        return `${name}(${args.join(", ")})`;
      }
    }
  }
}

function numberText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
