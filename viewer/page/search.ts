import { groupId, nodeId } from "../visible.js";
import { element } from "./dom.js";
import { groupsAround, titleOf, type ViewIndex } from "./links.js";

const mostResults = 50;

/** Groups and nodes whose name, op, type or line has all words; better matches first. */
export function find(
  { view }: ViewIndex,
  lines: readonly { readonly text: string }[],
  query: string,
): readonly string[] {
  const words = query
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  if (words.length === 0) return [];
  const found: { readonly id: string; readonly rank: number }[] = [];
  const add = (id: string, name: string, rest: string): void => {
    const all = `${name} ${rest}`.toLowerCase();
    if (!words.every((word) => all.includes(word))) return;
    const [first = ""] = words;
    // A call is also found by what is called.
    const titles = id.startsWith("g") ? [name, rest.replace("()", "")] : [name];
    const rank = Math.min(...titles.map((title) => rankOf(title.toLowerCase(), first)));
    found.push({ id, rank });
  };
  view.groups.forEach(({ name, text }, index) => {
    add(groupId(index), name, text);
  });
  view.nodes.forEach((node, index) => {
    const type = view.types[node.outputs[0] ?? -1]?.text ?? "";
    const line = lines[node.places[0]?.[0] ?? -1]?.text ?? "";
    add(nodeId(index), node.name === "" ? node.op : node.name, `${node.op} ${node.text} ${node.kind} ${type} ${line}`);
  });
  return found.sort((a, b) => a.rank - b.rank).map(({ id }) => id);
}

function rankOf(title: string, word: string): number {
  return title === word ? 0 : title.startsWith(word) ? 1 : title.includes(word) ? 2 : 3;
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
    const none = results.length === 0 ? "Nothing has that name, op, type or line." : count;
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
