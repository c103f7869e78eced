import type { Histogram } from "./histogram.js";
import { bytesField, doubleField, floatField, integerField, message, messageField, packedDoubles } from "./protobuf.js";

/** Messages of TensorFlow's event.proto, summary.proto and graph.proto, with the numbers of their fields. */

export type SummaryValue =
  | { readonly tag: string; readonly kind: "scalar"; readonly value: number }
  | { readonly tag: string; readonly kind: "histogram"; readonly histogram: Histogram }
  | {
      readonly tag: string;
      readonly kind: "image";
      readonly height: number;
      readonly width: number;
      /** 1 grey, 3 red, green and blue. */
      readonly channels: number;
      readonly png: Uint8Array;
    };

export interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  /** One for each output; a size that is not known is -1. */
  readonly shapes: readonly (readonly number[])[];
}

export type EventContent =
  | { readonly kind: "version" }
  | { readonly kind: "graph"; readonly nodes: readonly GraphNode[] }
  | { readonly kind: "summary"; readonly step: number; readonly values: readonly SummaryValue[] };

/** An Event; `wallTime` in seconds since 1970. */
export function eventMessage(wallTime: number, content: EventContent): Uint8Array {
  const time = doubleField(1, wallTime);
  switch (content.kind) {
    case "version":
      return message(time, bytesField(3, "brain.Event:2"));
    case "graph":
      return message(time, messageField(4, graphMessage(content.nodes)));
    case "summary":
      return message(
        time,
        integerField(2, content.step),
        messageField(5, message(...content.values.map((value) => messageField(1, valueMessage(value))))),
      );
  }
}

function valueMessage(value: SummaryValue): Uint8Array {
  const tag = bytesField(1, value.tag);
  switch (value.kind) {
    case "scalar":
      return message(tag, floatField(2, value.value));
    case "histogram":
      return message(tag, messageField(5, histogramMessage(value.histogram)));
    case "image":
      return message(
        tag,
        messageField(
          4,
          message(
            integerField(1, value.height),
            integerField(2, value.width),
            integerField(3, value.channels),
            bytesField(4, value.png),
          ),
        ),
      );
  }
}

function histogramMessage({ min, max, count, sum, sumOfSquares, limits, counts }: Histogram): Uint8Array {
  return message(
    doubleField(1, min),
    doubleField(2, max),
    doubleField(3, count),
    doubleField(4, sum),
    doubleField(5, sumOfSquares),
    packedDoubles(6, limits),
    packedDoubles(7, counts),
  );
}

/** GraphDef; `_output_shapes` is what TensorBoard writes on edges. */
function graphMessage(nodes: readonly GraphNode[]): Uint8Array {
  const versions = message(integerField(1, 22));
  return message(...nodes.map((node) => messageField(1, nodeMessage(node))), messageField(4, versions));
}

function nodeMessage({ name, op, inputs, shapes }: GraphNode): Uint8Array {
  const shapeMessages = shapes.map((shape) =>
    messageField(7, message(...shape.map((size) => messageField(2, message(integerField(1, size)))))),
  );
  const attribute = message(messageField(1, message(...shapeMessages)));
  const entry = message(bytesField(1, "_output_shapes"), messageField(2, attribute));
  return message(
    bytesField(1, name),
    bytesField(2, op),
    ...inputs.map((input) => bytesField(3, input)),
    messageField(5, entry),
  );
}
