import { decodeBF16, decodeF16 } from "../compiler/ir/half.js";
import { shortestNumber } from "../compiler/ir/shortest.js";
import type { Tensor } from "../compiler/ir/tensor.js";
import type { Fetched } from "../runtime/typed.js";

/** What `--json` prints. Names that come from a user stand in Maps, so that none of them is special. */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly JsonValue[]
  | ReadonlyMap<string, JsonValue>
  | { readonly [key: string]: JsonValue };

/** JSON text of one line. NaN and the infinities are strings; i64 keeps all its digits; -0 keeps its sign. */
export function jsonText(value: JsonValue): string {
  if (typeof value === "number") return numberText(value);
  if (typeof value === "bigint") return value.toString();
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (isArray(value)) return `[${value.map(jsonText).join(",")}]`;
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${jsonText(member)}`).join(",")}}`;
}

function numberText(value: number): string {
  if (!Number.isFinite(value)) return JSON.stringify(String(value));
  return Object.is(value, -0) ? "-0" : String(value);
}

function isArray(value: object): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** `{"dtype": "f32", "shape": [2], "data": [flat values]}`; a bool is true or false. */
export function tensorJson(tensor: Fetched): JsonValue {
  const { dtype, shape } = tensor;
  if (tensor.dtype === "string") return { dtype, shape, data: tensor.data };
  const shortest = (value: number | bigint | boolean): number | bigint | boolean =>
    typeof value === "number" ? shortestNumber(tensor.dtype, value) : value;
  return { dtype, shape, data: elements(tensor).map(shortest) };
}

/** The elements as they are meant: halves decoded, bools as such. */
export function elements(tensor: Tensor): readonly (number | bigint | boolean)[] {
  const { dtype, data } = tensor;
  if (data instanceof BigInt64Array) return Array.from(data);
  if (dtype === "bool") return Array.from(data, (element) => element !== 0);
  if (dtype === "f16") return Array.from(data, decodeF16);
  if (dtype === "bf16") return Array.from(data, decodeBF16);
  return Array.from(data);
}
