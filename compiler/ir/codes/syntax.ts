import type { CodeRow } from "./row.js";

/** G00x: the text is not of the language. */
export const syntaxCodes = [
  {
    code: "G001",
    title: "unexpected character",
    explain:
      "The character is no part of the language outside strings and comments. The hint names the spelling used here: `and` for `&&`, `**` for a power, a straight quote for a curly one, a new line for `;`.",
    example: "graph g {\n  x = 1;\n}\n",
  },
  {
    code: "G002",
    title: "unexpected token",
    explain: "Another word or sign can stand here. The message lists what can, and what was found.",
    example: "graph g {\n  x = 1 +\n}\n",
  },
  {
    code: "G003",
    title: "bracket is not closed",
    explain: "A `(`, `[` or `{` has no partner. The second place shows the opening bracket.",
    example: "graph g {\n  x = relu(1.0\n  y = 2\n}\n",
  },
  {
    code: "G004",
    title: "unknown statement",
    explain:
      "A statement starts with one of the statement words or with `name =`. A value alone is no statement: bind it to a name.",
    example: "graph g {\n  placehoder x: f32\n}\n",
  },
  {
    code: "G005",
    title: "statement in the wrong place",
    explain:
      "Imports, fns, optimizers and graphs stand at the top of a file; `seed`, `dim`, `placeholder`, `signature` and `train` in a graph; `next` in a scan or while; `yield` in a scan or if. A `variable` stands in a branch only where the compiler knows the condition.",
    example: 'graph g {\n  import { dense } from "std/layers"\n}\n',
  },
  {
    code: "G006",
    title: "comparisons do not chain",
    explain: "`a < b < c` is written `a < b and b < c`.",
    example: "graph g {\n  ok = 1 < 2 < 3\n}\n",
  },
  {
    code: "G007",
    title: "malformed number",
    explain:
      "A number is `42`, `1_000`, `0.5` or `1e-3`. A digit stands on both sides of the point, integers fit in i64, decimals in f64.",
    example: "graph g {\n  x = 9223372036854775808\n}\n",
  },
  {
    code: "G008",
    title: "malformed string",
    explain:
      'A string stands in double quotes on one line. Escapes are \\" \\\\ \\n \\t \\r and \\u{1F600}; two backslashes give one.',
    example: 'graph g {\n  greeting = "Hello\n}\n',
  },
  {
    code: "G009",
    title: "documentation without a declaration",
    explain: "`##` documents the declaration that follows it. Where none follows, write a plain `#` comment.",
    example: "graph g {\n  x = 1\n  ## nothing follows\n}\n",
  },
] as const satisfies readonly CodeRow[];
