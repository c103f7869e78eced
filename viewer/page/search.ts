import type { GroupModel, NodeModel, ViewerDocument, ViewModel } from "../model.js";
import { groupId, nodeId } from "../visible.js";
import { element } from "./dom.js";
import { groupsAround, titleOf, type ViewIndex } from "./links.js";

const mostResults = 50;

/** Lower is better: what it is called, what it is, and the line that it came from. */
const ranks = { same: 0, begins: 1, inside: 2, described: 3, mentioned: 4 } as const;

interface Candidate {
  readonly id: string;
  /** With `/` for each `.`: a scope's names have either. */
  readonly names: readonly string[];
  /** Op, type and the like. */
  readonly about: string;
  readonly line: string;
  readonly places: NodeModel["places"];
}

/** Groups and nodes whose name, op, type or line has all words, or that stem from a line `file:16`; a whole title first, names before mentions. */
export function find(index: ViewIndex, document: Quoted, query: string): readonly string[] {
  const whole = query.trim().toLowerCase();
  // A file's name may have blanks.
  const words = linesAt(whole, document).size > 0 ? [whole] : whole.split(/\s+/).filter((word) => word !== "");
  const [first = ""] = words;
  if (first === "") return [];
  const asked = words.map((word) => ({ word, lines: linesAt(word, document) }));
  const found = candidatesOf(index, document.lines).flatMap((one) => {
    const at = asked.map(({ word, lines }) => rankOf(one, word, lines));
    const [rank, ...rest] = at;
    if (rank === undefined || at.includes(undefined)) return [];
    const others = rest.reduce<number>((sum, other) => sum + (other ?? 0), 0);
    return [{ id: one.id, isTitle: plain(titleOf(index.view, one.id)) === plain(whole), rank, others }];
  });
  const isBefore = (a: (typeof found)[number], b: (typeof found)[number]): number =>
    Number(b.isTitle) - Number(a.isTitle) || a.rank - b.rank || a.others - b.others;
  return found.sort(isBefore).map(({ id }) => id);
}

/** A title as one types it: without brackets, and blanks as they come. */
function plain(title: string): string {
  return title.toLowerCase().replaceAll("()", "").replace(/\s+/g, " ");
}

type Quoted = Pick<ViewerDocument, "file" | "lines">;

function candidatesOf({ view, names }: ViewIndex, lines: Quoted["lines"]): readonly Candidate[] {
  const paths = groupPaths(view);
  const groups = view.groups.map(({ name, text, places, call }, at): Candidate => {
    // A call is also found by what is called. The name of an optimizer's step is that of its variable, which comes first.
    const own = call?.variable === undefined ? [name] : [];
    const called = [...own, text.replace("()", ""), paths[at] ?? ""];
    return { id: groupId(at), names: called.map(comparable), about: text.toLowerCase(), line: "", places };
  });
  const nodes = view.nodes.map((node, at): Candidate => {
    const type = view.types[node.outputs[0] ?? -1]?.text ?? "";
    const called = [...(node.name === "" ? [node.op, node.text] : [node.name]), ...(names.get(at) ?? [])];
    return {
      id: nodeId(at),
      names: called.map(comparable),
      about: `${node.op} ${node.text} ${node.kind} ${type}`.toLowerCase(),
      line: (lines[node.places[0]?.[0] ?? -1]?.text ?? "").toLowerCase(),
      places: node.places,
    };
  });
  return [...groups, ...nodes];
}

function comparable(name: string): string {
  return name.toLowerCase().replaceAll(".", "/");
}

/** How well a word fits; undefined where it does not. */
function rankOf(one: Candidate, word: string, lines: ReadonlySet<number>): number | undefined {
  const at = lines.size === 0 ? -1 : one.places.findIndex(([line]) => lines.has(line));
  if (at >= 0) return at === 0 ? ranks.same : ranks.begins;
  const name = comparable(word);
  if (one.names.includes(name)) return ranks.same;
  if (one.names.some((title) => title.startsWith(name))) return ranks.begins;
  if (one.names.some((title) => title.includes(name))) return ranks.inside;
  if (one.about.includes(word)) return ranks.described;
  return one.line.includes(word) ? ranks.mentioned : undefined;
}

