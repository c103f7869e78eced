import type { Block, Call, Carry, Ident, If, Path, Scan, Signature, Statement, While } from "./ast.js";
import { type Dead, deadUnits, type Unit, unit } from "./dead.js";

/** What a text reads by name, as the tree alone tells. */

/** A name that is read, with what follows it: `metrics.loss`, `hidden/dense/w`. */
export interface Mention {
  readonly segments: readonly string[];
  /** How many of the segments name scopes and what stands in them; the rest lies inside a call. */
  readonly outside: number;
  /** Whether it is what a call calls. */
  readonly isCalled?: true;
}

/** A name that a statement binds, and the whole of what would go with it. */
export interface Bound {
  readonly name: Ident;
  readonly statement: Statement;
}

/** What is read in some part of a text and not bound in it, and what is bound in it and of no use. */
export interface Reading {
  readonly mentions: readonly Mention[];
  readonly unread: readonly Unread[];
}

/** Names of a loop or a branch that nothing reads, those that are read for them alone, and what all of these read outside. */
export interface Unread extends Dead<Statement> {
  readonly mentions: readonly Mention[];
}

/** An editor asks for the same statements again and again. */
const known = new WeakMap<object, Reading>();

/** What a statement reads that is no scope, and the names inside its loops and branches that nothing reads. */
export function readingOf(part: object): Reading {
  const found = known.get(part);
  if (found !== undefined) return found;
  const made = collect([part]);
  known.set(part, made);
  return made;
}

function collect(roots: readonly unknown[]): Reading {
  const mentions: Mention[] = [];
  const unread: Unread[] = [];
  const add = (inner: Reading): void => {
    mentions.push(...inner.mentions);
    unread.push(...inner.unread);
  };
  const stack: unknown[] = [...roots];
  while (stack.length > 0) {
    const one = stack.pop();
    if (typeof one !== "object" || one === null) continue;
    if (!hasKind(one)) {
      stack.push(...Object.values(one));
      continue;
    }
    switch (one.kind) {
      case "reference":
        mentions.push(mentionOf(one.segments.map(({ name }) => name)));
        break;
      case "call":
        mentions.push({ ...mentionOf(one.callee.segments.map(({ name }) => name)), isCalled: true });
        stack.push(one.arguments);
        break;
      case "path":
        mentions.push(pathMention(one));
        break;
      case "named-type":
        mentions.push(mentionOf([one.name.name]));
        stack.push(one.dims);
        break;
      // The name of an argument or a field is no name of the text.
      case "argument":
      case "field":
        stack.push(one.value);
        break;
      // What a signature is fed, it does not read.
      case "signature":
        stack.push(one.does, one.outputs);
        break;
      case "scan":
      case "while":
        add(loop(one));
        break;
      case "if":
        add(branches(one));
        break;
      case "block":
        add(blockReading(one, []));
        break;
      default:
        stack.push(...Object.values(one));
    }
  }
  return { mentions, unread };
}

type Known =
  | { readonly kind: "reference"; readonly segments: readonly Ident[] }
  | Call
  | Path
  | { readonly kind: "named-type"; readonly name: Ident; readonly dims: unknown }
  | { readonly kind: "argument" | "field"; readonly value: unknown }
  | Scan
  | While
  | If
  | Block
  | Signature
  | { readonly kind: "other" };

function hasKind(one: object): one is Known {
  return "kind" in one;
}

function mentionOf(segments: readonly string[]): Mention {
  return { segments, outside: segments.length };
}

function pathMention({ segments, separators }: Path): Mention {
  const inside = separators.indexOf("/");
  return { segments: segments.map(({ name }) => name), outside: inside < 0 ? segments.length : inside + 1 };
}

function loop(one: Scan | While): Reading {
  const carries: readonly Carry[] = one.carries;
  const names = [...carries, ...(one.kind === "scan" ? one.sequences : [])].map(({ name }) => name.name);
  const outside = collect([
    ...carries.map(({ value }) => value),
    ...(one.kind === "scan" ? [...one.options, ...one.sequences.map(({ value }) => value)] : []),
  ]);
  const inside = collect([one.kind === "while" ? one.condition : undefined]);
  const body = blockReading(one.body, names);
  const free = freeOf(inside.mentions, new Set(names));
  return { mentions: [...outside.mentions, ...free, ...body.mentions], unread: [...outside.unread, ...body.unread] };
}

