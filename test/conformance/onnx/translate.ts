/** A model as statements of the language, node by node. */
import type { Tensor } from "../../../compiler/ir/tensor.js";
import type { Case } from "./cases.js";
import { fold } from "./fold.js";
import { type OnnxNode, Unsupported } from "./format.js";
import { type Type, typesOf } from "./infer.js";
import { along } from "./rules/along.js";
import { elementwise } from "./rules/elementwise.js";
import { indexing } from "./rules/indexing.js";
import { normalise } from "./rules/normalise.js";
import { sequences } from "./rules/sequences.js";
import { shape } from "./rules/shape.js";
import { training } from "./rules/training.js";
import { windows } from "./rules/windows.js";
import { type Emission, literal, type Rules, typeText, type Value, View } from "./view.js";

const rules: Rules = {
  ...elementwise,
  ...along,
  ...shape,
  ...indexing,
  ...windows,
  ...normalise,
  ...sequences,
  ...training,
};

export interface Translated {
  /** Statements of a graph. All names start with the case's prefix. */
  readonly lines: readonly string[];
  readonly feeds: ReadonlyMap<string, Tensor>;
  /** The name of each output, in the model's order. */
  readonly outputs: readonly string[];
}

/** Throws Unsupported for what no rule covers. */
export function translate(one: Case, prefix: string): Translated {
  return new Translation(one, prefix).whole();
}

class Translation {
  readonly #case: Case;
  readonly #prefix: string;
  readonly #lines: string[] = [];
  readonly #feeds = new Map<string, Tensor>();
  readonly #values = new Map<string, Value>();
  #names = 0;

  constructor(one: Case, prefix: string) {
    this.#case = one;
    this.#prefix = prefix;
  }

  whole(): Translated {
    const { model, inputs, constants } = this.#case;
    for (const [name, tensor] of model.initializers) this.#values.set(name, this.#known(tensor));
    model.inputs.forEach((name, i) => {
      const tensor = inputs[i];
      if (tensor === undefined) throw new Error(`input ${name} has no tensor`);
      this.#values.set(name, constants.has(i) ? this.#known(tensor) : this.#fed(tensor));
    });
    for (const node of model.nodes) this.#node(node);
    const outputs = model.outputs.map((name) => {
      const value = this.#values.get(name);
      if (value === undefined) throw new Error(`no node gives ${name}`);
      return value.name();
    });
    return { lines: this.#lines, feeds: this.#feeds, outputs };
  }

  #fresh(): string {
    return `${this.#prefix}${this.#names++}`;
  }

  #fed(tensor: Tensor): Value {
    return this.#value(tensor, undefined, (name) => {
      this.#feeds.set(name, tensor);
      return `placeholder ${name}: ${typeText(tensor.dtype, tensor.shape)}`;
    });
  }

  #known(tensor: Tensor): Value {
    return this.#value(
      tensor,
      tensor,
      (name) => `${name}: ${typeText(tensor.dtype, tensor.shape)} = ${literal(tensor)}`,
    );
  }

  /** Declared when it is first named: what nothing reads cannot be fed. */
  #value(type: Pick<Tensor, "dtype" | "shape">, constant: Tensor | undefined, line: (name: string) => string): Value {
    let declared: string | undefined;
    const name = () => {
      if (declared === undefined) {
        declared = this.#fresh();
        this.#lines.push(line(declared));
      }
      return declared;
    };
    return { dtype: type.dtype, shape: type.shape, constant, name };
  }

  #node(node: OnnxNode): void {
    const { model } = this.#case;
    const key = node.domain === "" ? node.op : `${node.domain}::${node.op}`;
    const rule = rules[key];
    if (rule === undefined) throw new Unsupported(`no rule for ${key}`);
    const inputs = node.inputs.map((name) => this.#values.get(name));
    const named = (name: string) => this.#values.get(name)?.name() ?? "";
    const view = new View(node, model.opsets.get(node.domain) ?? 1, inputs, named);
    const [output = ""] = node.outputs;
    // A case of one operator is to run it; among several nodes there are some that compute shapes.
    const known = model.nodes.length > 1 ? fold(view) : undefined;
    if (known === undefined) this.#bind(node, rule(view), typesOf(view));
    else this.#values.set(output, this.#known(known));
  }

  #bind(node: OnnxNode, emission: Emission, types: readonly Type[] | undefined): void {
    if (typeof emission === "object" && "call" in emission) {
      const names = node.outputs.map((output) => (output === "" ? "_" : this.#fresh()));
      while (names.length < emission.outputs) names.push("_");
      this.#lines.push(`${names.join(", ")} = ${emission.call}`);
      node.outputs.forEach((output, i) => {
        if (output !== "") this.#define(output, names[i] ?? "_", types?.[i]);
      });
      return;
    }
    const expressions = typeof emission === "string" ? [emission] : emission;
    node.outputs.forEach((output, i) => {
      const expression = expressions[i];
      if (output === "") return;
      if (expression === undefined) throw new Unsupported(`no rule for output ${i} of ${node.op}`);
      const name = this.#fresh();
      this.#lines.push(`${name}${this.#annotation(output)} = ${expression}`);
      this.#define(output, name, types?.[i]);
    });
  }

  /** The model says what its outputs are; the front end checks it. */
  #annotation(output: string): string {
    const { model, expected } = this.#case;
    const type = expected[model.outputs.indexOf(output)];
    return type === undefined ? "" : `: ${typeText(type.dtype, type.shape)}`;
  }

  #define(output: string, name: string, inferred: Type | undefined): void {
    const { model, expected } = this.#case;
    const type = expected[model.outputs.indexOf(output)] ?? inferred;
    if (type === undefined) throw new Unsupported(`no type for ${output}`);
    this.#values.set(output, { dtype: type.dtype, shape: type.shape, constant: undefined, name: () => name });
  }
}