/** The quoted lines that `mnist.graph:16` means, with or without folders, or `:16` of the graph's own file; a column may follow. */
function linesAt(word: string, { file: own, lines }: Quoted): ReadonlySet<number> {
  const [, file = "", number] = /^(.*?):(\d+)(?::\d+)?$/.exec(word) ?? [];
  if (number === undefined) return new Set();
  const wanted = file === "" ? own.toLowerCase() : file;
  const found = lines.flatMap((line, at) => {
    const path = line.file.toLowerCase();
    return line.line === Number(number) && (path === wanted || path.endsWith(`/${wanted}`)) ? [at] : [];
  });
  return new Set(found);
}

/** `hidden/dense`, `metrics/loss/mean`: what the names in each group begin with. */
function groupPaths({ groups }: ViewModel): readonly string[] {
  const paths: (string | undefined)[] = groups.map(() => undefined);
  const pathOf = (at: number): string => {
    const group = groups[at];
    if (group === undefined) return "";
    const known = paths[at] ?? [pathOf(group.parent), ...ownParts(group)].filter((part) => part !== "").join("/");
    paths[at] = known;
    return known;
  };
  return groups.map((_, at) => pathOf(at));
}

function ownParts({ kind, name, text }: GroupModel): readonly string[] {
  if (kind === "call") return name === text ? [text.replace("()", "")] : [name, text.replace("()", "")];
  return kind === "scope" || kind === "update" ? [name] : [];
}

export interface SearchEvents {
  readonly find: (query: string) => readonly string[];
  readonly index: () => ViewIndex;
  readonly choose: (id: string) => void;
  readonly leave: () => void;
}

/** The search field with its list: a combobox, as ARIA has it. */
export function searchBox(input: HTMLInputElement, list: HTMLElement, events: SearchEvents): void {
  let results: readonly string[] = [];
  let active = 0;
  const close = (): void => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const show = (): void => {
    const index = events.index();
    const items = results.slice(0, mostResults).map((id, i) => {
      const around = groupsAround(index.view, id).map((group) => index.view.groups[group]?.name ?? "");
      const path = element("span", { class: "type" }, around.join(" › "));
      const attributes = { role: "option", id: `result-${i}`, "aria-selected": String(i === active) };
      const item = element("li", { attributes }, titleOf(index.view, id), " ", path);
      item.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        choose(id);
      });
      return item;
    });
    const count = results.length > mostResults ? `${results.length} found, the first ${mostResults} are shown` : "";
    const none = results.length === 0 ? "Nothing has that name, op, type or line (file:16, or :16, is a line)." : count;
    list.replaceChildren(...items, ...(none === "" ? [] : [element("li", { class: "hint" }, none)]));
    list.hidden = input.value.trim() === "";
    input.setAttribute("aria-expanded", String(!list.hidden));
    if (items[active] !== undefined) {
      input.setAttribute("aria-activedescendant", `result-${active}`);
      items[active]?.scrollIntoView({ block: "nearest" });
    }
  };
  const choose = (id: string): void => {
    close();
    events.choose(id);
  };
  input.addEventListener("input", () => {
    results = events.find(input.value);
    active = 0;
    show();
  });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    const last = Math.min(results.length, mostResults) - 1;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      active = Math.max(0, Math.min(last, active + (event.key === "ArrowDown" ? 1 : -1)));
      show();
    } else if (event.key === "Enter") {
      const id = results[active];
      if (id !== undefined) choose(id);
    } else if (event.key === "Escape") {
      input.value = "";
      close();
      events.leave();
    }
  });
}
