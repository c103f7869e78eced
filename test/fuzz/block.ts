/** Writes the nodes of one block (a graph, or the body of a loop or a branch) as statements. */
import type { Value } from "../../compiler/ir/node.js";
import { isTensor, type Node } from "../../compiler/ir/node.js";
import { elementCount, type Tensor } from "../../compiler/ir/tensor.js";
import { ops } from "../../compiler/ops/table.js";
import { written } from "./calls.js";
import { elementText, literalExpression, typedLiteral, writtenType } from "./literals.js";
import { writeRegion } from "./regions.js";
import { type Call, call, input, numbers, tight, type Written } from "./written.js";

/** Chooses among forms that mean the same; 0 is the plainest. */
export type Style = (count: number) => number;

/** A line of a block, or the lines of a loop or a branch. */
export interface Statement {
  readonly text: string;
  /** The names that it binds. */
  readonly binds: readonly string[];
}

/** What all blocks of a file share. */
export interface File {
  readonly style: Style;
  /** A name that no other statement of the file binds. */
  readonly name: (start: string) => string;
  /** The declarations of functions, made as they are needed. */
  readonly functions: string[];
  /** The types of what is named. */
  readonly types: Map<string, Pick<Value, "type">["type"]>;
}

const multiple: ReadonlySet<string> = new Set(["gradients", "qr", "svd", "eigh", "slogdet", "scan", "while", "if"]);
const regions: ReadonlySet<string> = new Set(["scan", "while", "if"]);
/** Where a scalar that is repeated may stand as a literal, which takes the other operand's dtype. */
const takesLiteral: ReadonlySet<string> = new Set(
  [...ops.values()]
    .filter(({ kernel, operands }) => kernel.kind === "elementwise" && operands.length === 2)
    .map(({ opName }) => opName),
);

export class Block {
  readonly statements: Statement[] = [];
  readonly file: File;
  readonly #texts = new Map<Value, Written>();
  readonly #uses = new Map<Value, number>();

  /** `given` are edges that have names already: a region's parameters. */
  constructor(file: File, roots: readonly Value[], given: ReadonlyMap<Value, Written>) {
    this.file = file;
    for (const [value, text] of given) this.#texts.set(value, text);
    this.#countUses(roots);
  }

