/**
 * Reads the printed form back. Types are written in the text and taken as they stand: `verify` infers them again with the op
 * table. Text is untrusted: every problem is a GraphError with its place, and depth and sizes are bounded.
 */
import { buildOn, type DeviceKind, isDeviceKind, unknownDevice } from "./device.js";
import { wordsOf } from "./fix.js";
import type { Computation, Output, Parameter } from "./graph.js";
import type { Module, ModuleConstraint } from "./module.js";
import { nearestName } from "./nearest.js";
import { type Attribute, type Attributes, internNode, newRegionParameters, type Region, type Value } from "./node.js";
import { ValueParser } from "./parser-values.js";
import { initialName } from "./select.js";
import { SourceTable } from "./sources.js";
import { type TensorType, typeText } from "./type.js";

export interface ParseOptions {
  /** The name of the text in diagnostics. */
  readonly file?: string;
  /** The ops that exist, by name; without it any op is taken. */
  readonly ops?: ReadonlyMap<string, unknown>;
}

const maximumTextLength = 2 ** 28;

/** Reads one `computation`. Throws GraphError. */
export function parseComputation(text: string, options: ParseOptions = {}): Computation {
  const parser = new FormParser(text, options);
  const computation = parser.computation();
  parser.expectEnd();
  return computation;
}

/** Reads a whole printed `graph`. Throws GraphError. */
export function parseModule(text: string, options: ParseOptions = {}): Module {
  const parser = new FormParser(text, options);
  const module = parser.module();
  parser.expectEnd();
  return module;
}

/** The values that a block may name: those of the blocks around it, then its own. */
type Scope = Map<string, Value>;

class FormParser {
  readonly #values: ValueParser;
  readonly #ops: ReadonlyMap<string, unknown> | undefined;
  readonly #sources = new SourceTable();

  constructor(text: string, { file = "printed graph", ops }: ParseOptions) {
    this.#values = new ValueParser(text.slice(0, maximumTextLength), file);
    if (text.length > maximumTextLength) {
      this.#values.fail("G100", { start: maximumTextLength, end: text.length }, "the text has more than 256 MiB");
    }
    this.#ops = ops;
  }

  expectEnd(): void {
    this.#values.expectKind("end", "the end of the text");
  }

