import type { Code } from "../ir/codes.js";
import { buildOn } from "../ir/device.js";
import { InternalError } from "../ir/diagnostic.js";
import type { NumericDType } from "../ir/dtype.js";
import { type Attributes, internNode, type Node, type Region, type Value } from "../ir/node.js";
import type { TensorType } from "../ir/type.js";
import { checkAttributes, checkOperands } from "./application.js";
import type { Draw } from "./draw.js";
import type { AttributeSchema, AttributesOf, Operand } from "./operands.js";
import type { ReferenceData } from "./precision.js";
import type { Sample, Samples } from "./samples.js";
import type { Combiner, ScalarOp } from "./scalar.js";
import type { Stepwise } from "./stepwise.js";

/** How the kernels stage treats an op. What the parameters are stands in the node's attributes. */
export type KernelSemantics =
  /** One scalar function of the operands' elements at the same place. */
  | { readonly kind: "elementwise"; readonly scalar: ScalarOp }
  /** Storage that exists before the run: placeholder, variable, constant. */
  | { readonly kind: "source" }
  /** Elements computed from their own place alone: iota, random_uniform, run_state. */
  | { readonly kind: "generator" }
  /** The operand's elements read through another index map: no arithmetic. */
  | { readonly kind: "view" }
  | { readonly kind: "reduce"; readonly combiner: Combiner }
  | { readonly kind: "arg_reduce"; readonly direction: "max" | "min" }
  | { readonly kind: "contract" }
  | { readonly kind: "concatenate" }
  | { readonly kind: "pad" }
  /** The first operand's elements read at positions that the others hold: gather, dynamic_slice. */
  | { readonly kind: "dynamic_view" }
  /** The first operand with the second written into it at positions that the others hold: scatter, dynamic_update_slice. */
  | { readonly kind: "dynamic_store" }
  /** The operand's elements (an index counted from the end as one from the start); fails the run, before any variable is written, where one is not allowed. */
  | { readonly kind: "check" }
  /** A hand-written loop nest of the back end, by name; `along`: it walks along the op's `axis`, and cannot fail. */
  | { readonly kind: "routine"; readonly routine: string; readonly along?: true }
  /** Made of other ops when kernels are: see the op's `expand`. */
  | { readonly kind: "composite" }
  /** Kernels that are repeated or chosen: the bodies of the node's regions. */
  | { readonly kind: "region"; readonly form: "scan" | "while" | "if" }
  /** Removed by a pass before kernels: gradients, stop_gradient. */
  | { readonly kind: "pseudo" };

/** A tensor inside the reference evaluator: float64 whatever the dtype, except i64, which stays exact; a bool is 0 or 1. */
export interface ReferenceTensor {
  readonly dtype: NumericDType;
  readonly shape: readonly number[];
  readonly data: Float64Array | BigInt64Array;
}

/** Per run: what `run_state` and the checks see. */
export interface ReferenceContext {
  readonly seed: bigint;
  readonly step: bigint;
  readonly runsSinceStep: bigint;
  readonly feeds: ReadonlyMap<string, ReferenceTensor>;
  readonly variables: ReadonlyMap<string, ReferenceTensor>;
}

