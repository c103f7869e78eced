import type { Graph } from "../compiler/ir/graph.js";
import type { Span } from "../compiler/ir/span.js";
import { typeText } from "../compiler/ir/type.js";
import { opNamed } from "../compiler/ops/table.js";
import type { Assigned, Edge, Explained, ExplainedKernel, Listing } from "./explained.js";
import { loopJson } from "./explained_loop.js";
import { bytesOf, fateOf, placesOf, variableOf } from "./explained_parts.js";
import type { JsonValue } from "./json.js";
import { literalOf } from "./node_texts.js";

export function explainedJson(explained: Explained, others: readonly string[]): JsonValue {
  const { graph, subject, sized, edge, memory, uses, assigned, kernels } = explained;
  const { sources } = graph;
  const value =
    subject.kind === "value" ? subject.value : subject.kind === "assignment" ? subject.assignment.value : undefined;
  const spans =
    subject.kind === "update"
      ? [subject.update.span]
      : [
          ...(subject.kind === "assignment" ? [subject.assignment.span] : []),
          ...(value === undefined ? [] : (explained.constant?.own ?? sources.spansOf(value.node))),
        ];
  const variable = variableOf(explained);
  const placesJson = (given: readonly Span[]): JsonValue => placesOf(given).map((place) => ({ ...place }));
  return {
    name: subject.name,
    kind: subject.kind === "value" ? (memory?.kind === "code" ? "constant" : (memory?.kind ?? "edge")) : subject.kind,
    type: value === undefined ? null : typeText(value.type),
    op: value?.node.op ?? null,
    doc: value === undefined ? null : opNamed(value.node.op).doc,
    places: placesJson(spans),
    equal: placesJson(explained.constant?.equal ?? []),
    device: explained.device ?? null,
    others,
    signature: subject.choice.name,
    dims: sized.dims,
    initial:
      variable === undefined
        ? null
        : {
            op: variable.initial.node.op,
            value: literalOf(variable.initial.node) ?? null,
            places: placesJson(sources.spansOf(variable.initial.node)),
          },
    memory:
      memory === undefined
        ? null
        : {
            kind: memory.kind,
            bytes: memory.bytes ?? null,
            device: memory.device ?? "cpu",
            trained: variable === undefined ? null : fateOf(graph, variable).kind === "trained",
          },
    uses: uses.map(({ kernel, device, reads, writes, roles }) => ({ kernel, device, reads, writes, roles })),
    assigned: assigned.map((one) => assignedJson(graph, one)),
    edge: edge === undefined ? null : edgeJson(edge),
    kernels: kernels.map(kernelJson),
  };
}

function assignedJson(graph: Graph, { path, value, kernels }: Assigned): JsonValue {
  const places = placesOf(graph.sources.spansOf(value.node)).map((place) => ({ ...place }));
  return { variable: path, type: typeText(value.type), op: value.node.op, places, kernels };
}

function edgeJson({ logged, backward, loop }: Edge): JsonValue {
  return {
    op: logged.value.node.op,
    type: typeText(logged.value.type),
    bytes: bytesOf(logged.value) ?? null,
    stored: logged.kept === "whole" || logged.kept === "given",
    kept: logged.kept,
    reason: logged.reason,
    wanted: [...new Set(logged.wanted.map(({ kind }) => kind))],
    readers: logged.readers,
    fused: logged.how ?? null,
    refused: logged.refused.map(({ by, why }) => ({ kernel: by, reason: why })),
    gradient_values: backward,
    loop: loop === undefined ? null : loopJson(loop),
  };
}

function kernelJson({ name, device, kind, work, seconds, buffers, text, code }: ExplainedKernel): JsonValue {
  return {
    name,
    device,
    kind,
    operations: work.operations ?? null,
    transcendentals: work.transcendentals,
    read_bytes: work.readBytes,
    written_bytes: work.writtenBytes,
    seconds: seconds ?? null,
    buffers: buffers.map(({ id, label, type }) => ({ id, name: label, type })),
    text: text.join("\n"),
    llvm: codeIn("LLVM", code),
    assembly: codeIn("assembly", code),
    gpu: codeIn("gpu.js", code),
  };
}

function codeIn(form: Listing["form"], code: readonly Listing[]): string | null {
  const texts = code.filter((listing) => listing.form === form).map(({ excerpt }) => excerpt.lines.join("\n"));
  return texts.length === 0 ? null : texts.join("\n");
}
