/** Graphs that are tested on devices of Node's and in a page. */

/** A step moves `w` by random numbers and counts itself: a step that is left out, or done twice, is seen in both. */
export const walking = `graph walk {
  seed 3
  placeholder x: f32[4]
  variable w: f32[4] = zeros()
  variable turns: i64 = 0
  moved = tanh(w + x) + random_uniform([4])
  length = sum(moved * moved)
  update step {
    w := moved + x
    turns := turns + 1
  }
  signature go(x) does step -> (length)
}
`;

export const learning = `import { adam } from "std/optimizers"
graph learning {
  seed 5
  dim N
  placeholder x: f32[N, 3]
  placeholder y: f32[N, 1]
  variable w: f32[3, 1] = zeros()
  loss = mean((x @ w - y) ** 2)
  update learn = minimize(loss, adam(learning_rate=0.05))
  signature fit(x, y) does learn -> (loss)
}
`;

/** A first layer on one side, a second on the other; a last op that devices have no kernel of; the loss wherever the target puts it. */
export const layersOn = (first: string, second: string): string => `import { dense } from "std/layers"
import { adam } from "std/optimizers"
graph network {
  dim N <= 48
  placeholder x: f32[N, 6]
  placeholder label: i64[N]
  on "${first}" {
    h = tanh(dense(x, units=8))
  }
  scope head on "${second}" {
    logits = dense(h, units=3)
  }
  probs = cumsum(softmax(head.logits), axis=1)
  loss = mean(sparse_softmax_cross_entropy(head.logits, label))
  update learn = minimize(loss, adam(learning_rate=1e-2), clip=global_norm(1.0))
  signature predict(x) -> (probs)
  signature fit(x, label) does learn -> (loss)
}
`;