function branches(one: If): Reading {
  const parts = [
    ...one.branches.flatMap(({ condition, body }) => [collect([condition]), blockReading(body, [])]),
    blockReading(one.otherwise, []),
  ];
  return {
    mentions: parts.flatMap(({ mentions }) => mentions),
    unread: parts.flatMap(({ unread }) => unread),
  };
}

/** Of a block whose names nobody outside sees; `names` are bound around it. */
export function blockReading({ statements }: Block, names: readonly string[]): Reading {
  const parts = withoutPlaces(statements).map((statement) => ({
    unit: unit(statement),
    bound: boundBy(statement),
    reading: collect([withoutNames(statement)]),
  }));
  const units = new Map<string, Unit<Statement>>();
  for (const part of parts) {
    for (const { name } of part.bound) if (!units.has(name.name)) units.set(name.name, part.unit);
  }
  for (const { unit: reader, reading } of parts) {
    for (const { segments } of allMentions(reading)) {
      const read = units.get(segments[0] ?? "");
      if (read !== undefined) reader.reads.add(read);
    }
  }
  const own = new Set([...names, ...units.keys()]);
  const free = (mentions: readonly Mention[]): readonly Mention[] => freeOf(mentions, own);
  const binding = parts.filter(({ bound }) => bound.length > 0).map((part) => part.unit);
  const roots = parts.filter(({ bound }) => bound.every(({ name }) => isLeftUnread(name))).map((part) => part.unit);
  const dead = deadUnits(binding, roots);
  const gone = new Set(dead.flatMap(({ of, others }) => [of, ...others.map((other) => other.of)]));
  const live = parts.filter(({ unit: { of } }) => !gone.has(of)).map(({ reading }) => reading);
  const readBy = new Map(parts.map(({ unit: { of }, reading }) => [of, reading]));
  return {
    mentions: free(live.flatMap(({ mentions }) => mentions)),
    unread: [
      ...live.flatMap(({ unread }) => unread.map((one) => ({ ...one, mentions: free(one.mentions) }))),
      ...dead.map((one) => {
        const readings = [one.of, ...one.others.map(({ of }) => of)].flatMap((of) => readBy.get(of) ?? []);
        return { ...one, mentions: free(readings.flatMap(allMentions)) };
      }),
    ],
  };
}

/** What is read around a block that binds the names; calls pass over names of values, so that `dense = dense(x)` calls the import. */
function freeOf(mentions: readonly Mention[], bound: ReadonlySet<string>): readonly Mention[] {
  return mentions.filter((one) => isOfFunction(one) || !bound.has(one.segments[0] ?? ""));
}

/** Whether a name of a value in between does not hide what is meant. */
export function isOfFunction({ segments, isCalled }: Mention): boolean {
  return isCalled === true && segments.length === 1;
}

function allMentions({ mentions, unread }: Reading): readonly Mention[] {
  return [...mentions, ...unread.flatMap((one) => one.mentions)];
}

/** Names that start with `_` may stay unread, and what they are made of is read. */
export function isLeftUnread({ name }: Ident): boolean {
  return name.startsWith("_");
}

/** With the statements of `on` blocks in their place. */
export function withoutPlaces(statements: readonly Statement[]): readonly Statement[] {
  return statements.flatMap((one) => (one.kind === "on" ? withoutPlaces(one.body.statements) : [one]));
}

/** A statement without the block of one that is seen from around it. */
function withoutNames(one: Statement): unknown {
  return one.kind === "scope" ? withoutPlaces(one.body.statements).map(withoutNames) : one;
}

/** The names that a statement binds in the block that it stands in. */
export function boundBy(statement: Statement): readonly Bound[] {
  switch (statement.kind) {
    case "binding":
      return statement.targets.map(({ name }) => ({ name, statement }));
    case "dim":
    case "placeholder":
    case "variable":
    case "constant":
    case "scope":
    case "update":
      return [{ name: statement.name, statement }];
    case "on":
      return statement.body.statements.flatMap(boundBy);
    case "seed":
    case "assignment":
    case "signature":
    case "train":
    case "require":
    case "next":
    case "yield":
    case "invalid":
      return [];
  }
}