  #countUses(roots: readonly Value[]): void {
    const seen = new Set<Node>();
    const stack = [...roots];
    for (const root of roots) this.#uses.set(root, 2);
    for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
      if (seen.has(value.node)) continue;
      seen.add(value.node);
      for (const one of value.node.inputs) {
        this.#uses.set(one, (this.#uses.get(one) ?? 0) + 1);
        stack.push(one);
      }
    }
  }

  /** How an edge is written here; what it needs is stated first. */
  text(value: Value): Written {
    const known = this.#texts.get(value);
    if (known !== undefined) return known;
    this.#state(value);
    const made = this.#texts.get(value);
    if (made === undefined) throw new Error(`${value.node.op} has no name`);
    return made;
  }

  /** A name for an edge, also where it is written as an expression elsewhere. */
  name(value: Value, start: string): string {
    const { text } = this.text(value);
    const name = this.file.name(start);
    this.add({ text: `${name} = ${text}`, binds: [name] }, [value]);
    return name;
  }

  /** A name that stands for an edge already, else a new one. */
  named(value: Value): Written {
    const { text } = this.text(value);
    const name = tight(/^\w+$/.test(text) ? text : this.name(value, "v"));
    this.#texts.set(value, name);
    return name;
  }

  add(statement: Statement, values: readonly (Value | undefined)[]): void {
    this.statements.push(statement);
    statement.binds.forEach((name, i) => {
      const value = values[i];
      if (value !== undefined) this.file.types.set(name, value.type);
    });
  }

  #state(value: Value): void {
    const { node } = value;
    const { style } = this.file;
    if (node.op === "constant") {
      this.#constant(value, node.attributes["value"] as Tensor);
      return;
    }
    if (regions.has(node.op)) {
      this.#bindAll(node, writeRegion(this, node));
      return;
    }
    if (multiple.has(node.op)) {
      this.#bindAll(node, { names: [], text: written(this.#callOf(node)).text });
      return;
    }
    const expression = this.#piped(node, this.#expression(node));
    // What a random op draws depends on the binding that it stands in; an op without effect stands for its operand.
    const isShort = /^\w+$/.test(expression.text);
    const isOnce = this.#uses.get(value) === 1 && node.op !== "random_uniform" && style(4) === 1;
    if (isShort || (isOnce && expression.text.length < 200)) this.#texts.set(value, expression);
    else this.#bind(value, expression.text, style(4) === 1);
  }

  #expression(node: Node): Written {
    const state = node.op === "slice" ? input(node, 0).node : undefined;
    if (state?.op !== "run_state") return written(this.#callOf(node));
    if (numbers(node.attributes["start"]).join() !== "1" || numbers(node.attributes["limit"]).join() !== "2")
      throw new TypeError("of the run's state only the step has a name");
    return call("reshape", [tight("global_step()")], { shape: "[1]" });
  }

  #callOf(node: Node): Call {
    const { style } = this.file;
    const literals = takesLiteral.has(node.op) ? node.inputs.map((one) => scalarOf(one)) : [];
    const isAlone = literals.every((literal) => literal !== undefined);
    return {
      node,
      form: style,
      text: (value) => {
        const literal = isAlone ? undefined : literals[node.inputs.indexOf(value)];
        return literal === undefined || style(4) === 3 ? this.text(value) : literal;
      },
    };
  }

  /** `f(x, a)` as `x |> f(a)`. */
  #piped({ op }: Node, expression: Written): Written {
    if (!expression.tight || !expression.text.startsWith(`${op}(`) || this.file.style(6) !== 1) return expression;
    const [, first, rest] = /^\w+\((\w+)(?:, (.*))?\)$/s.exec(expression.text) ?? [];
    if (first === undefined || /^\d/.test(first)) return expression;
    return { text: `${first} |> ${op}(${rest ?? ""})`, tight: false };
  }

  #constant(value: Value, tensor: Tensor): void {
    const isSmall = elementCount(tensor.shape) <= 8;
    if (isSmall && this.file.style(3) === 1) this.#texts.set(value, tight(literalExpression(tensor)));
    else {
      const name = this.file.name("c");
      this.add({ text: `${name}: ${writtenType(tensor)} = ${typedLiteral(tensor)}`, binds: [name] }, [value]);
      this.#texts.set(value, tight(name));
    }
  }

  #bind(value: Value, text: string, isTyped: boolean): void {
    const name = this.file.name("v");
    const type = isTyped ? `: ${writtenType(value.type)}` : "";
    this.add({ text: `${name}${type} = ${text}`, binds: [name] }, [value]);
    this.#texts.set(value, tight(name));
  }

  /** `names` are those of results that the language has and the op has not: they are dropped. */
  #bindAll(node: Node, { names, text }: { readonly names: readonly string[]; readonly text: string }): void {
    const own = node.outputs.map((output) => (this.#uses.has(output) ? this.file.name("v") : "_"));
    own.forEach((name, i) => {
      const output = node.outputs[i];
      if (output !== undefined && name !== "_") this.#texts.set(output, tight(name));
    });
    const binds = own.filter((name) => name !== "_");
    this.add(
      { text: `${[...own, ...names].join(", ")} = ${text}`, binds },
      node.outputs.filter((_, i) => own[i] !== "_"),
    );
  }
}

/** The literal that a repeated scalar constant is. */
function scalarOf({ node }: Value): Written | undefined {
  if (node.op === "broadcast_in_dim") return scalarOf(input(node, 0));
  const value = node.attributes["value"];
  if (node.op !== "constant" || value === undefined || !isTensor(value) || value.shape.length > 0) return undefined;
  const text = elementText(value.dtype, value.data[0] ?? 0);
  return { text, tight: !text.startsWith("-") };
}
