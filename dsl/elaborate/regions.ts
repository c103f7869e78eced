import { type Dim, isSymbolic } from "../../compiler/ir/dim.js";
import { isFloat } from "../../compiler/ir/dtype.js";
import { castTo, type Hint } from "../../compiler/ir/fix.js";
import { type Region as IrRegion, newRegionParameters, type Value } from "../../compiler/ir/node.js";
import { deriveSpan, type Span } from "../../compiler/ir/span.js";
import { type TensorType, tensorType, typeText } from "../../compiler/ir/type.js";
import { dependents } from "../../compiler/ops/region_parts.js";
import type { Argument, Block, Carry, Ident, Next, Region, Scan, Statement, While } from "../ast.js";
import { didYouMean, quote } from "../diagnostics.js";
import { branches } from "./branches.js";
import { toTensor } from "./convert.js";
import { evaluate, guarded, item } from "./expressions.js";
import { define, noteName } from "./facts.js";
import { describe, type Item, isLiteral, isPoisoned, type Meaning, poisoned, tensor } from "./meaning.js";
import { Names } from "./names.js";
import { placed } from "./places.js";
import { capturesOf, RegionScope } from "./region_scope.js";
import { applyOp, type Env, originNote, refusal } from "./state.js";
import { expectNames, statement } from "./statements.js";
import { fillOrCheck, restate } from "./types.js";

/** The value of a binding that is a scan, while or if. Never throws: a problem is reported, and its value is poisoned. */
export function region(env: Env, one: Region): Meaning {
  return guarded(env, () => {
    switch (one.kind) {
      case "scan":
        return scan(env, one);
      case "while":
        return whileLoop(env, one);
      case "if":
        return branches(env, one, one.branches);
    }
  });
}

/** A carry: its first value, the parameter that stands for it in the body, and its value in the next iteration. */
interface CarryState {
  readonly name: string;
  readonly span: Span;
  readonly initial: Value;
  readonly parameter: Value;
  next: Value | undefined;
  nextSpan: Span | undefined;
}

/** The body of a region: names of its own, captures for those of around it. */
export function inside(env: Env, scope: RegionScope, one: Region): Env {
  return {
    ...env,
    whole: env.whole ?? { kind: one.kind, word: wordOf(one), frame: env.frame },
    names: new Names(env.names, scope.depth),
    region: scope,
    prefix: env.binding === "" ? env.prefix : `${env.binding}/`,
  };
}

function scan(env: Env, one: Scan): Meaning {
  const { reverse, checkpoint } = scanOptions(env, one.options);
  const sequences = one.sequences.map((sequence) => {
    const given = item(env, sequence.value);
    return { name: sequence.name, span: sequence.value.span, given };
  });
  const initial = one.carries.map((carry) => item(env, carry.value));
  if ([...sequences.map(({ given }) => given), ...initial].some(({ meaning }) => isPoisoned(meaning))) {
    poisonedBody(env, one, [...sequences.map(({ name }) => name), ...one.carries.map(({ name }) => name)]);
    return poisoned;
  }
  const { length, stacks } = commonLength(
    env,
    sequences.map(({ given }) => toTensor(env, given)),
    sequences.map(({ span }) => span),
  );
  const scope = new RegionScope(env.region, true);
  const body = inside(env, scope, one);
  const elements = sequences.map(({ name, span }, i) => {
    const { dtype, shape } = (stacks[i] as Value).type;
    const [element] = newRegionParameters([tensorType(dtype, shape.slice(1))]) as readonly [Value];
    env.state.shared.sources.add(element.node, deriveSpan(span, { written: name.name }));
    define(body, name, tensor(element));
    return element;
  });
  const carries = bindCarries(env, body, one.carries, initial);
  const yields = runBody(body, one.body, carries);
  if (yields === undefined) return poisoned;
  if (carries.length === 0 && yields.length === 0) {
    throw refusal(env, "G055", wordOf(one), "this scan carries nothing and yields nothing", {
      hint: "`yield value` stacks a value of each iteration; `with h = h0` and `next h = ...` carry one on",
    });
  }
  const results = scope.close([...carries.map(nextOf), ...yields], env.state.shared.sources);
  const parameters = [scope.index as Value, ...scope.parameters, ...elements, ...carries.map((c) => c.parameter)];
  const attributes = {
    captures: scope.outside.length,
    sequences: stacks.length,
    length: [length],
    reverse,
    checkpoint,
  };
  const operands = [...scope.outside, ...stacks, ...carries.map((carry) => carry.initial)];
  const outputs = applyRegionOp(env, "scan", operands, attributes, [{ parameters, results }], wordOf(one));
  return outcome(outputs, "scan");
}

