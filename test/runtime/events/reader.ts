import { readFileSync } from "node:fs";
import protobuf from "protobufjs";

/** An independent reader of event files: protobufjs over the messages as TensorFlow defines them, and a check sum by its definition. */
const definition = `
syntax = "proto3";
message Event { double wall_time = 1; int64 step = 2; string file_version = 3; bytes graph_def = 4; Summary summary = 5; }
message Summary { repeated Value value = 1; }
message Value { string tag = 1; float simple_value = 2; Image image = 4; HistogramProto histo = 5; }
message Image { int32 height = 1; int32 width = 2; int32 colorspace = 3; bytes encoded_image_string = 4; }
message HistogramProto {
  double min = 1; double max = 2; double num = 3; double sum = 4; double sum_squares = 5;
  repeated double bucket_limit = 6 [packed = true]; repeated double bucket = 7 [packed = true];
}
message GraphDef { repeated NodeDef node = 1; VersionDef versions = 4; }
message VersionDef { int32 producer = 1; }
message NodeDef { string name = 1; string op = 2; repeated string input = 3; string device = 4; map<string, AttrValue> attr = 5; }
message AttrValue { ListValue list = 1; TensorShapeProto shape = 7; }
message ListValue { repeated TensorShapeProto shape = 7; }
message TensorShapeProto { repeated Dim dim = 2; }
message Dim { int64 size = 1; string name = 2; }
`;
const { root } = protobuf.parse(definition, { keepCase: true });

export interface ReadEvent {
  readonly wall_time: number;
  readonly step?: number;
  readonly file_version?: string;
  readonly graph_def?: Uint8Array;
  readonly summary?: { readonly value: readonly ReadValue[] };
}

export interface ReadValue {
  readonly tag: string;
  readonly simple_value?: number;
  readonly image?: {
    readonly height: number;
    readonly width: number;
    readonly colorspace: number;
    readonly encoded_image_string: Uint8Array;
  };
  readonly histo?: {
    readonly min: number;
    readonly max: number;
    readonly num: number;
    readonly sum: number;
    readonly sum_squares: number;
    readonly bucket_limit: readonly number[];
    readonly bucket: readonly number[];
  };
}

export interface ReadGraph {
  readonly node: readonly {
    readonly name: string;
    readonly op: string;
    readonly input?: readonly string[];
    readonly attr: Readonly<
      Record<
        string,
        { readonly list: { readonly shape: readonly { readonly dim?: readonly { readonly size: number }[] }[] } }
      >
    >;
  }[];
}

/** All events of a file. Throws where a length, a check sum or a message is wrong. */
export function readEvents(path: string): readonly ReadEvent[] {
  const bytes = readFileSync(path);
  const events: ReadEvent[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = Number(bytes.readBigUInt64LE(at));
    requireCrc(bytes.subarray(at, at + 8), bytes.readUInt32LE(at + 8));
    const data = bytes.subarray(at + 12, at + 12 + length);
    if (data.length !== length) throw new Error(`a record of ${length} bytes is cut short`);
    requireCrc(data, bytes.readUInt32LE(at + 12 + length));
    events.push(decoded("Event", data) as ReadEvent);
    at += 16 + length;
  }
  return events;
}

export function readGraph(bytes: Uint8Array): ReadGraph {
  return decoded("GraphDef", bytes) as ReadGraph;
}

function decoded(name: string, bytes: Uint8Array): unknown {
  const type = root.lookupType(name);
  return type.toObject(type.decode(bytes), { longs: Number });
}

function requireCrc(bytes: Uint8Array, stored: number): void {
  const crc = crc32c(bytes);
  const masked = (((crc >>> 15) | ((crc << 17) >>> 0)) + 0xa282ead8) % 2 ** 32;
  if (masked !== stored) throw new Error(`a check sum is ${stored}, not ${masked}`);
}

/** Bit by bit: the remainder of the division by the Castagnoli polynomial 0x1EDC6F41, bits of a byte from the lowest. */
export function crc32c(bytes: Uint8Array): number {
  let remainder = 0xffffffffn;
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit++) {
      const incoming = BigInt((byte >> bit) & 1);
      const top = (remainder >> 31n) & 1n;
      remainder = (remainder << 1n) & 0xffffffffn;
      if ((top ^ incoming) === 1n) remainder ^= 0x1edc6f41n;
    }
  }
  let reflected = 0;
  for (let bit = 0; bit < 32; bit++) if (((remainder >> BigInt(bit)) & 1n) === 1n) reflected += 2 ** (31 - bit);
  return 0xffffffff - reflected;
}
