/** Reads ONNX's files: tensors, and models as lists of nodes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import protobuf from "protobufjs";
import type { NumericDType } from "../../../compiler/ir/dtype.js";
import { allocate, elementCount, type Tensor, viewBytes } from "../../../compiler/ir/tensor.js";
import { root } from "../../language/harness/folder.js";

const schema = protobuf.loadSync(join(root, "test", "conformance", "onnx", "onnx.proto"));

export type Attribute = number | string | Tensor | readonly number[] | readonly string[];

export interface OnnxNode {
  readonly op: string;
  readonly domain: string;
  /** "" where an optional input is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
}

export interface OnnxModel {
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly initializers: ReadonlyMap<string, Tensor>;
  /** The version of each domain; "" is ONNX's own. */
  readonly opsets: ReadonlyMap<string, number>;
}

/** What the format can hold and graphc has no counterpart of. */
export class Unsupported extends Error {}

/** TensorProto.DataType. */
const dtypes = new Map<number, NumericDType>([
  [1, "f32"],
  [2, "u8"],
  [3, "i8"],
  [6, "i32"],
  [7, "i64"],
  [9, "bool"],
  [10, "f16"],
  [11, "f64"],
  [16, "bf16"],
]);

export function dtypeOf(code: number): NumericDType {
  const dtype = dtypes.get(code);
  if (dtype === undefined) throw new Unsupported(`dtype ${code} is not in graphc`);
  return dtype;
}

/** The messages as protobufjs gives them: 64-bit integers as text, defaults and empty lists filled in. */
interface TensorMessage {
  readonly dims: readonly string[];
  readonly dataType: number;
  readonly floatData: readonly number[];
  readonly int32Data: readonly number[];
  readonly int64Data: readonly string[];
  readonly doubleData: readonly number[];
  readonly rawData: Uint8Array;
}

interface AttributeMessage {
  readonly name: string;
  readonly type: number;
  readonly f: number;
  readonly i: string;
  readonly s: Uint8Array;
  readonly t: TensorMessage;
  readonly floats: readonly number[];
  readonly ints: readonly string[];
  readonly strings: readonly Uint8Array[];
}

interface ModelMessage {
  readonly graph: {
    readonly node: readonly {
      readonly opType: string;
      readonly domain: string;
      readonly input: readonly string[];
      readonly output: readonly string[];
      readonly attribute: readonly AttributeMessage[];
    }[];
    readonly input: readonly { readonly name: string }[];
    readonly output: readonly { readonly name: string }[];
    readonly initializer: readonly (TensorMessage & { readonly name: string })[];
  };
  readonly opsetImport: readonly { readonly domain: string; readonly version: string }[];
}

/** The schema says what a message of this type holds; T spells it for the compiler. */
function decode<T>(type: string, bytes: Uint8Array): T {
  const message = schema.lookupType(type);
  const options = { longs: String, defaults: true, arrays: true };
  const object: { readonly [field: string]: unknown } = message.toObject(message.decode(bytes), options);
  return object as T;
}

export function readTensor(file: string): Tensor {
  return tensorOf(decode<TensorMessage>("Tensor", readFileSync(file)));
}

export function readModel(file: string): OnnxModel {
  const { graph, opsetImport: imports } = decode<ModelMessage>("Model", readFileSync(file));
  return {
    nodes: graph.node.map((node) => ({
      op: node.opType,
      domain: node.domain === "ai.onnx" ? "" : node.domain,
      inputs: node.input,
      outputs: node.output,
      attributes: new Map(node.attribute.map((one) => [one.name, attributeOf(one)])),
    })),
    inputs: graph.input.map(({ name }) => name),
    outputs: graph.output.map(({ name }) => name),
    initializers: new Map(graph.initializer.map((one) => [one.name, tensorOf(one)])),
    opsets: new Map(imports.map(({ domain, version }) => [domain === "ai.onnx" ? "" : domain, Number(version)])),
  };
}

function tensorOf(message: TensorMessage): Tensor {
  const dtype = dtypeOf(message.dataType);
  const shape = message.dims.map(Number);
  const length = elementCount(shape);
  if (message.rawData.length > 0) {
    // A copy: the bytes of a message start anywhere, and elements are aligned.
    const bytes = Uint8Array.from(message.rawData);
    return { dtype, shape, data: viewBytes(dtype, bytes.buffer, 0, length) };
  }
  const data = allocate(dtype, length);
  if (data instanceof BigInt64Array) data.set(message.int64Data.map(BigInt));
  else if (dtype === "f64") data.set(message.doubleData);
  else data.set(dtype === "f32" ? message.floatData : message.int32Data);
  return { dtype, shape, data };
}

function attributeOf(message: AttributeMessage): Attribute {
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  switch (message.type) {
    case 1:
      return message.f;
    case 2:
      return Number(message.i);
    case 3:
      return text(message.s);
    case 4:
      return tensorOf(message.t);
    case 6:
      return message.floats;
    case 7:
      return message.ints.map(Number);
    case 8:
      return message.strings.map(text);
    default:
      throw new Unsupported(`attribute ${message.name} holds a graph, or what graphc has no counterpart of`);
  }
}
