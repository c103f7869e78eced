/**
 * What a picture of a program is made of, as plain data: JSON in the page, and what the writers of SVG and DOT read. All
 * references are positions in the lists; they depend on the program alone, so that equal programs give equal documents.
 */

export interface ViewerDocument {
  /** Raised when the page would misread an older document. */
  readonly format: 1;
  /** `graphc 0.1.0`. */
  readonly generator: string;
  /** The graph's name, and its file as it was given. */
  readonly graph: string;
  readonly file: string;
  readonly programs: readonly ProgramModel[];
  /** The sentence of the manual on each op that occurs. */
  readonly ops: readonly (readonly [name: string, doc: string])[];
  /** The functions and optimizers that calls are of. */
  readonly functions: readonly FunctionModel[];
  readonly variables: readonly VariableModel[];
  /** The lines that nodes point at, and those that go on with their statements. */
  readonly lines: readonly SourceLine[];
}

export interface VariableModel {
  /** Its path in checkpoints. */
  readonly name: string;
  readonly isTrained: boolean;
  /** A number, or the op that makes its first value: `0`, `mul`. */
  readonly initial: string;
  /** Where that is made; none for a number. */
  readonly places: readonly SourcePlace[];
}

export interface FunctionModel {
  readonly name: string;
  /** Empty where it has no documentation. */
  readonly doc: string;
  /** `fn dense[T: float, I](x: T[..., I], units: int) -> (y: T[..., units])`, on one line. */
  readonly signature: string;
  /** Where it is declared. */
  readonly places: readonly SourcePlace[];
}

export interface GivenModel {
  /** Of the parameter. */
  readonly name: string;
  /** A type, or what the compiler knows: `f32[N, 784]`, `128`. */
  readonly value: string;
  /** The argument or the default as written; empty for what is given unasked, as an optimizer its variable. */
  readonly written: string;
  readonly isDefault: boolean;
}

/** One call of a function. */
export interface CallModel {
  /** Into `functions` of the document. */
  readonly of: number;
  readonly given: readonly GivenModel[];
  readonly gives: readonly (readonly [name: string, value: string])[];
  /** Of an optimizer's step: its variable, which it is called by. */
  readonly variable?: string;
}

/** Into `lines` of the document, with the column from 1, and how many characters from there it is, ends of lines among them. */
export type SourcePlace = readonly [line: number, column: number, length: number];

export interface SourceLine {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly text: string;
}

/** One signature, or what a free request computes: the same program in three forms. */
export interface ProgramModel {
  readonly name: string;
  /** A signature, or what no signature computes. */
  readonly kind: "signature" | "request";
  /** `fit(image: u8[N, 28, 28]) does learn -> (loss: f32)`. */
  readonly title: string;
  /** `N = 100`, or empty. */
  readonly sizes: string;
  readonly views: readonly ViewModel[];
  /** What the graph calls values by, as runs fetch them, with the node of the source view that makes each. */
  readonly names: readonly (readonly [name: string, node: number])[];
  readonly memory: MemoryModel | undefined;
  /** Why some or all kernels have no listings. */
  readonly unlisted: string | undefined;
}

/** What a kernel was compiled to, shortened to what is worth a look. */
export interface ListingModel {
  /** `LLVM`, `assembly`, `gpu.js`. */
  readonly form: string;
  /** `innermost loop of 310 lines`. */
  readonly what: string;
  readonly text: string;
}

export const viewKinds = ["source", "gradients", "kernels"] as const;
export type ViewKind = (typeof viewKinds)[number];

export interface ViewModel {
  readonly kind: ViewKind;
  /** Why there is nothing to see: a size that is not known, say. */
  readonly missing: string | undefined;
  readonly nodes: readonly NodeModel[];
  readonly groups: readonly GroupModel[];
  /** The types that edges have, and their bytes where all sizes are known. */
  readonly types: readonly { readonly text: string; readonly bytes: number | undefined }[];
}

/** A `transfer` is what crosses between the memories of the processor and of a device. */
export type NodeKind = "op" | "placeholder" | "variable" | "constant" | "parameter" | "output" | "assign" | "transfer";

/** Which part of a training step: the forward pass, its gradient, or what is done with the gradient. */
export type Role = "forward" | "backward" | "update";

