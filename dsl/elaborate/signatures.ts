import { type Fix, type Hint, insert } from "../../compiler/ir/fix.js";
import type { Assignment, CallUpdate, Mode, Placeholder, Signature } from "../../compiler/ir/graph.js";
import { type Node, nodesBelow, type Value } from "../../compiler/ir/node.js";
import type { Span } from "../../compiler/ir/span.js";
import type { Path, Signature as SignatureDeclaration, Statement } from "../ast.js";
import { didYouMean, meant, quote } from "../diagnostics.js";
import { ask } from "./effects.js";
import { notePath } from "./facts.js";
import { LateMap } from "./late_map.js";
import { type Item, type Meaning, poisoned, tensor } from "./meaning.js";
import { schedulesOf } from "./schedules.js";
import { type Env, report } from "./state.js";

export interface Modes {
  readonly inference: Mode;
  readonly training: Mode;
}

/** The signatures of a graph, and the names of those of which it is not known what they give. */
export interface Signatures {
  readonly all: readonly Signature[];
  readonly incomplete: ReadonlySet<string>;
}

/** Reads and checks every signature of a graph. */
export function signatures(env: Env, statements: readonly Statement[], modes: Modes): Signatures {
  const found = new Map<string, Signature>();
  const incomplete = new Set<string>();
  // What an error left out might be what feeds a placeholder's readers.
  const whole = env.state.shared.diagnostics.every((d) => d.severity !== "error");
  for (const one of statements) {
    if (one.kind !== "signature") continue;
    const first = found.get(one.name.name);
    if (first !== undefined) {
      report(env, "G010", one.name.span, `the signature ${quote(one.name.name)} is declared twice`, {
        notes: [{ span: first.span, message: "first here" }],
      });
      continue;
    }
    found.set(one.name.name, remembered(env, one, modes, whole));
    if (one.incomplete === true) incomplete.add(one.name.name);
    env.state.shared.addSymbol(`signature ${one.name.name}`, {
      kind: "signature",
      type: undefined,
      doc: one.doc?.text,
      span: one.name.span,
    });
  }
  return { all: [...found.values()].filter(({ name }) => !incomplete.has(name)), incomplete };
}

/** In an editor, a signature is looked at again only where what it names or what its run reaches has changed. */
function remembered(env: Env, one: SignatureDeclaration, modes: Modes, whole: boolean): Signature {
  const training = one.training?.value ?? one.does.length > 0;
  const mode = training ? modes.training : modes.inference;
  const { state } = env;
  const { memory } = state.shared;
  const run = (): Signature => signature(env, one, mode, training, whole);
  if (memory === undefined) return run();
  return memory.signatures.run(state, one, `signature ${whole}`, itemsOf(env, one, mode), () => {
    ask(state, "reach", () => memory.aliases.reachToken(training, ["name", "slope"]));
    ask(state, "placeholders", () => memory.placeholders.token);
    ask(state, "call updates", () => memory.callUpdates(training).token);
    const result = run();
    // A schedule is told with its place, which may be anywhere.
    if (result.schedules.length > 0) memory.foundProblem();
    return result;
  });
}

/** What the names of a signature stand for. */
function itemsOf({ state }: Env, { inputs, outputs, does, span }: SignatureDeclaration, mode: Mode): readonly Item[] {
  const { placeholders, variables, strings } = state.shared;
  const meanings: readonly Meaning[] = [
    ...inputs.map(({ text }): Meaning => ({ kind: "bool", value: placeholders.has(text) })),
    ...outputs.map(({ text }): Meaning => {
      const value = firstOf(mode.names, text) ?? variables.get(text)?.value;
      return value === undefined ? { kind: "bool", value: strings.has(text) } : tensor(value);
    }),
    ...does.flatMap(({ text }): readonly Meaning[] => {
      const assignments = mode.updates.get(text)?.assignments;
      if (assignments === undefined) return [poisoned];
      return [assigned(assignments, span)];
    }),
  ];
  return meanings.map((meaning) => ({ meaning, span }));
}

function firstOf(names: ReadonlyMap<string, Value>, text: string): Value | undefined {
  return names instanceof LateMap ? names.first(text) : names.get(text);
}

/** What an update assigns. A list that is the same one as before has the same meaning, and is not looked through. */
const assignedMeanings = new WeakMap<readonly Assignment[], Meaning>();

function assigned(assignments: readonly Assignment[], span: Span): Meaning {
  const known = assignedMeanings.get(assignments);
  if (known !== undefined) return known;
  const items = assignments.flatMap(({ path, value }): readonly Item[] => [
    { meaning: { kind: "string", value: path }, span },
    { meaning: tensor(value), span },
  ]);
  const made: Meaning = { kind: "list", items };
  assignedMeanings.set(assignments, made);
  return made;
}