/** A failed run-time check (an index out of range, a singular matrix). The evaluator adds the node, the session its source line. */
export class ReferenceFailure extends Error {
  override readonly name = "ReferenceFailure";
  readonly code: Code;
  readonly node: Node | undefined;
  constructor(code: Code, message: string, options: { readonly node?: Node; readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.node = options.node;
  }

  /** The same failure, of this node. */
  at(node: Node): ReferenceFailure {
    return new ReferenceFailure(this.code, this.message, { node, cause: this });
  }
}

/** The evaluator of an op: obviously right, in float64; the caller rounds each result to its dtype and flushes subnormals. */
export type ReferenceEvaluator<A extends AttributeSchema> = (call: {
  readonly inputs: readonly ReferenceTensor[];
  readonly attributes: AttributesOf<A>;
  /** The static types of the outputs. */
  readonly outputs: readonly { readonly dtype: NumericDType; readonly shape: readonly number[] }[];
  readonly context: ReferenceContext;
  /** Evaluates the node's regions, each with values for its parameters. */
  readonly regions: readonly ReferenceRegion[];
}) => readonly ReferenceData[] | Stepwise<readonly ReferenceData[]>;

export type ReferenceRegion = (parameters: readonly ReferenceTensor[]) => Stepwise<readonly ReferenceTensor[]>;

type ValueOf<O extends Operand> = O["variadic"] extends true ? readonly Value[] : Value;
type ValuesOf<I extends readonly Operand[]> = { readonly [K in keyof I]: ValueOf<I[K]> };
type Cotangents<I extends readonly Operand[]> = {
  readonly [K in keyof I]: I[K]["variadic"] extends true ? readonly (Value | undefined)[] : Value | undefined;
};
type Arguments<I extends readonly Operand[], A extends AttributeSchema> = keyof A extends never
  ? [...ValuesOf<I>]
  : [...ValuesOf<I>, AttributesOf<A>];

/** The reverse rule's view of one application. */
export interface VjpCall<I extends readonly Operand[], A extends AttributeSchema> {
  readonly inputs: ValuesOf<I>;
  readonly attributes: AttributesOf<A>;
  readonly outputs: readonly Value[];
  /** The first output and its cotangent: all there is for most ops. */
  readonly y: Value;
  readonly dy: Value;
  /** One for each output, zeros where the loss does not depend on it. */
  readonly cotangents: readonly Value[];
  readonly regions: readonly Region[];
  readonly accumulate: Accumulate;
}

/**
 * Reverse accumulation through other edges, for ops with regions: the cotangents of `xs` where each seed's edge has the cotangent
 * beside it; no entry for those that no gradient reaches.
 */
export type Accumulate = (
  seeds: readonly (readonly [edge: Value, cotangent: Value])[],
  xs: readonly Value[],
) => ReadonlyMap<Value, Value>;

export interface OpSpec<I extends readonly Operand[], A extends AttributeSchema> {
  readonly name: string;
  /** One or two sentences for the manual and hover: what it computes, ties, special values. */
  readonly doc: string;
  /** The StableHLO op whose semantics this one has, where there is one. */
  readonly stablehlo?: string;
  readonly inputs: I;
  readonly attributes: A;
  /** Output types; throws OpError. Operand dtypes have been checked against the spec. */
  readonly infer: (
    types: readonly TensorType[],
    attributes: AttributesOf<A>,
    regions: readonly Region[],
  ) => TensorType | readonly TensorType[];
  /**
   * Cotangents of the inputs; `undefined` for one that has none (an integer operand). A string says why no gradient passes this
   * op ("argmax is piecewise constant"), for the diagnostic that names what cuts the path.
   */
  readonly vjp: ((call: VjpCall<I, A>) => Cotangents<I>) | string;
  readonly kernel: KernelSemantics;
  /** The ops that a composite is computed by, where all sizes are known; they have its type. */
  readonly expand?: (call: Pick<VjpCall<I, A>, "inputs" | "attributes"> & { readonly type: TensorType }) => Value;
  readonly reference: ReferenceEvaluator<A>;
  /** What the generated tests give the op. A string says why there is nothing to give. */
  readonly samples: Samples<A> | string;
}

/** An op as the rest of the compiler sees it: the spec with its types erased. */
export interface Op {
  readonly opName: string;
  readonly doc: string;
  readonly stablehlo: string | undefined;
  readonly operands: readonly Operand[];
  readonly schema: AttributeSchema;
  readonly kernel: KernelSemantics;
  /** The fixed ones. */
  readonly samples: readonly Sample[];
  /** Undefined for an op that no sample can be given. */
  readonly randomSample: ((draw: Draw) => Sample) | undefined;
  readonly differentiable: boolean;
  /** Why gradients stop here, when they do. */
  readonly cut: string | undefined;
  /** Checks operands and attributes, infers the types and interns the node. Throws OpError. */
  readonly apply: (inputs: readonly Value[], attributes: Attributes, regions?: readonly Region[]) => readonly Value[];
  readonly infer: (
    types: readonly TensorType[],
    attributes: Attributes,
    regions?: readonly Region[],
  ) => readonly TensorType[];
  readonly pullBack: (call: {
    readonly inputs: readonly Value[];
    readonly attributes: Attributes;
    readonly outputs: readonly Value[];
    readonly cotangents: readonly Value[];
    readonly regions: readonly Region[];
    readonly accumulate: Accumulate;
  }) => readonly (Value | undefined)[];
  readonly evaluate: ReferenceEvaluator<AttributeSchema>;
  /** What a composite is made of. */
  readonly expand: (node: Node) => Value;
}

/** An op is an object that can be called with its operands, then its attributes, and gives its first output. */
export type CallableOp<I extends readonly Operand[], A extends AttributeSchema> = Op &
  ((...args: Arguments<I, A>) => Value);

/** The op table is filled by definition: `compiler/ops/table.ts` imports every file of ops. */
const registry = new Map<string, Op>();

export function registeredOps(): ReadonlyMap<string, Op> {
  return registry;
}

/** The op of a node, for what is itself part of the table. */
export function definedOp(name: string): Op {
  const op = registry.get(name);
  if (op === undefined) throw new InternalError(`there is no op named ${name}`);
  return op;
}

/** The same op on other inputs, with other regions or attributes, on the device where the node lies. Throws OpError. */
export function reapply(
  node: Node,
  inputs: readonly Value[],
  regions: readonly Region[] = node.regions,
  attributes: Attributes = node.attributes,
): readonly Value[] {
  return buildOn(node.device, () => definedOp(node.op).apply(inputs, attributes, regions));
}

/** Defines one op. Its parts are checked against each other by the types and, for every op, by the generated tests. */
export function defineOp<const I extends readonly Operand[], const A extends AttributeSchema>(
  spec: OpSpec<I, A>,
): CallableOp<I, A> {
  const infer = (
    types: readonly TensorType[],
    attributes: Attributes,
    regions: readonly Region[] = [],
  ): readonly TensorType[] => {
    checkOperands(spec.name, spec.inputs, types);
    checkAttributes(spec.name, spec.attributes, attributes);
    const result = spec.infer(types, attributes as AttributesOf<A>, regions);
    return "dtype" in result ? [result] : result;
  };
  const apply = (
    inputs: readonly Value[],
    attributes: Attributes,
    regions: readonly Region[] = [],
  ): readonly Value[] => {
    const types = infer(
      inputs.map((input) => input.type),
      attributes,
      regions,
    );
    return internNode(spec.name, inputs, attributes, regions, types).outputs;
  };
  const pullBack: Op["pullBack"] = ({ inputs, attributes, outputs, cotangents, regions, accumulate }) => {
    if (typeof spec.vjp === "string") throw new InternalError(`${spec.name} has no gradient: ${spec.vjp}`);
    const [y] = outputs;
    const [dy] = cotangents;
    if (y === undefined || dy === undefined) throw new InternalError(`${spec.name} is pulled back without an output`);
    const result = spec.vjp({
      inputs: groupInputs(spec.inputs, inputs) as ValuesOf<I>,
      attributes: attributes as AttributesOf<A>,
      outputs,
      y,
      dy,
      cotangents,
      regions,
      accumulate,
    });
    return (result as readonly (Value | undefined | readonly (Value | undefined)[])[]).flat();
  };
  const expand = ({ inputs, attributes, outputs: [y] }: Node): Value => {
    if (spec.expand === undefined || y === undefined) throw new InternalError(`${spec.name} is not made of other ops`);
    return spec.expand({
      inputs: groupInputs(spec.inputs, inputs) as ValuesOf<I>,
      attributes: attributes as AttributesOf<A>,
      type: y.type,
    });
  };
  const callable = (...args: Arguments<I, A>): Value => {
    const given = args as readonly unknown[];
    const inputs = given.slice(0, spec.inputs.length).flat() as readonly Value[];
    const attributes = (given[spec.inputs.length] ?? {}) as Attributes;
    return apply(inputs, attributes)[0] as Value;
  };
  const { samples } = spec;
  const op = Object.assign(callable, {
    opName: spec.name,
    doc: spec.doc,
    stablehlo: spec.stablehlo,
    operands: spec.inputs,
    schema: spec.attributes,
    kernel: spec.kernel,
    samples: typeof samples === "string" ? [] : (samples.fixed as readonly Sample[]),
    randomSample: typeof samples === "string" ? undefined : (samples.random as (draw: Draw) => Sample),
    differentiable: typeof spec.vjp !== "string",
    cut: typeof spec.vjp === "string" ? spec.vjp : undefined,
    apply,
    infer,
    pullBack,
    evaluate: spec.reference as ReferenceEvaluator<AttributeSchema>,
    expand,
  });
  if (registry.has(spec.name)) throw new InternalError(`two ops are named ${spec.name}`);
  registry.set(spec.name, op);
  return op;
}

function groupInputs(operands: readonly Operand[], inputs: readonly Value[]): readonly (Value | readonly Value[])[] {
  return operands.map((spec, position) => (spec.variadic ? inputs.slice(position) : (inputs[position] as Value)));
}

// An op whose rules mention the op itself needs a written type: TypeScript does not infer through the cycle.
type NoAttributes = Readonly<Record<never, never>>;
type Single = Operand & { readonly variadic: false };
type Many = Operand & { readonly variadic: true };
export type SourceOp<A extends AttributeSchema = NoAttributes> = CallableOp<readonly [], A>;
export type UnaryOp<A extends AttributeSchema = NoAttributes> = CallableOp<readonly [Single], A>;
export type BinaryOp<A extends AttributeSchema = NoAttributes> = CallableOp<readonly [Single, Single], A>;
export type TernaryOp<A extends AttributeSchema = NoAttributes> = CallableOp<readonly [Single, Single, Single], A>;
export type VariadicOp<A extends AttributeSchema = NoAttributes> = CallableOp<readonly [Many], A>;