function whileLoop(env: Env, one: While): Meaning {
  const initial = one.carries.map((carry) => item(env, carry.value));
  if (initial.some(({ meaning }) => isPoisoned(meaning))) {
    poisonedBody(
      env,
      one,
      one.carries.map(({ name }) => name),
    );
    return poisoned;
  }
  if (one.carries.length === 0) {
    throw refusal(env, "G055", wordOf(one), "this while carries nothing, so that it could never end", {
      hint: "`while x > 1 with x = x0 { next x = x / 2 }`",
    });
  }
  const [scope, conditionScope] = [new RegionScope(env.region, true), new RegionScope(env.region, true)];
  const body = inside(env, scope, one);
  const before = inside(env, conditionScope, one);
  const carries = bindCarries(env, body, one.carries, initial);
  const tested = bindCarries(env, before, one.carries, initial).map((carry) => carry.parameter);
  const condition = conditionOf(before, evaluate(before, one.condition), one.condition.span);
  const yields = runBody(body, one.body, carries);
  if (yields === undefined || condition === undefined) return poisoned;
  const moving = [conditionScope.index as Value, ...tested];
  if (!dependents([condition], moving).has(condition.node)) {
    throw refusal(env, "G055", one.condition.span, "the condition reads no carry: it is the same in each iteration", {
      notes: one.carries.slice(0, 1).map((carry) => ({ span: carry.span, message: "the carries are declared here" })),
      hint: "`if` chooses once; a while ends when a carry makes its condition false",
    });
  }
  const predicate = conditionScope.close([condition], env.state.shared.sources);
  const next = scope.close(carries.map(nextOf), env.state.shared.sources);
  const outside = capturesOf([conditionScope, scope]);
  const parametersOf = (of: RegionScope, own: readonly Value[]): readonly Value[] => [
    of.index as Value,
    ...of.parametersFor(outside),
    ...own,
  ];
  const regions = [
    { parameters: parametersOf(conditionScope, tested), results: predicate },
    {
      parameters: parametersOf(
        scope,
        carries.map((carry) => carry.parameter),
      ),
      results: next,
    },
  ];
  const operands = [...outside, ...carries.map((carry) => carry.initial)];
  const outputs = applyRegionOp(env, "while", operands, { captures: outside.length }, regions, wordOf(one));
  return outcome(outputs, "while");
}

/** The condition of a while or an if: one bool. */
export function conditionOf(env: Env, meaning: Meaning, span: Span): Value | undefined {
  if (isPoisoned(meaning)) return undefined;
  const value = toTensor(env, { meaning, span });
  if (value.type.dtype !== "bool") {
    throw refusal(env, "G024", span, `a condition is bool, not ${typeText(value.type)}`, { hint: "compare: `x != 0`" });
  }
  if (value.type.shape.length > 0) {
    throw refusal(env, "G025", span, `a condition is one bool, not ${typeText(value.type)}`, {
      notes: [originNote(env, value, span)],
      hint: "`all(...)` or `any(...)` makes one of several; `select` chooses element by element",
    });
  }
  return value;
}