function signature(env: Env, one: SignatureDeclaration, mode: Mode, training: boolean, whole: boolean): Signature {
  const inputs = distinct(env, one.inputs, "input").filter((path) => checkInput(env, path));
  const updates = distinct(env, one.does, "update").filter((path) => checkUpdate(env, path, mode));
  const outputs = distinct(env, one.outputs, "output").filter((path) => checkOutput(env, path, mode));
  const result: Signature = {
    name: one.name.name,
    inputs: inputs.map((path) => path.text),
    updates: updates.map((path) => path.text),
    training,
    outputs: outputs.map((path) => path.text),
    schedules: [],
    span: one.name.span,
    doc: one.doc?.text,
  };
  checkConflicts(env, one, result, mode);
  const roots = rootsOf(env, result, mode);
  if (whole && inputs.length === one.inputs.length) checkFed(env, one, result, mode, roots);
  const { memory, sources } = env.state.shared;
  // Of several the graph's order tells which comes first.
  const few = memory === undefined ? undefined : [...memory.aliases.reaches.below(roots).schedules];
  const isFew = few !== undefined && few.length < 2;
  return { ...result, schedules: schedulesOf(isFew ? few : nodesBelow(roots), sources) };
}

function distinct(env: Env, paths: readonly Path[], what: string): readonly Path[] {
  const seen = new Map<string, Path>();
  for (const path of paths) {
    const first = seen.get(path.text);
    if (first === undefined) seen.set(path.text, path);
    else {
      report(env, "G015", path.span, `the ${what} ${quote(path.text)} is named twice`, {
        notes: [{ span: first.span, message: "first here" }],
      });
    }
  }
  return [...seen.values()];
}

/** Whether the definition of a name failed, so that its uses say nothing. */
export function isBroken(env: Env, path: Path): boolean {
  const [first, ...rest] = path.segments;
  let entry = first === undefined ? undefined : env.names.lookup(first.name);
  if (entry === undefined && env.names.incomplete) return restingOnAll(env, true);
  for (const [i, segment] of rest.entries()) {
    if (entry?.meaning.kind === "poisoned") return true;
    // What a call holds is not known once anything in the graph failed.
    if (path.separators[i] === "/")
      return restingOnAll(
        env,
        env.state.shared.diagnostics.some((d) => d.severity === "error"),
      );
    const names = entry?.meaning.kind === "scope" ? entry.meaning.names : undefined;
    entry = names?.own(segment.name);
    if (entry === undefined && names?.incomplete === true) return restingOnAll(env, true);
  }
  return entry?.meaning.kind === "poisoned";
}

/** What is found so may be something else after any change of the file. */
function restingOnAll(env: Env, found: boolean): boolean {
  env.state.shared.memory?.foundProblem();
  return found;
}

function checkInput(env: Env, path: Path): boolean {
  const { placeholders } = env.state.shared;
  notePath(env, path);
  if (placeholders.has(path.text)) return true;
  if (isBroken(env, path)) return false;
  const other = env.state.shared.symbols.get(path.text);
  if (other !== undefined) {
    report(env, "G045", path.span, `${quote(path.text)} is a ${other.kind}, not a placeholder`, {
      notes: [{ span: other.span, message: "bound here" }],
      hint: "the inputs of a signature are placeholders; what it gives stands after `->`",
    });
  } else {
    report(env, "G012", path.span, `unknown placeholder ${quote(path.text)}`, {
      hint: didYouMean(path.text, placeholders.keys()),
    });
  }
  return false;
}

function checkUpdate(env: Env, path: Path, mode: Mode): boolean {
  notePath(env, path);
  if (mode.updates.has(path.text)) return true;
  const known = env.state.shared.symbols.get(path.text);
  // An update that failed has been reported.
  if (known?.kind === "update" || isBroken(env, path)) return false;
  if (known !== undefined) {
    report(env, "G016", path.span, `${quote(path.text)} is a ${known.kind}, not an update`, {
      notes: [{ span: known.span, message: "bound here" }],
    });
  } else
    report(env, "G012", path.span, `unknown update ${quote(path.text)}`, {
      hint:
        didYouMean(path.text, mode.updates.keys()) ??
        (mode.updates.size === 0
          ? `an update is declared: \`update ${path.text} = minimize(loss, adam(learning_rate=1e-3))\``
          : undefined),
    });
  return false;
}

