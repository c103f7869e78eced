import type { CodeRow } from "./row.js";

/** G02x: shapes, dtypes and literals. */
export const typeCodes = [
  {
    code: "G020",
    title: "shapes do not match",
    explain: "Both shapes and the places they come from are shown. Broadcasting is NumPy's, on known sizes.",
    example: "graph g {\n  placeholder a: f32[3]\n  placeholder b: f32[4]\n  y = a + b\n}\n",
  },
  {
    code: "G021",
    title: "inner dimensions differ",
    explain: "In `a @ b` the last dimension of `a` equals the last but one of `b`.",
    example: "graph g {\n  placeholder a: f32[3, 4]\n  placeholder b: f32[5, 6]\n  y = a @ b\n}\n",
  },
  {
    code: "G022",
    title: "dtypes do not match",
    explain: "Tensors are never converted silently: write the `cast` that the hint shows.",
    example: "graph g {\n  placeholder a: f32[3]\n  placeholder b: i64[3]\n  y = a + b\n}\n",
  },
  {
    code: "G023",
    title: "value is not of the declared type",
    explain:
      "A type on a binding, variable, constant, parameter or output is checked, never trusted. What a session holds or is fed has one type, whatever `training` is.",
    example: "graph g {\n  y: f32[3] = [1.0, 2.0]\n}\n",
  },
  {
    code: "G024",
    title: "dtype is not allowed here",
    explain:
      "The operation does not exist on this dtype. `/` needs floats (`//` divides integers); conditions need bool.",
    example: "graph g {\n  placeholder a: i64[3]\n  y = a / 2\n}\n",
  },
  {
    code: "G025",
    title: "wrong rank or axis",
    explain: "The tensor has too few or too many dimensions for this operation, or the axis is not one of its own.",
    example: "graph g {\n  placeholder a: f32[3]\n  y = softmax(a, axis=2)\n}\n",
  },
  {
    code: "G026",
    title: "index or slice out of range",
    explain: "A constant index or slice lies outside the dimension.",
    example: "graph g {\n  placeholder a: f32[3]\n  y = a[5]\n}\n",
  },
  {
    code: "G027",
    title: "elements do not fit the shape",
    explain: "A reshape keeps the number of elements; `-1` may stand once.",
    example: "graph g {\n  placeholder a: f32[3, 4]\n  y = reshape(a, [5, 2])\n}\n",
  },
  {
    code: "G028",
    title: "literal does not fit its dtype",
    explain:
      "A literal takes the other operand's dtype: a decimal only a float's, an integer only one that can hold it.",
    example: "graph g {\n  placeholder a: u8[3]\n  y = a + 1000\n}\n",
  },
  {
    code: "G029",
    title: "list is not rectangular",
    explain: "A nested list is a tensor: its rows have equal lengths and one kind of element.",
    example: "graph g {\n  x = [[1, 2], [3]]\n}\n",
  },
] as const satisfies readonly CodeRow[];

/** G03x: functions, their arguments and the variables they own. */
export const functionCodes = [
  {
    code: "G030",
    title: "wrong arguments",
    explain: "An argument is missing, too many are given, or none has this name. The note shows the signature.",
    example: "graph g {\n  y = relu()\n}\n",
  },
  {
    code: "G031",
    title: "argument of the wrong kind",
    explain:
      "The parameter's kind (tensor, shape, list, int, float, bool, string, dtype, fn) decides what may be given.",
    example: 'graph g {\n  y = softmax([1.0, 2.0], axis="last")\n}\n',
  },
  {
    code: "G032",
    title: "wrong number of outputs",
    explain:
      "A call with several outputs binds as many names (`_` drops one), and does not stand inside an expression or a pipe.",
    example: "graph g {\n  a, b = relu([1.0])\n}\n",
  },
  {
    code: "G033",
    title: "recursion of functions",
    explain:
      "A fn is a reusable sub-graph and cannot call itself, directly or through others. The notes show the cycle.",
    example: "fn f(x: f32) -> (y: f32) {\n  y = f(x)\n}\n\ngraph g {\n  y = f(1.0)\n}\n",
  },
  {
    code: "G034",
    title: "output is not bound",
    explain: "Each output of a fn is bound in its body.",
    example: "fn f(x: f32) -> (y: f32) {\n  z = x\n}\n",
  },
  {
    code: "G035",
    title: "type parameter cannot be inferred",
    explain: "Type and size parameters are inferred from the arguments at the call; this one occurs in none of them.",
    example: "fn f[T: float, I](x: T) -> (y: T[I]) {\n  y = zeros([I])\n}\n\ngraph g {\n  y = f(1.0)\n}\n",
  },
  {
    code: "G036",
    title: "variable needs a static shape",
    explain: "A variable's memory is laid out once, so its shape cannot depend on a dim.",
    example: "graph g {\n  dim N <= 8\n  variable w: f32[N] = zeros()\n}\n",
  },
  {
    code: "G037",
    title: "initialiser is not allowed here",
    explain:
      "An initial value is made of random ops and constants only, and an initialiser stands only in a `variable`.",
    example: "graph g {\n  placeholder x: f32\n  variable w: f32 = x\n}\n",
  },
  {
    code: "G038",
    title: "requirement is not met",
    explain:
      "A function says with `require` what its arguments must fulfil. The caret is at the argument, the note at the requirement.",
    example: "graph g {\n  y = dropout([1.0, 2.0], rate=20)\n}\n",
  },
  {
    code: "G039",
    title: "positional argument after a named one",
    explain: "Positional arguments stand first.",
    example: "graph g {\n  y = softmax(axis=0, [1.0, 2.0])\n}\n",
  },
] as const satisfies readonly CodeRow[];
