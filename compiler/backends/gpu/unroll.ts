import { addAffine, constantAffine, loopAffine } from "../../kernels/affine.js";
import type { LoopStatement } from "../../kernels/form.js";
import { Rewriter } from "../../kernels/rewrite.js";
import { freshLoop } from "../../kernels/roots.js";

/** Terms that one turn of a sum's loop takes in, the first that divides it: counting and jumping cost as much as a product. */
const termsATurn = [8, 4];
/** Shorter loops are left as they are. */
const leastTurns = 4;

/** The innermost loop of a sum with several terms a turn; itself where its extent is no multiple, or more happens in it. */
export function unrolled(loop: LoopStatement): LoopStatement {
  const [only, ...others] = loop.body;
  if (others.length > 0 || only?.kind !== "accumulate" || only.index !== undefined) return loop;
  const terms = termsATurn.find((count) => loop.extent % count === 0 && loop.extent / count >= leastTurns);
  if (terms === undefined) return loop;
  const id = freshLoop();
  const body = Array.from({ length: terms }, (_, term) => {
    const at = addAffine(constantAffine(term), loopAffine(id, terms));
    return new Rewriter({ loop: (name) => (name === loop.id ? at : undefined) }).statements([only]);
  });
  return { ...loop, id, extent: loop.extent / terms, body: body.flat() };
}
