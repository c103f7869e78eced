import { lineText } from "../dsl/source-text.js";
import type { ReportPlace } from "../runtime/profile/report.js";
import type { Console, Style } from "./console.js";
import type { Difference } from "./diff.js";
import type { Change, OpChange, OpSide } from "./diff_ops.js";
import type { CheckpointFit, Renaming } from "./diff_sections.js";
import type { JsonValue } from "./json.js";
import { countText, plural } from "./numbers.js";
import { sourceLines } from "./source.js";

/** Rows of one section: `--json` has all. */
const mostRows = 40;
/** Characters of a change that stands on one line. */
const longest = 100;
/** Statements of one change. */
const mostNames = 4;

/** Differences for people, as `git diff` has them: `+` came, `-` went, `~` is another, `>` has another name. */
export function differenceText(console: Console, difference: Difference, before: string, after: string): string {
  const { signatures, placeholders, variables, renamed, initial, ops, shapes, reshaped, affected } = difference;
  const row = (style: Style, text: string): string => console.paint(style, `  ${text}`);
  const change = ({ name, before: was, after: is }: Change): string => {
    const colon = is?.startsWith("(") === true || was?.startsWith("(") === true ? "" : ": ";
    if (was === undefined) return row("green", `+ ${name}${colon}${is}`);
    if (is === undefined) return row("red", `- ${name}${colon}${was}`);
    const isLong = was.length + is.length > longest;
    return row("yellow", `~ ${name}${colon}${was}${isLong ? "\n     " : " "} ->  ${is}`);
  };
  const renamings = (list: readonly Renaming[]): readonly string[] =>
    foldedNames(list).map(({ before: was, after: is }) => row("cyan", `> ${was}  ->  ${is}`));
  const section = (title: string, rows: readonly string[]): readonly string[] => {
    if (rows.length === 0) return [];
    const shown = rows.slice(0, mostRows);
    const more = rows.length - shown.length;
    return [console.paint("bold", title), ...shown, ...(more > 0 ? [`  ... ${more} more: --json has all`] : [])];
  };
  const opRows = (list: readonly OpChange[], text: typeof opRow = opRow): readonly string[] =>
    list.map((one, i) => {
      const next = list[i + 1];
      // Changes of one line have it once.
      const isLast = next === undefined || placeKey(next) !== placeKey(one);
      const lines = isLast ? placeLines(one).map((line) => console.paint("dim", `      ${line}`)) : [];
      return [text(one, row), ...lines].join("\n");
    });
  const others = affected === 1 ? "op differs only in what it reads" : "ops differ only in what they read";
  const rest = [
    ...(reshaped > 0
      ? [`${countText(reshaped)} other ${reshaped === 1 ? "op has" : "ops have"} another shape or dtype`]
      : []),
    ...(affected > 0 ? [`${countText(affected)} other ${others}`] : []),
  ];
  const parts = [
    ...section("signatures", signatures.map(change)),
    ...section("placeholders", placeholders.map(change)),
    ...section("variables", [...folded(variables).map(change), ...renamings(renamed.inputs)]),
    ...section("initial values", opRows(initial)),
    ...section("ops", opRows(ops)),
    ...section("shapes and dtypes", opRows(shapes, shapeRow)),
    ...rest.map((text) => `  ${text}`),
    ...section("names", [...renamings(renamed.edges), ...difference.names.map(change)]),
    ...section("updates", difference.updates.map(change)),
    ...section("settings", difference.settings.map(change)),
    ...section("ops of all signatures", countRows(difference)),
  ];
  if (parts.length === 0) parts.push("the graphs are the same");
  return [...parts, "", checkpointText(difference.checkpoint, renamed.inputs, before, after)].join("\n");
}

/** What differs in the same way of one scope is one row: `learn/adam/w/{m, v}`. */
function folded(list: readonly Change[]): readonly Change[] {
  const rows = new Map<string, { readonly change: Change; readonly names: string[] }>();
  for (const change of list) {
    const end = change.name.lastIndexOf("/") + 1;
    const key = JSON.stringify([change.name.slice(0, end), change.before, change.after]);
    const known = rows.get(key);
    if (known === undefined) rows.set(key, { change, names: [change.name.slice(end)] });
    else known.names.push(change.name.slice(end));
  }
  return [...rows.values()].map(({ change, names }) => {
    if (names.length === 1) return change;
    const scope = change.name.slice(0, change.name.lastIndexOf("/") + 1);
    return { ...change, name: scope === "" ? names.join(", ") : `${scope}{${names.join(", ")}}` };
  });
}

/** Names of one scope that went to another with it. */
function foldedNames(list: readonly Renaming[]): readonly Renaming[] {
  const scopeOf = (path: string): string => path.slice(0, path.lastIndexOf("/") + 1);
  const rows = new Map<string, { readonly one: Renaming; readonly names: string[] }>();
  for (const one of list) {
    const [was, is] = [scopeOf(one.before), scopeOf(one.after)];
    const name = one.before.slice(was.length);
    const key = name === one.after.slice(is.length) && was !== "" ? `${was} ${is}` : `${one.before} = ${one.after}`;
    const known = rows.get(key);
    if (known === undefined) rows.set(key, { one, names: [name] });
    else known.names.push(name);
  }
  return [...rows.values()].map(({ one, names }) => {
    const all = `{${names.join(", ")}}`;
    return names.length === 1 ? one : { before: `${scopeOf(one.before)}${all}`, after: `${scopeOf(one.after)}${all}` };
  });
}

function shapeRow({ names, before, after }: OpChange, row: (style: Style, text: string) => string): string {
  return row("yellow", `~ ${names.join(", ")}: ${before?.type}  ->  ${after?.type}`);
}