function bindCarries(env: Env, body: Env, carries: readonly Carry[], initial: readonly Item[]): readonly CarryState[] {
  return carries.map(({ name, span }, i): CarryState => {
    const given = initial[i] as Item;
    const value = toTensor(env, given);
    const [parameter] = newRegionParameters([value.type]) as readonly [Value];
    env.state.shared.sources.add(parameter.node, deriveSpan(name.span, { written: name.name }));
    define(body, name, tensor(parameter));
    return { name: name.name, span, initial: value, parameter, next: undefined, nextSpan: undefined };
  });
}

function nextOf(carry: CarryState): Value {
  return carry.next ?? carry.parameter;
}

/** Elaborates the statements of a loop's body; gives what it yields, or nothing where a part of it was refused. */
function runBody(body: Env, block: Block, carries: readonly CarryState[]): readonly Value[] | undefined {
  expectNames(body.names, block.statements);
  const yields: Value[] = [];
  let sound = true;
  const visit = (one: Statement): void => {
    if (one.kind === "next") sound = next(body, one, carries) && sound;
    else if (one.kind === "yield") {
      for (const expression of one.values) {
        const given = item(body, expression);
        const value = guarded(body, () => tensor(toTensor(body, given)));
        if (value.kind === "tensor") yields.push(value.value);
        else sound = false;
      }
    } else {
      statement(body, one);
      if (one.kind === "invalid") sound = false;
    }
  };
  for (const one of block.statements) eachStatement(body, one, visit);
  return sound ? yields : undefined;
}

/** `next h = value`: of the type that the carry has at first. */
function next(env: Env, one: Next, carries: readonly CarryState[]): boolean {
  const { name } = one;
  const value = guarded({ ...env, binding: `${env.prefix}${name.name}` }, () => {
    const given = item({ ...env, bound: name.name }, one.value);
    const carry = carries.find((candidate) => candidate.name === name.name);
    if (carry === undefined) {
      throw refusal(env, "G056", name.span, `${quote(name.name)} is no carry of this loop`, {
        hint:
          didYouMean(
            name.name,
            carries.map((candidate) => candidate.name),
          ) ?? `declare it with its first value: \`with ${name.name} = ...\``,
      });
    }
    if (carry.nextSpan !== undefined) {
      throw refusal(env, "G056", name.span, `the next ${quote(name.name)} is given twice`, {
        notes: [{ span: carry.nextSpan, message: "first here" }],
      });
    }
    carry.nextSpan = one.span;
    noteName(env, name.span, { meaning: tensor(carry.parameter), span: carry.span });
    if (isPoisoned(given.meaning)) return poisoned;
    carry.next = nextValue(env, carry, given);
    return tensor(carry.next);
  });
  return value.kind === "tensor";
}

function nextValue(env: Env, carry: CarryState, given: Item): Value {
  const wanted = carry.initial.type;
  if (isLiteral(given.meaning)) return fillOrCheck(env, given, wanted, carry.span, `the next ${quote(carry.name)}`);
  const value = toTensor(env, given);
  const details = {
    label: `this is ${typeText(value.type)}`,
    notes: [{ span: carry.span, message: `${quote(carry.name)} is ${typeText(wanted)} at first` }],
  };
  if (!mayBeEqual(value.type, wanted)) {
    const message = `the carry ${quote(carry.name)} is ${typeText(wanted)} at first and ${typeText(value.type)} next`;
    throw refusal(env, "G053", given.span, message, { ...details, hint: carryHint(carry, value.type) });
  }
  return restate(env, value, wanted, given.span, details);
}

function carryHint(carry: CarryState, found: TensorType): Hint | undefined {
  const { type, node } = carry.initial;
  if (type.dtype !== found.dtype && node.op === "constant" && isFloat(found.dtype) && type.shape.length === 0) {
    return found.dtype === "f32"
      ? "write its first value as a decimal: `0.0` is f32, `0` is i64"
      : `\`cast(0.0, to=${found.dtype})\` as its first value`;
  }
  if (type.dtype !== found.dtype) return castTo(type.dtype, "...");
  return `give it its whole shape at first: \`zeros(${typeText(found).replace(/^\w+/, "")})\`, for instance`;
}

