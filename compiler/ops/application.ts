import { type DType, dtypes } from "../ir/dtype.js";
import type { Attribute, Attributes } from "../ir/node.js";
import { type TensorType, typeText } from "../ir/type.js";
import { OpError } from "./op_error.js";
import type { AttributeKind, AttributeSchema, Operand } from "./operands.js";

/** The number and the dtypes of the operands: G030, G024, G022. */
export function checkOperands(name: string, operands: readonly Operand[], types: readonly TensorType[]): void {
  const variadic = operands.at(-1)?.variadic === true;
  if (variadic ? types.length < operands.length - 1 : types.length !== operands.length) {
    throw new OpError("G030", `${name} takes ${operandCountText(operands)}, not ${types.length}`);
  }
  const groups = new Map<string, { readonly dtype: DType; readonly position: number }>();
  types.forEach((type, position) => {
    const spec = operands[Math.min(position, operands.length - 1)] as Operand;
    if (!spec.dtypes.includes(type.dtype)) {
      throw new OpError("G024", `${name} does not take ${type.dtype} for \`${spec.name}\` (${typeText(type)})`, {
        operand: position,
        hint: `it takes ${spec.dtypes.join(", ")}; \`cast(…, to=${spec.dtypes.includes("f32") ? "f32" : spec.dtypes[0]})\` converts`,
      });
    }
    if (spec.group === undefined) return;
    const first = groups.get(spec.group);
    if (first === undefined) groups.set(spec.group, { dtype: type.dtype, position });
    else if (first.dtype !== type.dtype) {
      throw new OpError("G022", `${name} takes one dtype, not ${first.dtype} and ${type.dtype}`, {
        operand: position,
        against: first.position,
        hint: `no conversion is implicit: \`cast(…, to=${first.dtype})\` converts`,
      });
    }
  });
}

function operandCountText(operands: readonly Operand[]): string {
  const least = operands.at(-1)?.variadic === true ? operands.length - 1 : operands.length;
  const plural = least === 1 ? "operand" : "operands";
  return least === operands.length ? `${least} ${plural}` : `at least ${least} ${plural}`;
}

/** That each attribute is there and of its kind, and no other: G030, G031. */
export function checkAttributes(name: string, schema: AttributeSchema, attributes: Attributes): void {
  for (const key of Object.keys(schema)) {
    if (!(key in attributes)) throw new OpError("G030", `${name} needs the attribute \`${key}\``);
    if (!hasKind(attributes[key] as Attribute, schema[key] as AttributeKind)) {
      throw new OpError(
        "G031",
        `the attribute \`${key}\` of ${name} must be ${attributeKindText(schema[key] as AttributeKind)}`,
      );
    }
  }
  for (const key of Object.keys(attributes)) {
    if (!(key in schema)) throw new OpError("G030", `${name} has no attribute \`${key}\``);
  }
}

function hasKind(value: Attribute, kind: AttributeKind): boolean {
  switch (kind) {
    case "bool":
      return typeof value === "boolean";
    case "int":
      return Number.isSafeInteger(value);
    case "float":
      return typeof value === "number";
    case "string":
      return typeof value === "string";
    case "dtype":
      return typeof value === "string" && (dtypes as readonly string[]).includes(value);
    case "ints":
      return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item));
    case "dims":
      return (
        Array.isArray(value) &&
        value.every(
          (item) => Number.isSafeInteger(item) || (typeof item === "object" && item !== null && "terms" in item),
        )
      );
    case "literal":
      return typeof value === "object" && "data" in value;
  }
}

function attributeKindText(kind: AttributeKind): string {
  switch (kind) {
    case "bool":
      return "true or false";
    case "int":
      return "an integer";
    case "float":
      return "a number";
    case "string":
      return "a string";
    case "dtype":
      return "a dtype";
    case "ints":
      return "a list of integers";
    case "dims":
      return "a shape";
    case "literal":
      return "a constant";
  }
}
