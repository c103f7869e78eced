import { type Code, type Details, problem } from "../../compiler/ir/codes.js";
import { conditionText } from "../../compiler/ir/condition.js";
import type { DeviceKind } from "../../compiler/ir/device.js";
import type { Diagnostic, Note } from "../../compiler/ir/diagnostic.js";
import { type Dim, isSymbolic } from "../../compiler/ir/dim.js";
import type { DType } from "../../compiler/ir/dtype.js";
import type { Hint } from "../../compiler/ir/fix.js";
import type { CallUpdate, Constraint, DimDeclaration, Placeholder, Update, Variable } from "../../compiler/ir/graph.js";
import type { Attributes, Region, Value } from "../../compiler/ir/node.js";
import { type SourceScope, SourceTable } from "../../compiler/ir/sources.js";
import { deriveSpan, type Span } from "../../compiler/ir/span.js";
import { typeText } from "../../compiler/ir/type.js";
import { OpError } from "../../compiler/ops/op_error.js";
import { opNamed } from "../../compiler/ops/table.js";
import type { Ident } from "../ast.js";
import { negativeSize, type Requirement } from "./dim_bounds.js";
import { perform } from "./effects.js";
import type { Facts } from "./facts.js";
import { Deferred, LateMap } from "./late_map.js";
import type { Item } from "./meaning.js";
import type { Memory } from "./memory.js";
import type { Names } from "./names.js";
import { operandHint } from "./operand_hint.js";
import type { RegionScope } from "./region_scope.js";
import { type SymbolInfo, SymbolTable } from "./symbol_table.js";
import { Texts } from "./texts.js";

/** What both elaborations of a graph (inference and training mode) share. */
export class Shared {
  readonly sources: SourceTable;
  /** Where the text places something. */
  readonly devices = new Map<DeviceKind, Span>();
  readonly diagnostics: Diagnostic[] = [];
  readonly dims = new Map<string, DimDeclaration>();
  readonly placeholders = new Map<string, Placeholder>();
  /** What steps of optimizers did that no table has yet. */
  readonly deferred = new Deferred();
  readonly variables = new LateMap<string, Variable>(this.deferred);
  readonly strings = new Map<string, string>();
  readonly constraints: (Constraint & { readonly anchors: Set<Value> })[] = [];
  /** Constraints met since an edge was last made, which the next one rests on. */
  readonly #pending: Set<Value>[] = [];
  readonly #everywhere = new Set<Set<Value>>();
  /** Variables whose initial value was refused: that has been told, and what rests on them is silent. */
  readonly refusedVariables = new Set<string>();
  /** Names that some `gradients(y, [names])` of the graph lists. */
  readonly differentiated = new Set<string>();
  /** What stands between the braces of the graph. */
  graphBody: Span | undefined;
  /** Functions that some call has expanded with real arguments, so that they need no check of their own. */
  readonly expanded = new Set<object>();
  /** Branches of `if`s that some elaboration has read: the one that a known condition chose, both of another. */
  readonly branches = new Set<object>();
  /** What editors ask for. */
  readonly facts: Facts | undefined;
  /** What an editor keeps of the elaborations before. */
  readonly memory: Memory | undefined;
  /** How to import a name that only needs that. */
  readonly suggestImport: (name: Ident) => Hint | undefined;
  readonly texts: Texts;
  readonly symbolTable = new SymbolTable();
  readonly #reported = new Set<string>();
  readonly #scopes = new Map<string, SourceScope>();
  readonly #scopeKeys = new Map<SourceScope, number>();
  readonly #constrained = new Map<string, Set<Value>>();

  constructor(
    suggestImport: (name: Ident) => Hint | undefined,
    textOf: (file: string) => string | undefined,
    facts: Facts | undefined,
    memory?: Memory,
  ) {
    this.facts = facts;
    this.memory = memory;
    this.sources = memory?.sources() ?? new SourceTable();
    this.suggestImport = suggestImport;
    this.texts = new Texts(textOf);
  }

  /** The scope of a place in the text within `parent`: one object, whichever mode comes there. */
  scope(parent: SourceScope | undefined, own: Omit<SourceScope, "parent">): SourceScope {
    const outer = parent === undefined ? "" : this.#scopeKeys.get(parent);
    const key = `${outer} ${own.kind} ${own.path} ${own.span.file}:${own.span.start}:${own.span.end}`;
    const known = this.#scopes.get(key);
    if (known !== undefined) return known;
    const made = { ...own, parent };
    this.#scopeKeys.set(made, this.#scopes.size);
    this.#scopes.set(key, made);
    return made;
  }

