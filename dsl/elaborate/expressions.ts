import { InternalError } from "../../compiler/ir/diagnostic.js";
import type { Value } from "../../compiler/ir/node.js";
import type { Span } from "../../compiler/ir/span.js";
import type { Call, Expression, List } from "../ast.js";
import { call } from "./calls.js";
import { noteResult } from "./facts.js";
import { index } from "./indexing.js";
import { maximumDepth } from "./limits.js";
import { reference } from "./lookup.js";
import { type Item, int, type Meaning, poisoned } from "./meaning.js";
import { binary, unary } from "./operators.js";
import { type Env, Refusal, refusal, reportDiagnostic } from "./state.js";

/** The meaning of an expression. Never throws: a problem is reported, and its value is poisoned. */
export function evaluate(env: Env, expression: Expression): Meaning {
  return guarded(env, () => {
    if (env.state.depth >= maximumDepth) {
      throw refusal(env, "G101", expression.span, "calls and expressions nest too deep", {
        hint: "bind parts of it to names",
      });
    }
    env.state.depth++;
    const { shared } = env.state;
    const mark = shared.pending;
    try {
      const meaning = evaluateInside(env, expression);
      if (shared.pending > mark) shared.anchor(mark, edgesOf(meaning));
      return meaning;
    } finally {
      env.state.depth--;
    }
  });
}

/** Runs a part of the elaboration that may refuse: reports why, once. */
export function guarded(env: Env, compute: () => Meaning): Meaning {
  return attempt(env, compute) ?? poisoned;
}

/** The same for any result; undefined where it was refused. */
export function attempt<T>(env: Env, compute: () => T): T | undefined {
  try {
    return compute();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.diagnostic !== undefined) reportDiagnostic(env, error.diagnostic);
    return undefined;
  }
}

export function item(env: Env, expression: Expression): Item {
  return { meaning: evaluate(env, expression), span: expression.span };
}

function edgesOf(meaning: Meaning): readonly Value[] {
  if (meaning.kind === "tensor") return [meaning.value];
  return meaning.kind === "many" ? meaning.outputs.flatMap(edgesOf) : [];
}

function evaluateInside(env: Env, expression: Expression): Meaning {
  switch (expression.kind) {
    case "integer":
      return int(expression.value);
    case "float":
    case "boolean":
    case "string":
      return literal(expression);
    case "reference":
      return reference(env, expression);
    case "call":
      return noted(env, expression, call(env, expression, undefined));
    case "pipe":
      return pipe(env, expression.input, expression.call, expression.span);
    case "index":
      return index(env, expression, evaluate(env, expression.target), (part) => evaluate(env, part));
    case "unary":
      return unary(env, expression, evaluate(env, expression.operand));
    case "binary":
      return binary(env, expression, evaluate(env, expression.left), evaluate(env, expression.right));
    case "list":
      return list(env, expression);
    case "record":
      throw refusal(env, "G016", expression.span, "`{ ... }` is train data, not a value");
    case "ellipsis":
      throw new InternalError("`...` stands outside of lists and indices");
  }
}

function literal(expression: Extract<Expression, { kind: "float" | "boolean" | "string" }>): Meaning {
  if (expression.kind === "float") return { kind: "float", value: expression.value };
  if (expression.kind === "boolean") return { kind: "bool", value: expression.value };
  return { kind: "string", value: expression.value };
}

function pipe(env: Env, input: Expression, callee: Call, span: Span): Meaning {
  const given = item(env, input);
  if (given.meaning.kind === "many") {
    throw refusal(
      env,
      "G032",
      input.span,
      `\`${given.meaning.callee}\` has ${given.meaning.outputs.length} outputs, and a pipe takes one`,
      {
        hint: "bind them to names first",
      },
    );
  }
  return noted(env, callee, call(env, { ...callee, span }, given));
}

function noted(env: Env, { callee }: Call, result: Meaning): Meaning {
  noteResult(env, callee.span, result);
  return result;
}

function list(env: Env, expression: List): Meaning {
  const items = expression.items.flatMap((part): readonly Item[] => {
    if (part.kind !== "ellipsis") return [item(env, part)];
    const { pack } = env.frame;
    if (pack !== undefined) return pack.map((dim) => ({ meaning: int(dim), span: part.span }));
    throw refusal(
      env,
      "G017",
      part.span,
      "`...` stands for the leading dims of a fn's parameters, and there are none here",
    );
  });
  return { kind: "list", items };
}
