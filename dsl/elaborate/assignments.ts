import type { Assignment, Path } from "../ast.js";
import { quote } from "../diagnostics.js";
import { evaluate, guarded } from "./expressions.js";
import { noteName } from "./facts.js";
import { unknownName } from "./lookup.js";
import { describe, type Item, isPoisoned, poisoned, tensor } from "./meaning.js";
import type { Entry } from "./names.js";
import { type Env, record, refusal } from "./state.js";
import { fillOrCheck } from "./types.js";

/** `w := value`, in an update block, an optimizer or a fn that owns w. Later reads in the block see the new value. */
export function assignment(env: Env, one: Assignment): void {
  guarded(env, () => {
    const item: Item = {
      meaning: evaluate({ ...env, binding: `${env.prefix}${one.target.text}` }, one.value),
      span: one.value.span,
    };
    const { path, entry } = targetOf(env, one.target);
    if (isPoisoned(item.meaning) || entry.meaning.kind !== "tensor") return poisoned;
    if (env.region !== undefined) throw insideRegion(env, one);
    const { type } = entry.meaning.value;
    const mark = env.state.shared.pending;
    const value = fillOrCheck(
      env,
      item,
      type,
      entry.span ?? one.target.span,
      `the new value of ${quote(one.target.text)}`,
    );
    env.state.shared.anchor(mark, [value]);
    record(env, value, one.span);
    // A fn's own assignments run in training mode only; in the other they are typed and left out.
    if (env.frame.kind !== "fn" || env.state.training) env.frame.assigned.set(path, value);
    return tensor(value);
  });
}

function insideRegion(env: Env, one: Assignment) {
  return refusal(env, "G057", one.span, `${quote(one.target.text)} would be assigned inside a scan, while or if`, {
    hint: "a run assigns a variable once: carry the value, and assign it after the loop",
  });
}

/** The variable that a path names. G012, G041. */
function targetOf(env: Env, target: Path): { readonly path: string; readonly entry: Entry } {
  const entry = entryOf(env, target);
  const { meaning } = entry;
  if (meaning.kind === "poisoned") return { path: target.text, entry };
  if (meaning.kind === "tensor" && meaning.variable !== undefined) return { path: meaning.variable, entry };
  throw refusal(env, "G041", target.span, `${quote(target.text)} is ${describe(meaning)}, not a variable`, {
    notes: entry.span === undefined ? [] : [{ span: entry.span, message: "bound here" }],
    hint: "only variables can be assigned: `variable NAME: TYPE = VALUE` declares one",
  });
}

function entryOf(env: Env, target: Path): Entry {
  const [first, ...rest] = target.segments;
  if (target.separators.includes("/")) {
    const known = env.state.shared.variables.get(target.text);
    if (known !== undefined && env.frame.kind === "graph") {
      return { meaning: { kind: "tensor", value: known.value, variable: known.path }, span: known.span };
    }
    throw refusal(env, "G012", target.span, `unknown variable ${quote(target.text)}`, {
      hint: env.frame.kind === "graph" ? undefined : "only the graph reaches into calls",
    });
  }
  let entry = first === undefined ? undefined : env.names.lookup(first.name);
  if (first !== undefined && entry !== undefined) noteName(env, first.span, entry);
  if (first !== undefined && entry === undefined) throw unknownName(env, first, env.names, env.names.visible());
  for (const segment of rest) {
    if (entry?.meaning.kind === "poisoned") return entry;
    const names = entry?.meaning.kind === "scope" ? entry.meaning.names : undefined;
    const inner = names?.own(segment.name);
    if (inner === undefined) {
      throw unknownName(
        env,
        segment,
        names ?? env.names,
        [...(names?.ownEntries() ?? [])].map(([name]) => name),
        entry?.span,
      );
    }
    noteName(env, segment.span, inner);
    entry = inner;
  }
  return entry ?? { meaning: poisoned, span: undefined };
}