  /** Reports a problem once: both modes and every call of a fn find it again. */
  report(diagnostic: Diagnostic): void {
    this.memory?.foundProblem();
    const { code, span, message } = diagnostic;
    const key = `${code} ${span?.file} ${span?.start} ${span?.end} ${message}`;
    if (this.#reported.has(key)) return;
    this.#reported.add(key);
    this.diagnostics.push(diagnostic);
  }

  get symbols(): ReadonlyMap<string, SymbolInfo> {
    return this.symbolTable.all;
  }

  addSymbol(path: string, info: SymbolInfo): void {
    if (this.memory?.notedSymbol([path, info]) !== true) this.symbolTable.addAll([[path, info]]);
  }

  addVariable(variable: Variable): void {
    this.variables.set(variable.path, variable);
    if (variable.trainable) this.memory?.trainables.push(variable);
  }

  addPlaceholder(placeholder: Placeholder): void {
    this.placeholders.set(placeholder.name, placeholder);
    this.memory?.placeholders.push(placeholder);
  }

  /** Constraints are for runs: where there will be none, nobody asks. */
  get keepsConstraints(): boolean {
    return this.memory === undefined;
  }

  /** What sizes must turn out to fulfil; each place once, though both modes and every call find it. */
  constrain(constraint: Omit<Constraint, "anchors">): void {
    const { condition, diagnostic, sizes, premises } = constraint;
    const { span, message } = diagnostic;
    const key = [
      ...[condition, ...premises].map(conditionText),
      sizes === "placed" ? "" : message,
      `${span?.file} ${span?.start} ${span?.end}`,
    ].join("; ");
    const known = this.#constrained.get(key);
    const anchors = known ?? new Set<Value>();
    this.#pending.push(anchors);
    if (known !== undefined) return;
    this.#constrained.set(key, anchors);
    this.constraints.push({ ...constraint, anchors });
  }

  /** How many constraints wait for an edge: what is met from here on belongs to what is made next. */
  get pending(): number {
    return this.#pending.length;
  }

  /** The edges rest on all constraints met since `mark`. */
  anchor(mark: number, edges: readonly Value[]): void {
    if (edges.length === 0) return;
    for (const anchors of this.#pending.splice(mark)) {
      if (!this.#everywhere.has(anchors)) for (const edge of edges) anchors.add(edge);
    }
  }

  /** What no edge rests on of the constraints met since `mark` holds for all runs. */
  settle(mark: number): void {
    for (const anchors of this.#pending.splice(mark)) {
      anchors.clear();
      this.#everywhere.add(anchors);
    }
  }
}

const mostPlaces = 64;
const mostCallNotes = 3;

/** One elaboration of a graph, in one mode. */
export class State {
  readonly shared: Shared;
  readonly training: boolean;
  /** Every edge that can be fetched. */
  readonly names: LateMap<string, Value>;
  readonly updates = new Map<string, Update>();
  readonly callUpdates: CallUpdate[] = [];
  /** Which call owns the variables below a path. */
  readonly owners: LateMap<string, { readonly frame: Frame; readonly span: Span }>;
  /** Random draws of one binding path, counted. */
  readonly draws = new Map<string, number>();
  readonly active: { readonly declaration: object; readonly name: string; readonly span: Span }[] = [];
  calls = 0;
  depth = 0;
  /** Set while a fn is checked without a call, with stand-ins for its arguments. */
  readonly generic: boolean;
  /** What such a check has found. */
  readonly found: Diagnostic[] = [];
  /** The branches that it has read. */
  readonly branches = new Set<object>();
  /** What the graph itself requires of its dims. */
  readonly required: Requirement[] = [];
  /** Where each variable is declared, by its path. */
  readonly declared: LateMap<string, { readonly frame: Frame; readonly span: Span }>;

  constructor(shared: Shared, training: boolean, generic = false) {
    this.shared = shared;
    this.names = new LateMap(shared.deferred);
    this.owners = new LateMap(shared.deferred);
    this.declared = new LateMap(shared.deferred);
    this.training = training;
    this.generic = generic;
  }

  addCallUpdate(update: CallUpdate): void {
    this.callUpdates.push(update);
    this.shared.memory?.callUpdates(this.training).push(update);
  }

  /** Remembers that a branch of an `if` was read, and so checked. */
  read(branch: object): void {
    if (this.generic) this.branches.add(branch);
    else perform(this, ({ shared }) => shared.branches.add(branch));
  }
}

/** The body that is being elaborated: the graph, or one call of a fn or an optimizer. */
export interface Frame {
  readonly kind: "file" | "graph" | "fn" | "optimizer";
  /** The path of what it owns: empty for the graph, `hidden/dense` for a call. */
  readonly path: string;
  /** The leading dims that `...` stands for. */
  readonly pack: readonly Dim[] | undefined;
  readonly call:
    | {
        readonly span: Span;
        readonly name: string;
        readonly caller: Frame;
        /** The arguments that were given, by parameter. */
        readonly items: ReadonlyMap<string, Item>;
      }
    | undefined;
  readonly standard: boolean;
  /** Inside an initial value: its edges are computed once, before any run, and cannot be fetched. */
  readonly initial: boolean;
  /** What the requirements of a call ask of the dims; those of the graph are the state's. */
  readonly required: Requirement[];
  /** Variables that it may assign, by name, with the values that reads see after an assignment. */
  readonly assigned: Map<string, Value>;
}

/** Where an expression is evaluated. */
export interface Env {
  readonly state: State;
  readonly frame: Frame;
  /** The innermost call, scope or update around it, for whoever shows the graph as it is written. */
  readonly scope: SourceScope | undefined;
  readonly names: Names;
  /** What names bound here start with: empty, `metrics.`, `hidden/dense/`. */
  readonly prefix: string;
  /** The path of the binding that the expression belongs to: `hidden`, `metrics.loss`, `hidden/dense/y`. */
  readonly binding: string;
  readonly bound?: string; // What the text binds where that is no part of a path: the carry of a `next h =`.
  /** The scan, while or if whose body it stands in; the outermost one, and the body in which that is written. */
  readonly region: RegionScope | undefined;
  readonly whole?: { readonly kind: "scan" | "while" | "if"; readonly word: Span; readonly frame: Frame } | undefined;
  /** Set in a branch that the compiler chose: what is bound there is not seen outside. */
  readonly local?: boolean;
  /** What an initialiser called here is given. */
  readonly declared: { readonly dtype: DType; readonly shape: readonly Dim[] } | undefined;
}

/** Ends the evaluation of one expression: `diagnostic` is reported, or nothing where an operand was poisoned. */
export class Refusal extends Error {
  override readonly name = "Refusal";

  constructor(readonly diagnostic: Diagnostic | undefined) {
    super(diagnostic?.message);
  }
}

/** Where all has been told. It is one for all: each error takes a picture of the stack, and a thousand statements may rest on a broken one. */
export const silentRefusal = new Refusal(undefined);

/** The error to throw for a problem at `span`. */
export function refusal(env: Env, code: Code, span: Span, message: string, details: Details = {}): Refusal {
  return new Refusal(placed(env, problem(code, span, message, details)));
}

export function report(env: Env, code: Code, span: Span, message: string, details: Details = {}): void {
  reportDiagnostic(env, placed(env, problem(code, span, message, details)));
}

/** What the stand-ins of a fn that nothing calls cannot decide: its arguments may be constants, of static shape. */
const leftToCalls: ReadonlySet<string> = new Set(["G036", "G037", "G038"]);

export function reportDiagnostic(env: Env, diagnostic: Diagnostic): void {
  const { state } = env;
  if (!state.generic) state.shared.report(diagnostic);
  else if (!leftToCalls.has(diagnostic.code)) {
    state.shared.memory?.foundProblem();
    state.found.push(diagnostic);
  }
}

/** Ends what depends on the sizes that a call would give, where a fn is checked without one. */
export function leaveToCalls(env: Env, dims: readonly Dim[]): void {
  if (env.state.generic && dims.some(isSymbolic)) throw silentRefusal;
}

/** Adds the calls that led here. A problem inside the standard library is shown at the user's call of it. */
function placed(env: Env, diagnostic: Diagnostic): Diagnostic {
  const calls: NonNullable<Frame["call"]>[] = [];
  for (let frame: Frame = env.frame; frame.call !== undefined; frame = frame.call.caller) calls.push(frame.call);
  if (calls.length === 0) return diagnostic;
  const outermost = env.frame.standard ? calls.findIndex((call) => !call.caller.standard) : -1;
  const notes: Note[] = [...diagnostic.notes];
  let span = diagnostic.span;
  let shown = calls;
  if (outermost >= 0) {
    const call = calls[outermost] as NonNullable<Frame["call"]>;
    notes.push({ span, message: `inside \`${calls[0]?.name}\`` });
    span = call.span;
    shown = calls.slice(outermost + 1);
  }
  for (const call of shown.slice(0, mostCallNotes)) {
    if (!call.caller.standard) notes.push({ span: call.span, message: `in this call of \`${call.name}\`` });
  }
  return { ...diagnostic, span, notes };
}

/** The places that a node made here points back at: in the standard library, the user's line first. */
export function placesOf(env: Env, span: Span): readonly Span[] {
  if (!env.frame.standard) return [span];
  for (let frame: Frame = env.frame; frame.call !== undefined; frame = frame.call.caller) {
    if (!frame.call.caller.standard) return [deriveSpan(frame.call.span, { written: frame.call.name }), span];
  }
  return [span];
}

/** Remembers where an edge comes from, for it and for what was built below it. */
export function record(env: Env, value: Value, span: Span): Value {
  // A constant that a whole program shares would collect a place a line.
  env.state.shared.sources.write(value, placesOf(env, span), env.scope, mostPlaces);
  return value;
}

/** The place of a call and of its operands, for carets, and how to mend what the op refuses without a hint of its own. */
export interface Site {
  readonly span: Span;
  readonly operands: readonly Span[];
  readonly hint?: Hint | undefined;
}

/** Applies a core op; what its rule refuses becomes a problem with the places of the operands. */
export function applyOp(
  env: Env,
  name: string,
  inputs: readonly Value[],
  attributes: Attributes,
  site: Site,
  regions: readonly Region[] = [],
): readonly Value[] {
  try {
    const outputs = opNamed(name).apply(inputs, attributes, regions);
    for (const output of outputs) {
      const negative = negativeSize(env, output.type);
      if (negative !== undefined) throw refusal(env, "G027", site.span, negative.message, negative);
      if (!env.state.generic && !inputs.includes(output))
        env.state.shared.sources.meet(output.node, placesOf(env, site.span), env.scope);
      record(env, output, site.span);
    }
    return outputs;
  } catch (error) {
    if (!(error instanceof OpError)) throw error;
    leaveErrorToCalls(env, error, inputs, attributes);
    const span = (error.operand === undefined ? undefined : site.operands[error.operand]) ?? site.span;
    throw refusal(env, error.code, span, error.message, {
      notes: opErrorNotes(env, error, inputs, site),
      hint: operandHint(env, error.hint, span) ?? site.hint,
    });
  }
}

/** Dtypes and ranks are known whatever the sizes. */
const decidedByTypes: ReadonlySet<string> = new Set(["G022", "G024", "G025"]);

/** What an op refuses for symbolic sizes, other sizes may mend. */
function leaveErrorToCalls(env: Env, error: OpError, inputs: readonly Value[], attributes: Attributes): void {
  if (decidedByTypes.has(error.code) && !error.undecided) return;
  const listed = Object.values(attributes).some(
    (one) => Array.isArray(one) && one.some((part) => typeof part === "object" && "terms" in part),
  );
  if (env.state.generic && (listed || inputs.some(({ type }) => type.shape.some(isSymbolic)))) throw silentRefusal;
}

function opErrorNotes(env: Env, error: OpError, inputs: readonly Value[], site: Site): readonly Note[] {
  const positions = [error.operand, error.against].filter((p) => p !== undefined);
  return positions.flatMap((position) => {
    const value = inputs[position];
    return value === undefined ? [] : [originNote(env, value, site.operands[position] ?? site.span)];
  });
}

/** "f32[N, 784] comes from here": at the place where the edge was made, or at its use where that is not known. */
export function originNote(env: Env, value: Value, use: Span): Note {
  const { memory, sources } = env.state.shared;
  const places = sources.spansOf((memory?.aliases.behind(value) ?? value).node);
  const span = places.find((place) => place.file === use.file) ?? places[0] ?? use;
  return { span, message: `${typeText(value.type)} comes from here` };
}
