type Child = Node | string | undefined;

export interface Properties {
  readonly class?: string;
  readonly title?: string;
  readonly onclick?: (event: MouseEvent) => void;
  /** Attributes as HTML names them. */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** A new element. Texts become text nodes, so that no name is ever markup. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (properties.class !== undefined) made.className = properties.class;
  if (properties.title !== undefined) made.title = properties.title;
  for (const [name, value] of Object.entries(properties.attributes ?? {})) made.setAttribute(name, value);
  if (properties.onclick !== undefined) made.addEventListener("click", properties.onclick as EventListener);
  for (const child of children) if (child !== undefined) made.append(child);
  return made;
}

export function button(label: string, title: string, onclick: () => void, kind = ""): HTMLButtonElement {
  return element("button", { class: kind, title, onclick, attributes: { type: "button" } }, label);
}

/** A part of the panel under its title; undefined where there is nothing to say. */
export function section(title: string, ...content: readonly (Node | undefined)[]): HTMLElement | undefined {
  const filled = content.filter((one) => one !== undefined);
  return filled.length === 0 ? undefined : element("section", {}, element("h3", {}, title), ...filled);
}

export function table(rows: readonly (readonly [string, string])[], kind = ""): HTMLElement {
  return element(
    "table",
    { class: kind },
    ...rows.map(([a, b]) => element("tr", {}, element("td", {}, a), element("td", {}, b))),
  );
}

/** An element of the page that the template has. */
export function part<T extends Element>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${id}`);
  return found;
}

/** Embedded content: base64 of gzip. */
export async function embedded(id: string): Promise<string> {
  const text = document.getElementById(id)?.textContent?.trim() ?? "";
  const characters = atob(text);
  // `Uint8Array.from` goes through an iterator, which is several times slower.
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

export function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toPrecision(3)} ${units[unit]}`;
}

/** `1 line`, `1,024 lines`. */
export function plural(many: number, what: string, whats = `${what}s`): string {
  return `${many.toLocaleString("en-US")} ${many === 1 ? what : whats}`;
}

/** Lets work go on by itself; what fails is told in the status line. */
export function inBackground(work: Promise<unknown>): void {
  work.catch((error: unknown) => {
    part("status", HTMLElement).textContent = `This failed: ${error instanceof Error ? error.message : String(error)}`;
  });
}