function countRows({ total }: Difference): readonly string[] {
  return total.before === total.after ? [] : [`  ${countText(total.before)} -> ${countText(total.after)}`];
}

function opRow({ names, before, after, details }: OpChange, row: (style: Style, text: string) => string): string {
  const shown = names.slice(0, mostNames).join(", ");
  const name = names.length > mostNames ? `${shown} and ${names.length - mostNames} more` : shown;
  const sole = (sign: string, { what, type, ops }: OpSide): string =>
    `${sign} ${name}: ${what}${type === "" ? "" : ` ${type}`}${ops > 1 ? `, ${plural(ops, "op")}` : ""}`;
  if (before === undefined) return after === undefined ? "" : row("green", sole("+", after));
  if (after === undefined) return row("red", sole("-", before));
  const isOne = before.type === after.type || before.type === "" || after.type === "";
  const type = isOne ? after.type : `${before.type} -> ${after.type}`;
  if (details.length === 0)
    return row("yellow", `~ ${name}: ${before.what} -> ${after.what}${type === "" ? "" : `, ${type}`}`);
  const list = details.map((one) => `${one.name} ${one.before ?? "none"} -> ${one.after ?? "none"}`).join("; ");
  const what = after.what.endsWith("()") ? after.what : `${after.what} ${type}`;
  return row("yellow", `~ ${name}: ${what}: ${list}`);
}

function placeKey({ before, after }: OpChange): string {
  return [before?.place, after?.place].map((place) => (place === undefined ? "" : addressOf(place))).join(" ");
}

function addressOf({ file, line }: ReportPlace): string {
  return `${file}:${line}`;
}

/** The lines of both texts; one where they say the same. */
function placeLines({ before, after }: OpChange): readonly string[] {
  const lines = [before?.place, after?.place].flatMap((place) => {
    const text = place === undefined ? undefined : lineOf(place);
    return place === undefined || text === undefined ? [] : [{ address: addressOf(place), text }];
  });
  const [first, second] = lines;
  if (second !== undefined && first?.text === second.text)
    return [`${first.address}, ${second.address}  ${second.text}`];
  return lines.map(({ address, text }) => `${address}  ${text}`);
}

function lineOf({ file, line }: ReportPlace): string | undefined {
  const lines = sourceLines(file);
  return lines === undefined ? undefined : lineText(lines, line - 1).trim();
}

function checkpointText(
  { fits, missing, extra, changed }: CheckpointFit,
  renamed: readonly Renaming[],
  before: string,
  after: string,
): string {
  if (fits) return `a checkpoint of ${before} fits ${after}`;
  const gone = new Map(renamed.map((one) => [one.before, one.after]));
  const come = new Set(renamed.map((one) => one.after));
  const differing = missing.filter((path) => !come.has(path)).length + extra.length + changed.length;
  const one = (name: string): Change => ({ name, before: undefined, after: undefined });
  const rows = [
    ...folded(missing.filter((path) => !come.has(path)).map(one)).map(
      ({ name }) => `  ${name}: ${after} has it, and the checkpoint would not`,
    ),
    ...folded(extra.filter((path) => !gone.has(path)).map(one)).map(
      ({ name }) => `  ${name}: the checkpoint would have it, and ${after} has not`,
    ),
    ...foldedNames(renamed.filter((one) => extra.includes(one.before))).map(
      ({ before: was, after: is }) => `  ${was}: is called ${is} in ${after}`,
    ),
    ...folded(changed).map(
      ({ name, before: was, after: is }) => `  ${name}: ${was} in the checkpoint, ${is} in ${after}`,
    ),
  ];
  const shown = rows.slice(0, mostRows);
  const count = plural(differing, "variable");
  return [
    `a checkpoint of ${before} does not fit ${after}: ${count} ${differing === 1 ? "differs" : "differ"}`,
    ...shown,
    ...(rows.length > shown.length ? [`  ... ${rows.length - shown.length} more: --json has all`] : []),
  ].join("\n");
}

export function differenceJson(difference: Difference): JsonValue {
  const { renamed, checkpoint, reshaped, affected } = difference;
  const list = (changed: readonly Change[]): JsonValue =>
    changed.map(({ name, before, after }) => ({ name, before: before ?? null, after: after ?? null }));
  const renamings = (all: readonly Renaming[]): JsonValue => all.map(({ before, after }) => ({ before, after }));
  return {
    signatures: list(difference.signatures),
    placeholders: list(difference.placeholders),
    variables: list(difference.variables),
    renamed: { inputs: renamings(renamed.inputs), edges: renamings(renamed.edges) },
    initial: difference.initial.map(opJson),
    ops: difference.ops.map(opJson),
    shapes: difference.shapes.map(opJson),
    reshaped,
    affected,
    names: list(difference.names),
    updates: list(difference.updates),
    settings: list(difference.settings),
    total: { ...difference.total },
    counts: difference.counts.map((row) => ({ ...row })),
    checkpoint: {
      fits: checkpoint.fits,
      missing: checkpoint.missing,
      extra: checkpoint.extra,
      changed: list(checkpoint.changed),
    },
    diagnostics: [],
  };

  function opJson({ names, before, after, details }: OpChange): JsonValue {
    const change = before === undefined ? "added" : after === undefined ? "removed" : "changed";
    return { change, names, before: sideJson(before), after: sideJson(after), details: list(details) };
  }
}

function sideJson(side: OpSide | undefined): JsonValue {
  if (side === undefined) return null;
  const { what, type, place, ops } = side;
  return { what, type, ops, place: place === undefined ? null : { ...place, text: lineOf(place) ?? null } };
}