export interface NodeModel {
  readonly kind: NodeKind;
  readonly op: string;
  /** The name that the text gives it; else empty. */
  readonly name: string;
  /** The op as the text says it, with its inlined constants: `max_pool`, `* 0.5`. */
  readonly text: string;
  /** What kind of work it is: `elementwise`, `contract`, `view`, ... */
  readonly work: string;
  readonly role: Role;
  /** Pairs of a node and which of its outputs. */
  readonly inputs: readonly number[];
  /** The type of each output. */
  readonly outputs: readonly number[];
  /** The innermost group around it; -1 for none. */
  readonly group: number;
  /** Where the text makes it. */
  readonly places: readonly SourcePlace[];
  readonly attributes: readonly (readonly [name: string, value: string])[];
  /** The nodes of the source view that it stems from; empty in the source view. */
  readonly stems: readonly number[];
  /** Of a part of a gradient, in the other views: the `gradients` of the source view that it is for. */
  readonly requests?: readonly number[];
  /** In the view of the kernels: why it is stored or not, and what it was fused with or not. */
  readonly why: readonly string[];
  /** In the other views, where a device has a share: the side that it runs on, and whether the text says so. */
  readonly side?: string;
  readonly isPlaced?: true;
  /** In the source view: where else the text computes just this, and the outermost call or scope there that it is not in; else empty. */
  readonly twins?: readonly { readonly place: SourcePlace; readonly by: string }[];
  /** Arithmetic on floats in a run, in the other views; left out where it is not known. */
  readonly operations?: number;
}

/** The parts of a training step, as kernels are grouped by: the loss is what gradients are taken of. */
export const phases = ["forward", "loss", "backward", "update"] as const;
export type Phase = (typeof phases)[number];

/**
 * A `part` is of a long graph; a `side` is what the processor or a device computes at a stretch; `transfers` go over as one; `state` is of
 * one kernel. Kernels stand in the `phase` of a training step that they belong to, and there in a `stage`, the call or scope that they compute.
 */
export type GroupKind =
  | "call"
  | "scope"
  | "update"
  | "region"
  | "part"
  | "kernel"
  | "side"
  | "transfers"
  | "state"
  | "phase"
  | "stage";

export interface GroupModel {
  readonly kind: GroupKind;
  /** What it is called by the text: the binding of a call, the scope's name. */
  readonly name: string;
  /** `dense()`, `scope`, `scan`, `nest`. */
  readonly text: string;
  readonly role: Role;
  readonly parent: number;
  readonly places: readonly SourcePlace[];
  readonly kernel: KernelModel | undefined;
  /** Of a call, and of the gradient of what stands in it. */
  readonly call?: CallModel;
  /** Of a stage: what the names of variables and kernels in it begin with. */
  readonly path?: string;
  /** Of a kernel: the outermost call or scope of the text that it computes; empty for none. */
  readonly scope?: string;
  /** As of a node, where all its ops are alike. */
  readonly side?: string;
  readonly isPlaced?: true;
}

export interface KernelModel {
  /** Its place in a run: `12`, or `12.3` for the third in the loop that is the twelfth. */
  readonly order: string;
  readonly phase: "compute" | "commit";
  /** The loops, as `graphc inspect --stage kernels` prints them. */
  readonly code: string;
  /** Into `buffers` of the program's memory. */
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  readonly device: string;
  /** Of one call; undefined for loops around kernels. */
  readonly work: WorkModel | undefined;
  /** Measured by a profile. */
  readonly seconds: number | undefined;
  readonly listings: readonly ListingModel[];
  /** Why it never has any. */
  readonly unlisted: string | undefined;
}

export interface WorkModel {
  /** Arithmetic on floats, functions such as `exp` apart; undefined for what iterates until it has converged. */
  readonly operations: number | undefined;
  readonly transcendentals: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
}

export interface MemoryModel {
  readonly arenaBytes: number;
  readonly peakBytes: number;
  /** How many moments the lives of the buffers are counted in. */
  readonly moments: number;
  readonly buffers: readonly BufferModel[];
}

export interface BufferModel {
  readonly label: string;
  readonly storage: "placeholder" | "variable" | "constant" | "run state" | "temporary";
  readonly type: string;
  readonly bytes: number;
  /** Where a temporary lies in the arena, and the first and last moment it is needed at. */
  readonly offset: number | undefined;
  readonly from: number;
  readonly to: number;
}
