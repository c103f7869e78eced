import type { Intrinsic } from "../intrinsic.js";
import { refusal } from "../state.js";
import { arrangements } from "./arrangements.js";
import { convolutions } from "./convolution.js";
import { cumulative } from "./cumulative.js";
import { einsum } from "./einsum.js";
import { elementwise } from "./elementwise.js";
import { indexing } from "./indexing.js";
import { pools } from "./pooling.js";
import { reductions } from "./reductions.js";
import { resizing } from "./resize.js";
import { shapes } from "./shapes.js";
import { special } from "./special.js";

/** Stands only on the right of `update NAME =`, where `updates.ts` reads it; listed here for docs and hover. */
const minimize: Intrinsic = {
  name: "minimize",
  doc:
    "An update that moves variables against the gradient of a loss. Trains `variables` (variables, or bindings and scopes for those of their calls), or all float variables that the loss " +
    "reaches and that are not frozen. `clip` is a call that sees all gradients, such as `global_norm(1.0)`, or each one.",
  parameters: [
    { name: "loss", kind: "tensor" },
    { name: "optimizer", kind: "fn", doc: "A call of an optimizer, such as `adam(learning_rate=1e-3)`." },
    { name: "variables", kind: "list", default: "all that the loss reaches" },
    { name: "clip", kind: "fn", default: "none" },
  ],
  result: "update",
  build: (call) => {
    throw refusal(call.env, "G043", call.span, "`minimize` makes an update, not a value", {
      hint: "`update learn = minimize(...)`, and a signature that `does learn`",
    });
  },
};

/** Every built-in function by its name. */
export const intrinsics: ReadonlyMap<string, Intrinsic> = new Map(
  [
    ...arrangements,
    ...elementwise,
    ...cumulative,
    ...indexing,
    ...reductions,
    ...shapes,
    ...special,
    ...convolutions,
    ...pools,
    ...resizing,
    einsum,
    minimize,
  ].map((intrinsic) => [intrinsic.name, intrinsic]),
);
