/** The colours of the diagrams. Plain rules and no variables, so that programs that know little of CSS draw them too. */

export interface Tint {
  readonly fill: string;
  readonly stroke: string;
}

export interface Theme {
  readonly page: string;
  readonly text: string;
  readonly muted: string;
  readonly edge: string;
  readonly area: Tint;
  readonly tints: Readonly<Record<string, Tint>>;
}

// Texts on fills, and muted texts on the page, have a contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3); borders 3 to 1 (1.4.11).
export const light: Theme = {
  page: "#ffffff",
  text: "#1f2328",
  muted: "#59636e",
  edge: "#818b98",
  area: { fill: "#f6f8fa", stroke: "#b7c0ca" },
  tints: {
    c0: { fill: "#ffffff", stroke: "#818b98" },
    c1: { fill: "#e6f0ff", stroke: "#3f7fd9" },
    c2: { fill: "#fff0d6", stroke: "#b97a00" },
    c3: { fill: "#f2e9ff", stroke: "#8a5cd1" },
    c4: { fill: "#ffe9e3", stroke: "#cf5b3a" },
    c5: { fill: "#e2f6e6", stroke: "#2f8f4e" },
    c6: { fill: "#ffe6f2", stroke: "#c4488a" },
    c7: { fill: "#eceff2", stroke: "#6b7682" },
    c8: { fill: "#ddf5f5", stroke: "#1d8a8f" },
    c9: { fill: "#f3f3d9", stroke: "#80801c" },
    placeholder: { fill: "#dff3ff", stroke: "#0b78b6" },
    transfer: { fill: "#ffe6f2", stroke: "#c4488a" },
    variable: { fill: "#e2f6e6", stroke: "#2f8f4e" },
    update: { fill: "#f3eea0", stroke: "#736c0c" },
    mixed: { fill: "#e4e7ea", stroke: "#59636e" },
    constant: { fill: "#f6f8fa", stroke: "#818b98" },
    output: { fill: "#1f2328", stroke: "#1f2328" },
    h0: { fill: "#ffffff", stroke: "#818b98" },
    h1: { fill: "#fff7e0", stroke: "#a98b2d" },
    h2: { fill: "#ffedbd", stroke: "#a07a10" },
    h3: { fill: "#ffdb94", stroke: "#96690a" },
    h4: { fill: "#ffc27a", stroke: "#93560b" },
    h5: { fill: "#ffa66b", stroke: "#8f430e" },
    h6: { fill: "#ff8a62", stroke: "#8a2c12" },
  },
};

export const dark: Theme = {
  page: "#0d1117",
  text: "#e6edf3",
  muted: "#9aa5b1",
  edge: "#6e7a87",
  area: { fill: "#141a22", stroke: "#465260" },
  tints: {
    c0: { fill: "#1b222c", stroke: "#76828f" },
    c1: { fill: "#142a47", stroke: "#5b9bf3" },
    c2: { fill: "#3a2a08", stroke: "#d39b2c" },
    c3: { fill: "#2c2147", stroke: "#a98af0" },
    c4: { fill: "#42201a", stroke: "#ef8160" },
    c5: { fill: "#14351f", stroke: "#4fb870" },
    c6: { fill: "#40192f", stroke: "#e578b0" },
    c7: { fill: "#262d36", stroke: "#8a96a3" },
    c8: { fill: "#0f3436", stroke: "#42b7bb" },
    c9: { fill: "#31310f", stroke: "#b3b34a" },
    placeholder: { fill: "#0c3047", stroke: "#3fa9e0" },
    transfer: { fill: "#40192f", stroke: "#e578b0" },
    variable: { fill: "#14351f", stroke: "#4fb870" },
    update: { fill: "#3d3a08", stroke: "#d6cc4a" },
    mixed: { fill: "#333b45", stroke: "#a3aeba" },
    constant: { fill: "#161c24", stroke: "#76828f" },
    output: { fill: "#e6edf3", stroke: "#e6edf3" },
    h0: { fill: "#1b222c", stroke: "#76828f" },
    h1: { fill: "#2a2412", stroke: "#9c8238" },
    h2: { fill: "#3d3010", stroke: "#b08f34" },
    h3: { fill: "#553c0d", stroke: "#c79a35" },
    h4: { fill: "#6d420f", stroke: "#dca046" },
    h5: { fill: "#853f14", stroke: "#f0a066" },
    h6: { fill: "#9c351c", stroke: "#ffa387" },
  },
};

export const monospace =
  "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace";

function rules(theme: Theme): string {
  const tints = Object.entries(theme.tints).map(
    ([name, { fill, stroke }]) => `.${name}{fill:${fill};stroke:${stroke}}`,
  );
  return [
    `.page{fill:${theme.page}}`,
    `.name,.text,.label{fill:${theme.text}}`,
    `.text,.label{fill:${theme.muted}}`,
    `.inverse .name{fill:${theme.page}}.inverse .text{fill:${theme.page}}`,
    `.heat .text{fill:${theme.text}}`,
    `.edge{stroke:${theme.edge}}.head{fill:${theme.edge}}`,
    `.area{fill:${theme.area.fill};stroke:${theme.area.stroke}}`,
    ...["c1", "c2"].map((name) => `.side-${name}{stroke:${theme.tints[name]?.stroke};stroke-width:2}`),
    ...["c1", "c4", "update"].map((name) => `.phase-${name}{stroke:${theme.tints[name]?.stroke};stroke-width:1.5}`),
    ...tints,
  ].join("");
}

/** The style sheet of a diagram; `both` follows the reader's system, as a README does, but paper is light. */
export function diagramStyle(themes: "light" | "dark" | "both"): string {
  const common =
    `text{font-family:${monospace};font-size:12px}.name{font-weight:600}.label{font-size:10px}` +
    ".edge{fill:none;stroke-linejoin:round}";
  if (themes !== "both") return common + rules(themes === "light" ? light : dark);
  return `${common}${rules(light)}@media screen and (prefers-color-scheme:dark){${rules(dark)}}`;
}
