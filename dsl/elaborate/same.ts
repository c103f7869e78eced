import { dimEquals, dimText } from "../../compiler/ir/dim.js";
import type { Item, Meaning } from "./meaning.js";
import type { Entry } from "./names.js";

/** Whether a name stands for the same, bound at the same place: spans move with the text, so that one place is one object. */
export function sameEntry(a: Entry | undefined, b: Entry | undefined): boolean {
  if (a === b) return true;
  return a !== undefined && b !== undefined && a.span === b.span && sameMeaning(a.meaning, b.meaning);
}

export function sameItem(a: Item, b: Item): boolean {
  return a.span === b.span && sameMeaning(a.meaning, b.meaning);
}

/** Whether two meanings are the same for whatever is elaborated with them. */
export function sameMeaning(a: Meaning, b: Meaning): boolean {
  if (a === b) return true;
  switch (a.kind) {
    case "tensor":
      return b.kind === "tensor" && a.value === b.value && a.variable === b.variable;
    case "int":
      if (b.kind !== "int") return false;
      if (typeof a.value === "bigint" || typeof b.value === "bigint") return a.value === b.value;
      return dimText(a.value) === dimText(b.value);
    case "float":
      return b.kind === "float" && Object.is(a.value, b.value);
    case "bool":
      return b.kind === "bool" && a.value === b.value;
    case "string":
      return b.kind === "string" && a.value === b.value;
    case "dtype":
      return b.kind === "dtype" && a.value === b.value;
    case "shape":
      return (
        b.kind === "shape" &&
        a.value.length === b.value.length &&
        a.value.every((dim, axis) => dimEquals(dim, b.value[axis] ?? -1))
      );
    case "list":
      return (
        b.kind === "list" &&
        a.items.length === b.items.length &&
        a.items.every((item, i) => {
          const other = b.items[i];
          return other !== undefined && sameItem(item, other);
        })
      );
    case "fn":
      if (b.kind !== "fn") return false;
      if (a.fn.kind === "intrinsic" || b.fn.kind === "intrinsic")
        return a.fn.kind === "intrinsic" && b.fn.kind === "intrinsic" && a.fn.intrinsic === b.fn.intrinsic;
      return a.fn.declaration === b.fn.declaration && a.fn.home === b.fn.home;
    case "scope":
      return b.kind === "scope" && a.names === b.names;
    case "many":
      return (
        b.kind === "many" &&
        a.callee === b.callee &&
        a.outputs.length === b.outputs.length &&
        a.outputs.every((output, i) => {
          const other = b.outputs[i];
          return other !== undefined && sameMeaning(output, other);
        })
      );
    case "all_axes":
    case "update":
    case "poisoned":
      return a.kind === b.kind;
  }
}
