import type { CodeRow } from "./row.js";

/** G053 to G058: scan, while and if. */
export const regionCodes = [
  {
    code: "G053",
    title: "carry changes its type",
    explain:
      "A carry of a scan or while has one dtype and shape in all iterations: those of its first value. A literal alone is i64 or f32.",
    example:
      "graph g {\n  x = [1.0, 2.0]\n  last = scan e in x with n = 0 {\n    next n = cast(n, to=f32) + e\n  }\n}\n",
  },
  {
    code: "G054",
    title: "branches give different types",
    explain:
      "The branches of an `if` yield equally many values, of the same dtypes and shapes: the rest of the graph sees one type. Where the compiler knows the condition, only their number is compared.",
    example: "graph g {\n  placeholder big: bool\n  y = if big { yield [1.0, 2.0] } else { yield 1.0 }\n}\n",
  },
  {
    code: "G055",
    title: "region gives no value",
    explain:
      "A branch of an `if` ends with a `yield`, once; a scan carries or yields something; a while carries something that its condition reads.",
    example: "graph g {\n  placeholder big: bool\n  y = if big { yield 1.0 } else { z = 2.0 }\n}\n",
  },
  {
    code: "G056",
    title: "next of what is no carry",
    explain: "`next NAME = value` gives a carry, declared after `with`, its value in the next iteration, once.",
    example: "graph g {\n  n = while i < 3 with i = 0 {\n    next i = i + 1\n    next j = i\n  }\n}\n",
  },
  {
    code: "G057",
    title: "assignment inside a region",
    explain:
      "A function that assigns its own variables (running statistics) cannot be called in a scan, while or if: a run assigns a variable once. Carry the value, and assign it after the loop.",
    example:
      "fn counted(x: f32) -> (y) {\n  variable n: i64 = 0 frozen\n  n := n + 1\n  y = x\n}\n\ngraph g {\n  ys = scan x in [1.0, 2.0] {\n    y = counted(x)\n    yield y\n  }\n}\n",
  },
] as const satisfies readonly CodeRow[];
