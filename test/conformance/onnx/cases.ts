/** The folder of cases, and each case as it stands there. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Tensor } from "../../../compiler/ir/tensor.js";
import { root } from "../../language/harness/folder.js";
import { type OnnxModel, readModel, readTensor } from "./format.js";

/** ONNX's backend tests: a folder a case, with `index.json` beside them. */
export const casesFolder =
  process.env["GRAPHC_ONNX_CASES"] ?? join(root, "..", "shared", "conformance", "onnx", "node");

export const casesAreThere = existsSync(join(casesFolder, "index.json"));

export interface Case {
  readonly name: string;
  readonly model: OnnxModel;
  readonly inputs: readonly Tensor[];
  readonly expected: readonly Tensor[];
  /** The inputs whose values decide shapes or code. */
  readonly constants: ReadonlySet<number>;
}

interface Entry {
  readonly name: string;
  readonly const_inputs: readonly number[];
  readonly value_const_inputs: readonly number[];
}

export function readCases(): readonly Case[] {
  const index: { readonly cases: readonly Entry[] } = JSON.parse(readFileSync(join(casesFolder, "index.json"), "utf8"));
  const entries = new Map(index.cases.map((entry) => [entry.name, entry]));
  return readdirSync(casesFolder, { withFileTypes: true })
    .filter((one) => one.isDirectory())
    .map(({ name }) => readCase(name, entries.get(name)));
}

/** Inputs by operator that choose the code though the index does not say so: Dropout's rate, the lengths of sequences. */
const decisive: Readonly<Record<string, readonly number[]>> = { Dropout: [1], RNN: [4], GRU: [4], LSTM: [4] };

function readCase(name: string, entry: Entry | undefined): Case {
  const model = readModel(join(casesFolder, name, "model.onnx"));
  const read = (kind: string, i: number) => readTensor(join(casesFolder, name, "test_data_set_0", `${kind}_${i}.pb`));
  return {
    name,
    model,
    inputs: model.inputs.map((_, i) => read("input", i)),
    expected: model.outputs.map((_, i) => read("output", i)),
    constants: new Set([
      ...(entry?.const_inputs ?? []),
      ...(entry?.value_const_inputs ?? []),
      ...(decisive[model.nodes[0]?.op ?? ""] ?? []),
    ]),
  };
}
