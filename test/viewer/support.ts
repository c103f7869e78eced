import { readFileSync } from "node:fs";
import { builtInOf } from "../../cli/built_ins.js";
import type { Graph } from "../../compiler/ir/graph.js";
import { selectSignature } from "../../compiler/ir/select.js";
import { loadGraphFromText } from "../../dsl/load.js";
import { pathOfSource } from "../../dsl/standard.js";
import { lowerForDevice } from "../../viewer/device_parts.js";
import { documentOf, type Shown } from "../../viewer/document.js";
import { withParts } from "../../viewer/grouping.js";
import type { NodeModel, ProgramModel, ViewerDocument, ViewKind, ViewModel } from "../../viewer/model.js";
import type { Placing } from "../../viewer/placement.js";
import { avx2 } from "../kernels/support.js";

/** Two layers whose training step has calls, a scope, gradients and an update. */
export const network = `import { dense } from "std/layers"
import { sgd } from "std/optimizers"
graph network {
  placeholder x: f32[64, 96]
  placeholder label: f32[64, 32]
  hidden = relu(dense(x, 128))
  y = dense(hidden, 32)
  scope metrics {
    loss = mean((y - label) ** 2)
  }
  update learn = minimize(metrics.loss, sgd(learning_rate=0.1))
  signature predict(x) -> (y)
  signature fit(x, label) does learn -> (metrics.loss)
}
`;

/** A layer on either side, both of which learn. */
export const twoSides = `import { dense } from "std/layers"
import { adam } from "std/optimizers"
graph two_sides {
  placeholder x: f32[2, 3]
  h = tanh(dense(x, units=4)) on "gpu"
  y = dense(h, units=1)
  loss = mean(y ** 2)
  update learn = minimize(loss, adam(learning_rate=0.1))
  signature fit(x) does learn -> (loss)
}
`;

export function graphOf(text: string): Graph {
  const { graph, diagnostics } = loadGraphFromText(text, "test.graph");
  if (graph === undefined) throw new Error(diagnostics.map(({ code, message }) => `${code} ${message}`).join("\n"));
  return graph;
}

export interface DocumentChoice {
  readonly sizes?: ReadonlyMap<string, number>;
  readonly open?: readonly string[];
}

/** The document of all signatures of a text, or of all its names where it has none. */
export function documentOfText(text: string, { sizes = new Map(), open = [] }: DocumentChoice = {}): ViewerDocument {
  const graph = graphOf(text);
  const names = graph.signatures.map(({ name }) => name);
  const fetches = [...graph.inference.names.keys()].filter((name) => !name.includes("/") && !graph.strings.has(name));
  const shown: readonly Shown[] =
    names.length > 0
      ? names.map((name) => ({ name, title: name, selection: { kind: "signature", name }, sizes, open }))
      : [{ name: "all", title: "all", selection: { kind: "request", fetches, updates: [] }, sizes, open }];
  for (const name of names) selectSignature(graph, name);
  const textOf = textsWith(text);
  return documentOf(graph, shown, { file: "test.graph", textOf, builtInOf, target: avx2, device: "cpu" });
}

/** A text, and those of the standard library. */
function textsWith(text: string): (file: string) => string {
  return (file) => (file === "test.graph" ? text : readFileSync(pathOfSource(file), "utf8"));
}

/** The document of a text's signatures as they run on a device. `unplaced`: where lies what the text places nowhere. */
export function onDevice(text: string, unplaced: "cpu" | "gpu" = "gpu", device = "gpu"): ViewerDocument {
  const placing: Placing = { unplaced, device };
  const graph = graphOf(text);
  const shown = graph.signatures.map(({ name }) => ({
    name,
    title: name,
    selection: { kind: "signature", name } as const,
    sizes: new Map<string, number>(),
    open: [],
  }));
  for (const { name } of shown) selectSignature(graph, name);
  return documentOf(graph, shown, {
    file: "test.graph",
    textOf: textsWith(text),
    target: avx2,
    device: "cpu",
    lower: (computation) => lowerForDevice(computation, placing, avx2),
    placing,
  });
}

export function programOf(document: ViewerDocument, name: string): ProgramModel {
  const program = document.programs.find((one) => one.name === name);
  if (program === undefined) throw new Error(`there is no program ${name}`);
  return program;
}

export function viewOf(document: ViewerDocument, name: string, kind: ViewKind): ViewModel {
  const view = programOf(document, name).views.find((one) => one.kind === kind);
  if (view === undefined) throw new Error(`there is no view ${kind}`);
  return view;
}

/** The names of the groups around a node, innermost first. */
export function groupsAround(view: ViewModel, node: NodeModel): readonly string[] {
  const names: string[] = [];
  for (let at = node.group; at >= 0; at = view.groups[at]?.parent ?? -1) names.push(view.groups[at]?.name ?? "?");
  return names;
}

/** `count` ops one after another, with nothing around them. */
export function chain(count: number): string {
  const lines = Array.from({ length: count }, (_, i) => `  v${i + 1} = tanh(v${i})`);
  return `graph chain {\n  placeholder v0: f32[2]\n${lines.join("\n")}\n  signature run(v0) -> (v${count})\n}\n`;
}

/** A run that reads a variable and gives it a new value. */
export const counter = `graph counter {
  variable count: f32 = 0
  update tick {
    count := count + 1
  }
  signature step() does tick -> (count)
}
`;

/** A document of `count` ops, each of two before it, without the compiler: for what the page does with it. */
export function woven(count: number): ViewerDocument {
  const nodes = Array.from({ length: count }, (_, i): NodeModel => {
    // Two inputs anywhere before: the constants are those of a known linear congruential generator.
    const [a, b] = [i === 0 ? 0 : (i * 1_103_515_245 + 12_345) % i, i - 1];
    return {
      kind: i === 0 ? "placeholder" : "op",
      op: i === 0 ? "placeholder" : "tanh",
      name: `op${i}`,
      text: i === 0 ? "placeholder" : "tanh",
      work: "elementwise",
      role: "forward",
      inputs: i === 0 ? [] : a === b ? [a, 0] : [a, 0, b, 0],
      outputs: [0],
      group: -1,
      places: [],
      attributes: [],
      stems: [],
      why: [],
    };
  });
  const types = [{ text: "f32[2]", bytes: 8 }];
  const view: ViewModel = {
    kind: "source",
    missing: undefined,
    types,
    ...withParts(nodes, [], { lines: [], nameOf: () => undefined }),
  };
  const empty = { missing: "not for this test", nodes: [], groups: [], types: [] };
  const views: readonly ViewModel[] = [view, { kind: "gradients", ...empty }, { kind: "kernels", ...empty }];
  const program: ProgramModel = {
    name: "run",
    kind: "signature",
    title: "run",
    sizes: "",
    views,
    names: [],
    memory: undefined,
    unlisted: undefined,
  };
  return {
    format: 1,
    generator: "test",
    graph: "woven",
    file: "woven.graph",
    programs: [program],
    ops: [],
    functions: [],
    variables: [],
    lines: [],
  };
}
