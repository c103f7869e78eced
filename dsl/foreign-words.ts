import type { IToken } from "chevrotain";
import { type Hint, writeInstead } from "../compiler/ir/fix.js";

/** What other languages begin statements with, and what stands for that here. */

const trainingHint = "`training` is true where a signature does an update";
/** Words of other languages, and what stands for them here. */
export const foreignWords: ReadonlyMap<string, string> = new Map([
  ["let", "a binding needs no word: `x = 3`"],
  ["var", "a binding needs no word: `x = 3`; a trainable value is `variable w: f32[2] = zeros()`"],
  ["const", "write `constant k = 3`"],
  ["val", "a binding needs no word: `x = 3`"],
  ["def", "functions are `fn name(x: f32) -> (y: f32) { ... }`, at the top of the file"],
  ["function", "functions are `fn name(x: f32) -> (y: f32) { ... }`, at the top of the file"],
  ["func", "functions are `fn name(x: f32) -> (y: f32) { ... }`, at the top of the file"],
  ["assert", 'a condition on arguments is `require rate >= 0, "rate must be at least 0"`'],
  [
    "return",
    "a fn binds its outputs by their names; an `if` or `scan` gives values with `yield`; of a graph, a `signature` names what it gives",
  ],
  ["for", "a loop over axis 0 is `ys = scan x in xs with h = h0 { ... }`"],
  ["print", "name the edge in a signature, or fetch it with `graphc run FILE --fetch NAME`"],
  ["class", "a layer is a `fn` that owns variables"],
  ["input", "inputs are `placeholder x: f32[N, 4]`"],
  ["param", "trainable values are `variable w: f32[2] = zeros()`"],
  ["parameter", "trainable values are `variable w: f32[2] = zeros()`"],
  ["output", "outputs are named in a `signature`"],
  ["echo", "name the edge in a signature, or fetch it with `graphc run FILE --fetch NAME`"],
  ["switch", "one of several values is `if a { yield x } else if b { yield y } else { yield z }`"],
  ["match", "one of several values is `if a { yield x } else if b { yield y } else { yield z }`"],
  ["type", "a type stands where it is used: `x: f32[3]`"],
  ["struct", "names are grouped by `scope NAME { ... }`"],
  ["module", "what several files use is a file with fns, which others import"],
  ["tensor", "a nested list is a tensor: `x = [[1, 2], [3, 4]]`"],
]);

/** Types of other languages that stand before the name. */
export const foreignTypes: ReadonlyMap<string, string> = new Map([
  ["float", "f32"],
  ["double", "f64"],
  ["int", "i64"],
  ["long", "i64"],
]);

/** Methods that other libraries call for what they do, and what does that here. */
export const foreignMethods: ReadonlyMap<string, string> = new Map([
  ["append", "lists do not grow: `stack([a, b])` puts tensors together, and a `scan` stacks what it yields"],
  ["extend", "lists do not grow: `concatenate([a, b])` puts tensors together"],
  ["backward", "a gradient is an edge: `dw = gradients(loss, [w])`, or `update learn = minimize(loss, adam())`"],
  ["step", "an optimizer's steps are an update: `update learn = minimize(loss, adam())`"],
  ["minimize", "an optimizer's steps are an update: `update learn = minimize(loss, adam())`"],
  ["fit", "how to train stands in `train { run = fit ... }`, and `graphc train FILE` does it"],
  ["compile", "loss and optimizer are `update learn = minimize(loss, adam())`; `graphc train FILE` trains"],
  ["zero_grad", "gradients are edges, computed anew in each run: nothing is to be set to zero"],
  ["train", trainingHint],
  ["eval", trainingHint],
]);

/** What a call by itself is elsewhere: `fit(x)`, `backward(loss)`. */
export function foreignCallHint(name: string): string | undefined {
  if (name === "train") return foreignMethods.get("fit");
  return ["fit", "minimize", "backward"].includes(name) ? foreignMethods.get(name) : undefined;
}

/** Words that are spelt otherwise here, or that a binding goes without; the others want another statement. */
const respelt: ReadonlyMap<string, string> = new Map([
  ["let", ""],
  ["var", ""],
  ["val", ""],
  ["const", "constant"],
  ["def", "fn"],
  ["function", "fn"],
  ["func", "fn"],
  ["assert", "require"],
  ["input", "placeholder"],
  ["param", "variable"],
  ["parameter", "variable"],
]);

export function foreignWordAdvice(word: string, hint: string, next: IToken): Hint {
  const write = respelt.get(word);
  if (write === undefined) return hint;
  if (write !== "") return writeInstead(write, hint);
  // With the space behind it.
  return {
    text: hint,
    fix: ({ file, start }) => ({
      title: "remove it",
      edits: [{ span: { file, start, end: next.startOffset }, text: "" }],
    }),
  };
}
