import type { Condition } from "./condition.js";
import type { DeviceKind } from "./device.js";
import type { Computation, Graph, Parameter } from "./graph.js";
import { defaultsComputation, initialComputation } from "./select.js";

/** What the printed form of a Graph holds: the declarations, and the computations that are cut out of it. */
export interface Module {
  readonly name: string;
  readonly file: string;
  readonly seed: bigint;
  readonly dims: readonly { readonly name: string; readonly bound: number | undefined }[];
  readonly placeholders: readonly (Parameter & { readonly hasDefault: boolean })[];
  readonly variables: readonly (Parameter & { readonly trainable: boolean; readonly device: DeviceKind | undefined })[];
  readonly strings: ReadonlyMap<string, string>;
  readonly constraints: readonly ModuleConstraint[];
  /** The values of placeholders that are not fed, by name. */
  readonly defaults: Computation;
  /** Assigns every variable its initial value. */
  readonly initial: Computation;
  readonly computations: readonly Computation[];
}

export interface ModuleConstraint {
  readonly condition: Condition;
  readonly code: string;
  readonly message: string;
}

/** The printable part of a graph, with the computations to show. */
export function moduleOf(graph: Graph, computations: readonly Computation[]): Module {
  return {
    name: graph.name,
    file: graph.file,
    seed: graph.seed,
    dims: graph.dims.map(({ name, bound }) => ({ name, bound })),
    placeholders: graph.placeholders.map(({ name, value, defaultValue }) => ({
      name,
      type: value.type,
      hasDefault: defaultValue !== undefined,
    })),
    variables: graph.variables.map(({ path, value, trainable, device }) => ({
      name: path,
      type: value.type,
      trainable,
      device,
    })),
    strings: graph.strings,
    constraints: graph.constraints.map(({ condition, diagnostic: { code, message } }) => ({
      condition,
      code,
      message,
    })),
    defaults: defaultsComputation(graph),
    initial: initialComputation(graph),
    computations,
  };
}