  module(): Module {
    const v = this.#values;
    v.expect("graph");
    const name = v.name();
    v.expect("{");
    v.expect("file");
    const file = v.string();
    v.expect("seed");
    const seed = v.integer();
    const dims = this.#many("dim", () => ({ name: v.name(), bound: v.take("<=") ? v.size() : undefined }));
    const placeholders = this.#many("placeholder", () => ({ ...this.#parameter(), hasDefault: v.take("default") }));
    const variables = this.#many("variable", () => ({
      ...this.#parameter(),
      trainable: v.take("trainable"),
      device: this.#place(),
    }));
    const strings = new Map(this.#many("string", () => this.#stringConstant()));
    const constraints = this.#many("require", () => this.#constraint());
    v.expect("defaults");
    const defaults = this.#body("defaults", []);
    v.expect("initial");
    const initial = this.#body(initialName, []);
    const computations: Computation[] = [];
    while (!v.take("}")) computations.push(this.computation());
    return { name, file, seed, dims, placeholders, variables, strings, constraints, defaults, initial, computations };
  }

  computation(): Computation {
    const v = this.#values;
    v.expect("computation");
    const name = v.name();
    v.expect("(");
    return this.#body(
      name,
      v.list(")", () => this.#parameter()),
    );
  }

  #many<T>(keyword: string, parse: () => T): readonly T[] {
    const items: T[] = [];
    while (this.#values.take(keyword)) items.push(parse());
    return items;
  }

  #parameter(): Parameter {
    const name = this.#values.name();
    this.#values.expect(":");
    return { name, type: this.#values.type() };
  }

  #stringConstant(): [string, string] {
    const path = this.#values.name();
    this.#values.expect("=");
    return [path, this.#values.string()];
  }

  #constraint(): ModuleConstraint {
    const v = this.#values;
    return { condition: v.condition(), code: v.string(), message: v.string() };
  }

  /** `{ variables, nodes, assignments, return }`. */
  #body(name: string, placeholders: readonly Parameter[]): Computation {
    const v = this.#values;
    v.expect("{");
    const variables = this.#many("variable", () => this.#parameter());
    const scope: Scope = new Map();
    this.#nodes(scope);
    const assignments = this.#many("assign", () => {
      const path = v.string();
      v.expect("=");
      return { path, value: this.#use(scope) };
    });
    const outputs: Output[] = [];
    if (v.take("return")) {
      do {
        const output = v.string();
        v.expect("=");
        outputs.push({ name: output, value: this.#use(scope) });
      } while (v.take(","));
    }
    v.expect("}");
    return { name, placeholders, variables, outputs, assignments, sources: this.#sources };
  }

  #nodes(scope: Scope): void {
    while (this.#values.token.kind === "value") this.#node(scope);
  }

  /** `%0, %1 = op(%2) {name = attribute} on "gpu" : type` and its regions. */
  #node(scope: Scope): void {
    const v = this.#values;
    const start = v.token;
    const results = [v.advance()];
    while (v.take(",")) results.push(v.expectKind("value", "a value such as `%0`"));
    v.expect("=");
    const op = v.expectKind("word", "an op");
    if (this.#ops?.has(op.text) === false) this.#unknownOp(op);
    v.expect("(");
    const inputs = v.list(")", () => this.#use(scope));
    const attributes = v.take("{") ? this.#attributes() : {};
    const device = this.#place();
    v.expect(":");
    const types = v.take("(") ? v.list(")", () => v.type()) : [v.type()];
    if (types.length !== results.length) {
      v.fail("G032", start, `${results.length} values are named, but ${types.length} types are given`);
    }
    const regions = v.take("{") ? this.#regions(scope) : [];
    const node = buildOn(device, () => internNode(op.text, inputs, attributes, regions, types));
    this.#sources.add(node, v.lexer.spanOf({ start: start.start, end: op.end }));
    results.forEach((result, index) => {
      this.#define(scope, result, node.outputs[index] as Value);
    });
  }

  /** `on "gpu"`, where it is there. */
  #place(): DeviceKind | undefined {
    if (!this.#values.take("on")) return undefined;
    const token = this.#values.token;
    const name = this.#values.string();
    if (isDeviceKind(name)) return name;
    const { message, hint } = unknownDevice(name);
    return this.#values.fail("G125", token, message, wordsOf(hint));
  }

  #regions(scope: Scope): readonly Region[] {
    const v = this.#values;
    const regions: Region[] = [];
    while (!v.take("}")) regions.push(v.nested(() => this.#region(scope)));
    return regions;
  }

  #region(outer: Scope): Region {
    const v = this.#values;
    const scope: Scope = new Map(outer);
    v.expect("(");
    const declared = v.list(")", () => this.#regionParameter());
    const parameters = newRegionParameters(declared.map(({ type }) => type));
    declared.forEach(({ token }, index) => {
      this.#define(scope, token, parameters[index] as Value);
    });
    v.expect("{");
    this.#nodes(scope);
    v.expect("yield");
    const results = v.isAt("}") ? [] : [this.#use(scope)];
    while (v.take(",")) results.push(this.#use(scope));
    v.expect("}");
    return { parameters, results };
  }

  #regionParameter(): { readonly token: ValueParser["token"]; readonly type: TensorType } {
    const token = this.#values.expectKind("value", "a value such as `%0`");
    this.#values.expect(":");
    return { token, type: this.#values.type() };
  }

  #attributes(): Attributes {
    const v = this.#values;
    const attributes = new Map<string, Attribute>();
    v.list("}", () => {
      const name = v.expectKind("word", "the name of an attribute");
      if (attributes.has(name.text)) v.fail("G015", name, `the attribute \`${name.text}\` is given twice`);
      v.expect("=");
      attributes.set(name.text, v.attribute());
    });
    // fromEntries defines own properties, so that `__proto__` is a name like any other.
    return Object.fromEntries(attributes);
  }

  #define(scope: Scope, token: ValueParser["token"], value: Value): void {
    const known = scope.get(token.text);
    if (known !== undefined) {
      this.#values.fail("G010", token, `${token.text} is already a value of type ${typeText(known.type)}`);
    }
    scope.set(token.text, value);
  }

  #use(scope: Scope): Value {
    const token = this.#values.expectKind("value", "a value such as `%0`");
    return scope.get(token.text) ?? this.#values.fail("G011", token, `${token.text} is used before it is defined`);
  }

  #unknownOp(token: ValueParser["token"]): never {
    const nearest = nearestName(token.text, this.#ops?.keys() ?? []);
    const hint = nearest === undefined ? undefined : `did you mean \`${nearest}\`?`;
    return this.#values.fail("G012", token, `there is no op \`${token.text}\``, hint);
  }
}
