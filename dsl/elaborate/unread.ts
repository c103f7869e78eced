import type {
  BindingTarget,
  Block,
  Call,
  Carry,
  Constant,
  Invalid,
  Reference,
  Scope,
  Sequence,
  Statement,
  Variable,
  Yield,
} from "../ast.js";
import { withoutPlaces } from "../mentions.js";
import { attempt } from "./expressions.js";
import { callable, reference } from "./lookup.js";
import { type Env, report } from "./state.js";

/**
 * What can be told of a branch that the compiler leaves unread: whether it yields as it must, and names that nothing binds. Its types
 * may be wrong for the condition that it is not read for.
 */
export function checkUnread(env: Env, block: Block): Yield | undefined {
  const found = yieldOf(env, block);
  if (env.frame.standard) return found;
  const parts = partsOf(block);
  // What was not understood may have bound any name.
  if (parts.some((part) => part.kind === "invalid")) return found;
  const bound = new Set(parts.flatMap(namesBoundBy));
  const outside: Env = { ...env, region: undefined };
  const called = new Set(parts.flatMap((part) => (part.kind === "call" ? [part.callee] : [])));
  const check = (one: Reference, look: () => unknown): void => {
    const [first] = one.segments;
    if (first !== undefined && !bound.has(first.name)) attempt(outside, look);
  };
  for (const callee of called) check(callee, () => callable(outside, callee));
  for (const part of parts) {
    if (part.kind === "reference" && !called.has(part)) check(part, () => reference(outside, part));
  }
  return found;
}

/** The one `yield` of a branch; undefined where there is none, which is reported. */
export function yieldOf(env: Env, block: Block): Yield | undefined {
  let found: Yield | undefined;
  const statements = withoutPlaces(block.statements);
  for (const one of statements) {
    if (one.kind !== "yield") continue;
    if (found === undefined) {
      found = one;
      continue;
    }
    report(env, "G055", one.span, "a branch yields once", {
      notes: [{ span: found.span, message: "first here" }],
      hint: "`yield a, b` gives several values",
    });
  }
  // What was not understood may have been the yield.
  if (found === undefined && statements.every((one) => one.kind !== "invalid")) {
    const end = { ...block.span, start: Math.max(block.span.start, block.span.end - 1) };
    report(env, "G055", end, "this branch yields nothing", { hint: "it ends with `yield value`" });
  }
  return found;
}

/** The branches of all `if`s among statements, also of those inside other regions. */
export function branchesIn(statements: readonly Statement[]): readonly Block[] {
  return statements.flatMap((one): readonly Block[] => {
    if (one.kind === "scope" || one.kind === "on") return branchesIn(one.body.statements);
    if (one.kind !== "binding") return [];
    const { value } = one;
    if (value.kind === "scan" || value.kind === "while") return branchesIn(value.body.statements);
    if (value.kind !== "if") return [];
    const blocks = [...value.branches.map(({ body }) => body), value.otherwise];
    return blocks.flatMap((block) => [block, ...branchesIn(block.statements)]);
  });
}

/** What mentions or binds a name. */
type Part = Reference | Call | BindingTarget | Variable | Constant | Scope | Sequence | Carry | Invalid;

const kinds: ReadonlySet<unknown> = new Set<Part["kind"]>([
  "reference",
  "call",
  "target",
  "variable",
  "constant",
  "scope",
  "sequence",
  "carry",
  "invalid",
]);

function isPart(one: object): one is Part {
  return "kind" in one && kinds.has(one.kind);
}

function partsOf(block: Block): readonly Part[] {
  const parts: Part[] = [];
  const stack: unknown[] = [block];
  for (let one = stack.pop(); one !== undefined; one = stack.pop()) {
    if (typeof one !== "object" || one === null) continue;
    if (isPart(one)) parts.push(one);
    for (const value of Object.values(one)) if (typeof value === "object" && value !== null) stack.push(value);
  }
  return parts;
}

function namesBoundBy(part: Part): readonly string[] {
  switch (part.kind) {
    case "target":
    case "variable":
    case "constant":
    case "scope":
    case "sequence":
    case "carry":
      return [part.name.name];
    case "reference":
    case "call":
    case "invalid":
      return [];
  }
}
