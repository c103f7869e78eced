import type { CodeRow } from "./row.js";

/** G14x: equations in strings. */
export const equationCodes = [
  {
    code: "G140",
    title: "equation cannot be read",
    explain:
      "An equation of `einsum` has a term for each operand, separated by commas, and may say after `->` which labels the result has. A " +
      "label is a letter; `...` stands once in a term. A label of the result occurs in a term, and once in the result.",
    example: 'graph g {\n  placeholder a: f32[2, 3]\n  y = einsum("ij->ik", a)\n}\n',
  },
] as const satisfies readonly CodeRow[];
