import type { CodeRow } from "./row.js";

/** G01x: names and paths. */
export const nameCodes = [
  {
    code: "G010",
    title: "name is bound twice",
    explain:
      "A name is bound once in its scope. Use another name; to give a variable a new value, assign it with `:=` in an update.",
    example: "graph g {\n  x = 1\n  x = 2\n}\n",
  },
  {
    code: "G011",
    title: "name is used before it is bound",
    explain: "A binding stands before its uses. Only `update`, `signature` and `train` may look ahead.",
    example: "graph g {\n  y = x + 1\n  x = 1\n}\n",
  },
  {
    code: "G012",
    title: "unknown name",
    explain:
      "Nothing of this name is bound, imported or built in. The hint names the nearest; layers and optimizers are imported.",
    example: "graph g {\n  y = sofmax([1.0, 2.0])\n}\n",
  },
  {
    code: "G013",
    title: "two owners of one path",
    explain:
      'Two calls that own variables would have the same path, so their variables could not be told apart in a checkpoint. Give one a `name="..."`. So with two variables of one name in the branches of two `if`s.',
    example:
      'import { dense } from "std/layers"\n\ngraph g {\n  placeholder x: f32[2, 4]\n  y = dense(x, units=3) + dense(x, units=3)\n}\n',
  },
  {
    code: "G014",
    title: "reserved word used as a name",
    explain: "Words such as `if`, `while`, `and` and `true` have a meaning inside expressions and cannot name a value.",
    example: "graph g {\n  if = 1\n}\n",
  },
  {
    code: "G015",
    title: "name is given twice in one list",
    explain: "An argument, parameter, field, imported name or binding target stands once in its list.",
    example: "graph g {\n  a, a = gradients(1.0, [2.0])\n}\n",
  },
  {
    code: "G016",
    title: "name is of another kind",
    explain: "A function, dim, scope or update stands where a value is needed, or the reverse. The message says which.",
    example: "graph g {\n  scope metrics {\n    loss = 1.0\n  }\n  y = metrics + 1\n}\n",
  },
  {
    code: "G017",
    title: "undeclared dim in a shape",
    explain: "A name in a shape is a dim, a size parameter or a constant int: declare it with `dim N <= 1024`.",
    example: "graph g {\n  placeholder x: f32[N, 4]\n}\n",
  },
] as const satisfies readonly CodeRow[];
