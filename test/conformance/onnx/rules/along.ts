/** Reductions, positions of extremes, running sums, order. */
import { list, type Rule, type Rules, range, type View } from "../view.js";

/** Which axes: an input since 13 (ReduceSum) or 18, an attribute before; without any, all, or none at all. */
function reduction(express: (x: string, options: string, n: View) => string): Rule {
  return (n) => {
    const axes = n.numbersOr(1, "axes") ?? [];
    if (axes.length === 0 && n.flag("noop_with_empty_axes")) return n.in(0);
    const over = axes.length === 0 ? range(n.rank()) : axes;
    const options = `axis=${list(over)}, keepdims=${n.flag("keepdims", 1)}`;
    return express(n.in(0), options, n);
  };
}

const reduced = (name: string): Rule => reduction((x, options) => `${name}(${x}, ${options})`);

/** ONNX has an infinity where there are no elements; the language wants it to be said. */
function extreme(ofBools: string, ofNumbers: string, ofNothing: string): Rule {
  return reduction((x, options, n) => {
    if (n.dtype() === "bool") return `${ofBools}(${x}, ${options})`;
    return `${ofNumbers}(${x}, ${options}${n.shape().includes(0) ? `, initial=${ofNothing}` : ""})`;
  });
}

/** The last of equal extremes is the first from the other end. */
function position(name: string): Rule {
  return (n) => {
    const axis = n.axis(0);
    const options = `axis=${axis}, keepdims=${n.flag("keepdims", 1)}`;
    return n.flag("select_last_index")
      ? `${(n.shape()[axis] ?? 0) - 1} - ${name}(reverse(${n.in(0)}, axis=${axis}), ${options})`
      : `${name}(${n.in(0)}, ${options})`;
  };
}

function running(name: string): Rule {
  return (n) =>
    `${name}(${n.in(0)}, axis=${n.numbers(1)[0]}, reverse=${n.flag("reverse")}, exclusive=${n.flag("exclusive")})`;
}

export const along: Rules = {
  ReduceSum: reduced("sum"),
  ReduceMean: reduced("mean"),
  ReduceProd: reduced("prod"),
  ReduceMax: extreme("any", "max", "-inf"),
  ReduceMin: extreme("all", "min", "inf"),
  ReduceL1: reduced("l1_norm"),
  ReduceL2: reduced("l2_norm"),
  ReduceLogSum: reduction((x, options) => `log(sum(${x}, ${options}))`),
  ReduceLogSumExp: reduced("logsumexp"),
  ReduceSumSquare: reduction((x, options) => `sum(${x} * ${x}, ${options})`),
  ArgMax: position("argmax"),
  ArgMin: position("argmin"),
  CumSum: running("cumsum"),
  CumProd: running("cumprod"),
  TopK: (n) => ({
    call: `extremes(${n.in(0)}, ${n.numbers(1)[0]}, ${n.axis(-1)}, ${n.flag("largest", 1)})`,
    outputs: 2,
  }),
};
