import type { Executable } from "../compiler/backends/executable.js";
import type { ExecutionProfile } from "../compiler/backends/profile.js";
import { type Bindings, bindDims, type FedShape } from "../compiler/ir/specialise.js";
import type { Prepared, Program } from "../compiler/program.js";
import type { VariableStore } from "./variables.js";

/** What was measured of one computation with certain sizes. */
export interface ComputationProfile extends ExecutionProfile {
  readonly name: string;
  readonly dims: ReadonlyMap<string, number>;
}

interface Bound {
  readonly name: string;
  readonly sizes: string;
  readonly dims: Bindings;
  readonly executable: Executable;
  /** Shapes of feeds that have these sizes: those of the run before, mostly. */
  shapes: ReadonlyMap<string, readonly number[]> | undefined;
}

/** The code of a session's selections, bound to its variables: of each as many sizes as the program keeps, the last used first. */
export class Executables {
  readonly #program: Program;
  readonly #variables: VariableStore;
  readonly #bound = new Map<string, Bound[]>();
  /** Of executables that were dropped for newer ones. */
  readonly #pastProfiles: ComputationProfile[] = [];

  constructor(program: Program, variables: VariableStore) {
    this.#program = program;
    this.#variables = variables;
  }

  /** For the sizes that feeds have. Throws GraphError as `bindDims`; what the same shapes gave before is not worked out again. */
  async forFeeds(prepared: Prepared, feeds: ReadonlyMap<string, FedShape>): Promise<Executable> {
    const known = this.#bound
      .get(prepared.key)
      ?.find(({ shapes }) => shapes !== undefined && haveShapes(feeds, shapes));
    if (known !== undefined) return this.#use(prepared, known);
    const bound = await this.#forDims(prepared, bindDims(this.#program.graph, prepared.dims, feeds));
    bound.shapes = new Map([...feeds].map(([name, { shape }]) => [name, [...shape]]));
    return bound.executable;
  }

  async forDims(prepared: Prepared, dims: Bindings): Promise<Executable> {
    return (await this.#forDims(prepared, dims)).executable;
  }

  /** What each kernel took in all runs so far, where the program was compiled with `profile`. */
  profiles(): readonly ComputationProfile[] {
    const open = [...this.#bound.values()].flat().flatMap((bound) => profileOf(bound));
    return [...this.#pastProfiles, ...open].filter(({ entries }) => entries > 0);
  }

  close(): void {
    for (const bound of this.#bound.values()) for (const { executable } of bound) executable.close();
    this.#bound.clear();
  }

  async #forDims(prepared: Prepared, dims: Bindings): Promise<Bound> {
    const sizes = [...dims].map(([name, size]) => `${name}=${size}`).join(",");
    const known = this.#bound.get(prepared.key)?.find((entry) => entry.sizes === sizes);
    if (known !== undefined) {
      this.#use(prepared, known);
      return known;
    }
    const compiled = await this.#program.compile(prepared, dims);
    const executable = compiled.bind(this.#variables.blocks());
    const made: Bound = { name: prepared.name, sizes, dims, executable, shapes: undefined };
    const kept = [made, ...(this.#bound.get(prepared.key) ?? [])];
    for (const dropped of kept.splice(this.#program.keptSpecialisations)) {
      this.#pastProfiles.push(...profileOf(dropped));
      dropped.executable.close();
    }
    this.#bound.set(prepared.key, kept);
    return made;
  }

  #use({ key }: Prepared, used: Bound): Executable {
    const bound = this.#bound.get(key) ?? [];
    if (bound[0] !== used) this.#bound.set(key, [used, ...bound.filter((entry) => entry !== used)]);
    return used.executable;
  }
}

function haveShapes(feeds: ReadonlyMap<string, FedShape>, shapes: Bound["shapes"] & {}): boolean {
  if (feeds.size !== shapes.size) return false;
  for (const [name, { shape }] of feeds) {
    const known = shapes.get(name);
    if (known === undefined || known.length !== shape.length || known.some((size, axis) => size !== shape[axis])) {
      return false;
    }
  }
  return true;
}

function profileOf({ name, dims, executable }: Bound): readonly ComputationProfile[] {
  const profile = executable.profile?.();
  return profile === undefined ? [] : [{ name, dims, ...profile }];
}
