/**
 * Writes protocol buffers' wire format (https://protobuf.dev/programming-guides/encoding): the few kinds of field that event files need.
 * A field that is undefined is left out.
 */
export type Field = Uint8Array | undefined;

export function message(...fields: readonly Field[]): Uint8Array {
  return Buffer.concat(fields.filter((field) => field !== undefined));
}

export function doubleField(number: number, value: number | undefined): Field {
  if (value === undefined) return undefined;
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return tagged(number, 1, bytes);
}

export function floatField(number: number, value: number | undefined): Field {
  if (value === undefined) return undefined;
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return tagged(number, 5, bytes);
}

/** int32, int64, bool and enum: negative numbers take ten bytes. */
export function integerField(number: number, value: number | bigint | undefined): Field {
  return value === undefined ? undefined : tagged(number, 0, varint(BigInt(value)));
}

export function bytesField(number: number, value: Uint8Array | string | undefined): Field {
  if (value === undefined) return undefined;
  const bytes = typeof value === "string" ? Buffer.from(value, "utf8") : value;
  return tagged(number, 2, Buffer.concat([varint(BigInt(bytes.length)), bytes]));
}

/** A message inside a message is its bytes. */
export const messageField: (number: number, value: Uint8Array | undefined) => Field = bytesField;

export function packedDoubles(number: number, values: readonly number[]): Field {
  const bytes = Buffer.alloc(8 * values.length);
  for (const [i, value] of values.entries()) bytes.writeDoubleLE(value, 8 * i);
  return bytesField(number, bytes);
}

function tagged(number: number, wireType: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([varint(BigInt(number * 8 + wireType)), content]);
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
