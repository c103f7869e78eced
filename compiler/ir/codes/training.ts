import type { CodeRow } from "./row.js";

/** G04x: updates, signatures and train data. */
export const updateCodes = [
  {
    code: "G040",
    title: "assignment in the wrong place",
    explain: "`:=` stands only in an update block, an optimizer, or a fn that owns the variable. A binding uses `=`.",
    example: "graph g {\n  variable w: f32 = zeros()\n  w := w + 1\n}\n",
  },
  {
    code: "G041",
    title: "only variables can be assigned",
    explain: "The target of `:=` is a variable; a binding, placeholder or constant never changes within a run.",
    example: "graph g {\n  x = 1.0\n  update u {\n    x := 2.0\n  }\n}\n",
  },
  {
    code: "G042",
    title: "two updates assign one variable",
    explain: "A run is atomic, so two updates of one run cannot assign the same variable. Join them into one.",
    example:
      "graph g {\n  variable w: f32 = zeros()\n  update a {\n    w := 1.0\n  }\n  update b {\n    w := 2.0\n  }\n  signature s() does a, b -> (w)\n}\n",
  },
  {
    code: "G043",
    title: "update is not made of an optimizer",
    explain: "`update NAME = ...` takes `minimize(loss, optimizer(...))`; assignments by hand stand in a block.",
    example: "graph g {\n  x = 1.0\n  update u = x\n}\n",
  },
  {
    code: "G044",
    title: "signature lacks a placeholder",
    explain: "What the signature computes reads a placeholder that is not among its inputs and has no default.",
    example: "graph g {\n  placeholder x: f32\n  y = x + 1\n  signature s() -> (y)\n}\n",
  },
  {
    code: "G045",
    title: "signature input is not a placeholder",
    explain: "The inputs of a signature are placeholders of the graph.",
    example: "graph g {\n  x = 1.0\n  y = x + 1\n  signature s(x) -> (y)\n}\n",
  },
  {
    code: "G046",
    title: "unknown or wrong field of train",
    explain:
      "The fields are run, data, validate, batch, shuffle, epochs or steps, checkpoint, summary, remainder and so on. What a program gives in their place, and the batch of an evaluation or the seed of a session, is held to the same.",
    example: "graph g {\n  train {\n    batchsize = 32\n  }\n}\n",
  },
  {
    code: "G047",
    title: "assignment cannot run here",
    explain:
      "An evaluation over data leaves the variables as they are: it takes a signature without `does`. A fn's own `:=` inside scan, while or if is an error: its number of runs would not be defined.",
    example: "$ graphc run mnist.graph fit --data image=train-images-idx3-ubyte --data label=train-labels-idx1-ubyte",
  },
  {
    code: "G048",
    title: "nothing to train",
    explain: "`minimize` trains the non-frozen float variables that the loss reaches, and there are none.",
    example:
      'import { adam } from "std/optimizers"\n\ngraph g {\n  loss = 1.0\n  update learn = minimize(loss, adam())\n}\n',
  },
] as const satisfies readonly CodeRow[];

/** G05x: gradients. */
export const gradientCodes = [
  {
    code: "G050",
    title: "no gradient path",
    explain:
      "Comparisons, integers, argmax, floor, round, sign and stop_gradient cut the path. No path from y to x remains; the notes name the ops that cut it.",
    example:
      "graph g {\n  variable w: f32[3] = ones()\n  y = cast(argmax(w, axis=0), to=f32)\n  d = gradients(y, [w])\n}\n",
  },
  {
    code: "G051",
    title: "gradient of a non-float value",
    explain: "Only float values have gradients.",
    example: "graph g {\n  variable n: i64 = zeros()\n  d = gradients(n * 2, [n])\n}\n",
  },
] as const satisfies readonly CodeRow[];
