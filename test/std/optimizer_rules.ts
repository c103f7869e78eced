/**
 * Each optimizer by the formulas of its paper, in float64. PyTorch 1.13.1, with the settings and the loss of optimizers.test.ts in
 * float64, goes the same ways to within 1e-15 for a hundred steps: SGD without, with and with Nesterov's momentum, Adagrad, Adadelta,
 * RMSprop, Adam with and without AMSGrad, AdamW, and NAdam once its product of b(1) to b(t + 1) is the documented one: that
 * version has b(t) in it twice.
 */

/** The state of one element under an optimizer: the element after step t with the gradient g. */
type Rule = () => (p: number, g: number, t: number) => number;

type Vector = readonly number[];

export interface Optimizer {
  readonly call: string;
  /** The state of a tensor: its elements after step t with the gradients g. */
  readonly whole: () => (p: Vector, g: Vector, t: number) => Vector;
}

/** An optimizer whose elements know nothing of each other. */
function each(call: string, rule: Rule): Optimizer {
  return {
    call,
    whole: () => {
      const states = new Map<number, ReturnType<Rule>>();
      return (p, g, t) =>
        p.map((x, i) => {
          const state = states.get(i) ?? rule();
          states.set(i, state);
          return state(x, g[i] ?? Number.NaN, t);
        });
    },
  };
}

/** A rate as the graph sees it: the parameter is f32. */
const rateOf = Math.fround;

export const optimizers: readonly Optimizer[] = [
  each("sgd()", () => (p, g) => p - rateOf(0.01) * g),
  each("sgd(0.25)", () => (p, g) => p - 0.25 * g),
  each("gradient_descent(learning_rate=0.1)", () => (p, g) => p - rateOf(0.1) * g),
  // Polyak (1964), as Sutskever et al. (2013) write it, with the rate outside of the velocity.
  each("momentum(learning_rate=0.125, momentum=0.8)", () => {
    let v = 0;
    return (p, g) => {
      v = 0.8 * v + g;
      return p - 0.125 * v;
    };
  }),
  // Duchi, Hazan and Singer (2011), figure 1, diagonal.
  each("adagrad(learning_rate=0.5)", () => {
    let s = 0;
    return (p, g) => {
      s += g * g;
      return p - (0.5 * g) / (Math.sqrt(s) + 1e-7);
    };
  }),
  // Tieleman and Hinton (2012), lecture 6.5.
  each("rmsprop(learning_rate=0.25, decay=0.75, epsilon=1e-3)", () => {
    let s = 0;
    return (p, g) => {
      s = 0.75 * s + 0.25 * g * g;
      return p - (0.25 * g) / (Math.sqrt(s) + 1e-3);
    };
  }),
  // Kingma and Ba (2015), algorithm 1.
  each("adam()", () => {
    let [m, v] = [0, 0];
    return (p, g, t) => {
      m = 0.9 * m + 0.1 * g;
      v = 0.999 * v + 0.001 * g * g;
      return p - (rateOf(1e-3) * (m / (1 - 0.9 ** t))) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-7);
    };
  }),
  each("adam(learning_rate=0.5, beta1=0.5, beta2=0.25, epsilon=1e-8)", () => {
    let [m, v] = [0, 0];
    return (p, g, t) => {
      m = 0.5 * m + 0.5 * g;
      v = 0.25 * v + 0.75 * g * g;
      return p - (0.5 * (m / (1 - 0.5 ** t))) / (Math.sqrt(v / (1 - 0.25 ** t)) + 1e-8);
    };
  }),
  // Without memory of the past, Adam is the sign of the gradient.
  each("adam(learning_rate=0.3125, beta1=0, beta2=0)", () => (p, g) => p - (0.3125 * g) / (Math.abs(g) + 1e-7)),
  // Sutskever et al. (2013), as PyTorch documents SGD with nesterov=True.
  each("nesterov(learning_rate=0.0625, momentum=0.75)", () => {
    let v = 0;
    return (p, g) => {
      v = 0.75 * v + g;
      return p - 0.0625 * (g + 0.75 * v);
    };
  }),
  // Zeiler (2012), algorithm 1.
  each("adadelta()", () => {
    let [s, u] = [0, 0];
    return (p, g) => {
      s = 0.9 * s + 0.1 * g * g;
      const step = (Math.sqrt(u + 1e-6) / Math.sqrt(s + 1e-6)) * g;
      u = 0.9 * u + 0.1 * step * step;
      return p - step;
    };
  }),
  // Reddi, Kale and Kumar (2018), algorithm 2, with the corrections of PyTorch's Adam(amsgrad=True).
  each("amsgrad(learning_rate=0.125, beta2=0.5)", () => {
    let [m, v, largest] = [0, 0, 0];
    return (p, g, t) => {
      m = 0.9 * m + 0.1 * g;
      v = 0.5 * v + 0.5 * g * g;
      largest = Math.max(largest, v);
      return p - (0.125 * (m / (1 - 0.9 ** t))) / (Math.sqrt(largest / (1 - 0.5 ** t)) + 1e-8);
    };
  }),
  // Loshchilov and Hutter (2019), algorithm 2.
  each("adamw(learning_rate=0.125, weight_decay=0.5)", () => {
    let [m, v] = [0, 0];
    return (p, g, t) => {
      const decayed = p - 0.125 * 0.5 * p;
      m = 0.9 * m + 0.1 * g;
      v = 0.999 * v + 0.001 * g * g;
      return decayed - (0.125 * (m / (1 - 0.9 ** t))) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-8);
    };
  }),
  // Dozat (2016), as PyTorch documents NAdam.
  each("nadam(learning_rate=0.125)", () => {
    let [m, v, product] = [0, 0, 1];
    const factor = (t: number): number => 0.9 * (1 - 0.5 * 0.96 ** (t * 0.004));
    return (p, g, t) => {
      product *= factor(t);
      m = 0.9 * m + 0.1 * g;
      v = 0.999 * v + 0.001 * g * g;
      const ahead = (factor(t + 1) * m) / (1 - product * factor(t + 1)) + ((1 - factor(t)) * g) / (1 - product);
      return p - (0.125 * ahead) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-8);
    };
  }),
  // Chen et al. (2023), algorithm 2.
  each("lion(learning_rate=0.015625, weight_decay=0.25)", () => {
    let m = 0;
    return (p, g) => {
      const sign = Math.sign(0.9 * m + 0.1 * g);
      m = 0.99 * m + 0.01 * g;
      return p - 0.015625 * (sign + 0.25 * p);
    };
  }),
  {
    // You et al. (2020), algorithm 2.
    call: "lamb(learning_rate=0.0625)",
    whole: () => {
      let [m, v]: readonly Vector[] = [[], []];
      const norm = (x: Vector): number => Math.hypot(...x);
      return (p, g, t) => {
        m = g.map((x, i) => 0.9 * (m?.[i] ?? 0) + 0.1 * x);
        v = g.map((x, i) => 0.999 * (v?.[i] ?? 0) + 0.001 * x * x);
        const r = m.map((x, i) => {
          const second = (v?.[i] ?? Number.NaN) / (1 - 0.999 ** t);
          return x / (1 - 0.9 ** t) / (Math.sqrt(second) + 1e-6) + 0.01 * (p[i] ?? Number.NaN);
        });
        const trust = norm(p) === 0 || norm(r) === 0 ? 1 : norm(p) / norm(r);
        return p.map((x, i) => x - 0.0625 * trust * (r[i] ?? Number.NaN));
      };
    },
  },
];

