import type { IToken } from "chevrotain";
import { type DataReader, dataReaderNamed, type TrainField, trainFields } from "../../dsl/elaborate/train_fields.js";
import * as t from "../../dsl/tokens.js";
import { type Context, closing, openBracket, opening } from "./context.js";

/** A place in a `train` block, told by the tokens: this holds while the block is being written. */
export interface TrainPlace {
  /** The field whose record holds the place; undefined in the block itself. */
  readonly owner: TrainField | undefined;
  /** What the fields of the record may be; undefined in one of columns, whose fields are placeholders. */
  readonly fields: readonly TrainField[] | undefined;
  /** What the record has, before and behind the place, with the first word of each value. */
  readonly given: ReadonlyMap<string, string>;
  /** `run` of the block or of the validation, whichever holds the place, and that of the validation. */
  readonly run: string | undefined;
  readonly validation: string | undefined;
  readonly stands: TrainStands;
}

export type TrainStands =
  /** A name of a field begins here. */
  | { readonly kind: "key" }
  /** A value does; its field is undefined where there is none of that name. */
  | { readonly kind: "value"; readonly field: TrainField | undefined; readonly isColumn: boolean }
  | {
      readonly kind: "argument";
      readonly reader: DataReader;
      readonly position: number;
      readonly named: string | undefined;
      readonly given: ReadonlySet<string>;
      readonly starts: boolean;
    }
  | { readonly kind: "other" };

interface Level {
  /** The brace, by its index. */
  readonly open: number;
  readonly field: TrainField | undefined;
  readonly fields: readonly TrainField[] | undefined;
}

/** Undefined where the place is in no `train` block. */
export function trainPlaceAt(context: Context): TrainPlace | undefined {
  const { before, after } = context;
  const brackets = openBrackets(before);
  const first = brackets.findIndex((at) => before[at]?.tokenType === t.LeftBrace && before[at - 1]?.image === "train");
  if (first < 0) return undefined;
  const levels: Level[] = [{ open: brackets[first] ?? 0, field: undefined, fields: trainFields }];
  const inner = brackets.slice(first + 1);
  while (before[inner[0] ?? -1]?.tokenType === t.LeftBrace) {
    const open = inner.shift() ?? 0;
    const field = levels.at(-1)?.fields?.find(({ name }) => name === before[open - 2]?.image);
    levels.push({ open, field, fields: fieldsOf(field) });
  }
  const level = levels.at(-1);
  if (level === undefined) return undefined;
  // The word at the place is being written, and gives nothing yet.
  // What follows a record that is not closed is the block's, not its own.
  const isClosed = closes(after) >= brackets.length;
  const within = ({ open }: Pick<Level, "open">) => [
    ...before.slice(open + 1),
    undefined,
    ...(isClosed || open === brackets[first] ? after : []),
  ];
  const block = within({ open: brackets[first] ?? 0 });
  const holder = levels.find(({ field }) => field?.name === "validate");
  const validation = holder === undefined ? runOfValidation(block) : fieldsGiven(within(holder)).get("run");
  return {
    owner: level.field,
    fields: level.fields,
    given: fieldsGiven(within(level)),
    run: holder === undefined ? fieldsGiven(block).get("run") : validation,
    validation,
    stands: standsAt(before, level, inner),
  };
}

/** How many brackets that stand open before these tokens they close. */
function closes(tokens: readonly IToken[]): number {
  let depth = 0;
  let closed = 0;
  for (const { tokenType } of tokens) {
    if (opening.includes(tokenType)) depth++;
    else if (closing.includes(tokenType) && depth-- === 0) {
      closed++;
      depth = 0;
    }
  }
  return closed;
}

/** The indices of the brackets that are open, the outermost first. */
function openBrackets(before: readonly IToken[]): readonly number[] {
  const found: number[] = [];
  for (let at = openBracket(before); at !== undefined; at = openBracket(before.slice(0, at))) found.unshift(at);
  return found;
}

function fieldsOf(field: TrainField | undefined): readonly TrainField[] | undefined {
  if (field === undefined) return undefined;
  return field.value.kind === "record" ? field.value.fields : undefined;
}

/** The fields up to the end of their record. */
function fieldsGiven(tokens: readonly (IToken | undefined)[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let depth = 0;
  for (const [i, token] of tokens.entries()) {
    if (token === undefined) continue;
    if (opening.includes(token.tokenType)) depth++;
    else if (closing.includes(token.tokenType) && depth-- === 0) break;
    else if (depth === 0 && tokens[i + 1]?.tokenType === t.Equal) found.set(token.image, tokens[i + 2]?.image ?? "");
  }
  return found;
}

/** Of `validate = { run = NAME, ... }` among the fields of the block. */
function runOfValidation(tokens: readonly (IToken | undefined)[]): string | undefined {
  const at = tokens.findIndex(
    (token, i) =>
      token?.image === "validate" && tokens[i + 1]?.tokenType === t.Equal && tokens[i + 2]?.tokenType === t.LeftBrace,
  );
  return at < 0 ? undefined : fieldsGiven(tokens.slice(at + 3)).get("run");
}

function standsAt(
  before: readonly IToken[],
  { open, fields, field: owner }: Level,
  inner: readonly number[],
): TrainStands {
  const last = before.at(-1);
  const isColumn = owner?.value.kind === "columns";
  const value = (name: number): TrainStands => ({
    kind: "value",
    field: fields?.find((one) => one.name === before[name]?.image),
    isColumn,
  });
  const [bracket] = inner;
  if (bracket === undefined) {
    if (last?.tokenType === t.Equal) return value(before.length - 2);
    return last?.tokenType === t.Dot ? { kind: "other" } : { kind: "key" };
  }
  // `of = [loss, |`
  if (inner.length === 1 && before[bracket]?.tokenType === t.LeftBracket && before[bracket - 1]?.tokenType === t.Equal)
    return isColumn || last?.tokenType === t.Dot || bracket - 2 <= open ? { kind: "other" } : value(bracket - 2);
  const reader = isColumn && before[bracket]?.tokenType === t.LeftParen ? before[bracket - 1]?.image : undefined;
  const known = reader === undefined ? undefined : dataReaderNamed(reader);
  if (known === undefined || inner.length > 1) return { kind: "other" };
  return { kind: "argument", reader: known, ...readerArgument(before.slice(bracket + 1)) };
}

function readerArgument(tokens: readonly IToken[]) {
  let position = 0;
  let start = 0;
  let depth = 0;
  const given = new Set<string>();
  for (const [i, { tokenType, image }] of tokens.entries()) {
    if (opening.includes(tokenType)) depth++;
    else if (closing.includes(tokenType)) depth--;
    else if (depth === 0 && tokenType === t.Comma) {
      position++;
      start = i + 1;
    } else if (depth === 0 && i === start && tokens[i + 1]?.tokenType === t.Equal) given.add(image);
  }
  const named = tokens[start + 1]?.tokenType === t.Equal ? tokens[start]?.image : undefined;
  return { position, named, given, starts: tokens.length === start };
}