/** Whether a name can be fetched in a mode; reports it otherwise. */
export function checkOutput(env: Env, path: Path, mode: Mode): boolean {
  const { variables, strings, placeholders } = env.state.shared;
  notePath(env, path);
  if (mode.names.has(path.text) || variables.has(path.text) || strings.has(path.text)) return true;
  if (isBroken(env, path)) return false;
  const known = env.state.shared.symbols.get(path.text);
  if (known !== undefined && known.kind !== "binding") {
    report(env, "G016", path.span, `${quote(path.text)} is a ${known.kind}, which has no value to fetch`, {
      notes: [{ span: known.span, message: "bound here" }],
      hint: known.kind === "scope" ? `name an edge of it: \`${path.text}.NAME\`` : undefined,
    });
    return false;
  }
  const candidates = [...mode.names.keys(), ...variables.keys(), ...strings.keys(), ...placeholders.keys()];
  report(env, "G012", path.span, `unknown name ${quote(path.text)}`, { hint: nearestPath(path.text, candidates) });
  return false;
}

/** `loss` may mean `metrics.loss`: the last part decides where nothing is near. */
function nearestPath(name: string, candidates: readonly string[]): Hint | undefined {
  const same = candidates.find((candidate) => candidate.split(/[./]/).at(-1) === name);
  return same === undefined ? didYouMean(name, candidates) : meant(same);
}

/** Two updates of one run that assign one variable. */
function checkConflicts(env: Env, one: SignatureDeclaration, { updates }: Signature, mode: Mode): void {
  const owners = new Map<string, string>();
  for (const name of updates) {
    for (const { path } of mode.updates.get(name)?.assignments ?? []) {
      const first = owners.get(path);
      if (first !== undefined && first !== name) {
        const span = one.does.find((d) => d.text === name)?.span ?? one.name.span;
        report(env, "G042", span, `${quote(first)} and ${quote(name)} both assign ${quote(path)} in one run`, {
          notes: [first, name].map((update) => ({
            span: mode.updates.get(update)?.span,
            message: `the update ${quote(update)}`,
          })),
          hint: "do them in two runs, or join them into one update",
        });
      } else owners.set(path, name);
    }
  }
}

/** What a signature's run gives and assigns. */
function rootsOf({ state }: Env, { outputs, updates }: Signature, mode: Mode): readonly Value[] {
  return [
    ...outputs.flatMap((name) => mode.names.get(name) ?? state.shared.variables.get(name)?.value ?? []),
    ...updates.flatMap((name) => mode.updates.get(name)?.assignments.map(({ value }) => value) ?? []),
  ];
}

/** Every placeholder that the signature's run reads is an input or has a default. */
function checkFed(env: Env, one: SignatureDeclaration, result: Signature, mode: Mode, roots: readonly Value[]): void {
  const { placeholders } = env.state.shared;
  const callUpdates = result.training ? mode.callUpdates : [];
  const reached = env.state.shared.memory?.aliases.reaches.run(roots, callUpdates) ?? reach(roots, callUpdates);
  for (const placeholder of placeholders.values()) {
    if (!reached.has(placeholder.value.node) || result.inputs.includes(placeholder.name)) continue;
    if (placeholder.defaultValue === undefined) missing(env, one, placeholder);
  }
}

function missing(env: Env, one: SignatureDeclaration, placeholder: Placeholder): void {
  report(
    env,
    "G044",
    one.name.span,
    `the signature ${quote(one.name.name)} reads ${quote(placeholder.name)}, which is not among its inputs`,
    {
      notes: [{ span: placeholder.span, message: "the placeholder has no default" }],
      hint: {
        text: `\`signature ${one.name.name}(${[...one.inputs.map((input) => input.text), placeholder.name].join(", ")})\``,
        fix: () => addInput(env, one, placeholder.name),
      },
    },
  );
}

function addInput(env: Env, one: SignatureDeclaration, name: string): Fix | undefined {
  const last = one.inputs.at(-1);
  if (last !== undefined) return insert(`, ${name}`, undefined).fix(last.span);
  const open = env.state.shared.texts.firstIn("(", { ...one.span, start: one.name.span.end });
  return open === undefined ? undefined : insert(name, undefined).fix(open);
}

function reach(roots: readonly Value[], callUpdates: readonly CallUpdate[]): ReadonlySet<Node> {
  const reached = new Set<Node>();
  const visit = (values: readonly Value[]): void => {
    const stack = values.map(({ node }) => node);
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      if (reached.has(node)) continue;
      reached.add(node);
      for (const input of node.inputs) stack.push(input.node);
      for (const region of node.regions) for (const result of region.results) stack.push(result.node);
    }
  };
  visit(roots);
  let waiting = callUpdates;
  for (;;) {
    const ready = waiting.filter(({ anchors }) => anchors.some((anchor) => reached.has(anchor.node)));
    if (ready.length === 0) return reached;
    waiting = waiting.filter((update) => !ready.includes(update));
    for (const { assignments } of ready) visit(assignments.map(({ value }) => value));
  }
}