export const optimizerStart = [1, -2, 0.75, 0];
const curvature = [1, 0.25, 3, 2];

const names = [...new Set(optimizers.map(({ call }) => call.slice(0, call.indexOf("("))))];

/** Every optimizer on a variable of its own, with the loss sum(a p ** 2 / 2 + p ** 4 / 4), whose gradient is a p + p ** 3. */
export function optimizerProgram(dtype: string): string {
  const statements = optimizers.flatMap(({ call }, i) => [
    `variable p${i}: ${dtype}[4] = [${optimizerStart.join(", ")}]`,
    `loss${i} = sum(0.5 * a * p${i} ** 2 + 0.25 * p${i} ** 4)`,
    `update u${i} = minimize(loss${i}, ${call})`,
  ]);
  const all = optimizers.map((_, i) => `u${i}`).join(", ");
  return `import { ${names.join(", ")} } from "std/optimizers"
graph g {
  constant a: ${dtype}[4] = [${curvature.join(", ")}]
  ${statements.join("\n  ")}
  signature fit() does ${all} -> (loss0)
}
`;
}

export function optimizerTrace({ whole }: Optimizer, steps: number): readonly number[] {
  const next = whole();
  let p: readonly number[] = optimizerStart;
  for (let t = 1; t <= steps; t++) {
    const g = p.map((x, i) => (curvature[i] ?? 0) * x + x ** 3);
    p = next(p, g, t);
  }
  return p;
}