/** Whether two types may turn out the same when the dims are bound. */
export function mayBeEqual(a: TensorType, b: TensorType): boolean {
  return (
    a.dtype === b.dtype &&
    a.shape.length === b.shape.length &&
    a.shape.every((dim, axis) => {
      const other = b.shape[axis] as Dim;
      return isSymbolic(dim) || isSymbolic(other) || dim === other;
    })
  );
}

/** The number of iterations, what all sequences have along axis 0, and the sequences with exactly that size written there. */
function commonLength(
  env: Env,
  given: readonly Value[],
  spans: readonly Span[],
): { readonly length: Dim; readonly stacks: readonly Value[] } {
  const lengths = given.map((stack, i) => {
    const [length] = stack.type.shape;
    if (length !== undefined) return length;
    throw refusal(env, "G025", spans[i] as Span, `scan goes through axis 0, and ${typeText(stack.type)} is a scalar`, {
      notes: [originNote(env, stack, spans[i] as Span)],
    });
  });
  const length = lengths[0] as Dim;
  const stacks = given.map((stack, i) => {
    const { dtype, shape } = stack.type;
    return restate(env, stack, tensorType(dtype, [length, ...shape.slice(1)]), spans[i] as Span, {
      label: `${typeText(stack.type)}: axis 0 is the length of the scan`,
      get notes() {
        return [originNote(env, given[0] as Value, spans[0] as Span)];
      },
    });
  });
  return { length, stacks };
}

function scanOptions(
  env: Env,
  given: readonly Argument[],
): { readonly reverse: boolean; readonly checkpoint: boolean } {
  const options = { reverse: false, checkpoint: false };
  for (const { name, value, span } of given) {
    if (name === undefined || (name.name !== "reverse" && name.name !== "checkpoint")) {
      throw refusal(
        env,
        "G030",
        name?.span ?? span,
        `scan has no option ${name === undefined ? "" : quote(name.name)}`,
        {
          hint: "its options are `reverse=true` and `checkpoint=true`",
        },
      );
    }
    const meaning = evaluate(env, value);
    if (meaning.kind !== "bool") {
      throw refusal(env, "G031", value.span, `\`${name.name}\` is \`true\` or \`false\`, not ${describe(meaning)}`);
    }
    options[name.name] = meaning.value;
  }
  return options;
}

/** Looks at a body whose operands failed, for problems of its own. */
function poisonedBody(env: Env, loop: Scan | While, names: readonly Ident[]): void {
  const body = inside(env, new RegionScope(env.region, true), loop);
  for (const name of names) define(body, name, poisoned);
  expectNames(body.names, loop.body.statements);
  for (const one of loop.body.statements) eachStatement(body, one, (inner) => looseStatement(body, inner));
}

/** Visits a statement, or those of an `on` block: what it holds stands in the block around it. */
export function eachStatement(env: Env, one: Statement, visit: (one: Statement) => void): void {
  if (one.kind !== "on") visit(one);
  else
    placed(env, one, () => {
      for (const inner of one.body.statements) eachStatement(env, inner, visit);
    });
}

export function looseStatement(body: Env, one: Statement): void {
  if (one.kind === "next") evaluate(body, one.value);
  else if (one.kind === "yield") for (const value of one.values) evaluate(body, value);
  else statement(body, one);
}

/** The word that begins a region: what a problem of the whole is shown at. */
export function wordOf(one: Region): Span {
  return deriveSpan(one.span, { end: one.span.start + one.kind.length });
}

export function applyRegionOp(
  env: Env,
  name: string,
  operands: readonly Value[],
  attributes: Parameters<typeof applyOp>[3],
  regions: readonly IrRegion[],
  span: Span,
): readonly Value[] {
  return applyOp(env, name, operands, attributes, { span, operands: [] }, regions);
}

export function outcome(outputs: readonly Value[], callee: string): Meaning {
  const [only] = outputs;
  if (outputs.length === 1 && only !== undefined) return tensor(only);
  return { kind: "many", outputs: outputs.map(tensor), callee };
}
