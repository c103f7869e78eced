/** Recurrent networks and attention. */
import { Unsupported } from "../format.js";
import { list, type Rules, type View } from "../view.js";

/** One direction of a recurrent operator, as a call of its function in operators.graph. */
function recurrent(n: View, name: string, gates: number): { readonly call: string; readonly hidden: number } {
  const direction = n.text("direction", "forward");
  if (direction !== "forward") throw new Unsupported(`direction ${direction}`);
  if (n.node.attributes.has("clip") || n.node.attributes.has("activations")) throw new Unsupported("own activations");
  const batchFirst = n.flag("layout");
  const [first = 0, second = 0] = n.shape();
  const [steps, batch] = batchFirst ? [second, first] : [first, second];
  if (n.has(4) && n.numbers(4).some((length) => length !== steps))
    throw new Unsupported("sequences of unequal lengths");
  const hidden = n.number("hidden_size", 1);
  const zeros = (shape: readonly number[]) => `zeros(${list(shape)}, dtype=${n.dtype()})`;
  const state = (i: number) => {
    if (!n.has(i)) return zeros([batch, hidden]);
    return batchFirst ? `${n.in(i)}[:, 0]` : `${n.in(i)}[0]`;
  };
  const x = batchFirst ? `swap_axes(${n.in(0)}, 0, 1)` : n.in(0);
  const bias = n.has(3) ? `${n.in(3)}[0]` : zeros([2 * gates * hidden]);
  const operands = [x, `${n.in(1)}[0]`, `${n.in(2)}[0]`, bias, state(5)];
  if (name === "lstm") operands.push(state(6), n.has(7) ? `${n.in(7)}[0]` : zeros([3 * hidden]));
  if (name === "gru") operands.push(String(n.flag("linear_before_reset")));
  return { call: `${name}(${operands.join(", ")}, batch_first=${batchFirst})`, hidden };
}

/** [B, S, H * D] as [B, H, S, D]. */
function heads(n: View, input: number, count: number): string {
  if (n.rank(input) === 4) return n.in(input);
  const [batch = 0, length = 0, width = 0] = n.shape(input);
  return `transpose(reshape(${n.in(input)}, ${list([batch, length, count, width / count])}), [0, 2, 1, 3])`;
}

interface Sizes {
  readonly batch: number;
  readonly query: number;
  readonly past: number;
  readonly total: number;
}

/** What is added to the products: 0 or -inf where a mask, the order or the padding says so. */
function bias(n: View, { batch, query, past, total }: Sizes): string {
  const square = list([query, total]);
  const terms: string[] = [];
  if (n.has(3)) {
    const mask = n.dtype(3) === "bool" ? `select(${n.in(3)}, cast(0.0, to=${n.dtype()}), -inf)` : n.in(3);
    const missing = total - (n.shape(3).at(-1) ?? total);
    const high = n.shape(3).map((_, axis) => (axis === n.rank(3) - 1 ? missing : 0));
    terms.push(missing === 0 ? mask : `pad(${mask}, high=${list(high)}, value=-inf)`);
  }
  const lengths = n.has(6) ? `reshape(${n.in(6)}, ${list([batch, 1, 1, 1])})` : "";
  const zero = `cast(0.0, to=${n.dtype()})`;
  if (n.flag("is_causal")) {
    const offset = n.has(6) ? `(${lengths} - ${query})` : String(past);
    terms.push(`select(iota(${square}, axis=0) + ${offset} < iota(${square}, axis=1), -inf, ${zero})`);
  }
  if (n.has(6)) terms.push(`select(iota(${square}, axis=1) < ${lengths}, ${zero}, -inf)`);
  return terms.length === 0 ? `zeros(${square}, dtype=${n.dtype()})` : terms.map((term) => `(${term})`).join(" + ");
}

function attention(n: View): readonly string[] {
  const packed = n.rank() === 3;
  const [queryHeads, keyHeads] = packed
    ? [n.number("q_num_heads", 1), n.number("kv_num_heads", 1)]
    : [n.shape(0)[1] ?? 1, n.shape(1)[1] ?? 1];
  const joined = (fresh: string, past: number) =>
    n.has(past) ? `concatenate([${n.in(past)}, ${fresh}], axis=2)` : fresh;
  const keys = joined(heads(n, 1, keyHeads), 4);
  const values = joined(heads(n, 2, keyHeads), 5);
  const [batch = 0, , query = 0] = packed ? [n.shape()[0], 0, n.shape()[1]] : n.shape();
  const past = n.has(4) ? (n.shape(4)[2] ?? 0) : 0;
  const total = past + ((packed ? n.shape(1)[1] : n.shape(1)[2]) ?? 0);
  const width = packed ? (n.shape()[2] ?? 0) / queryHeads : (n.shape()[3] ?? 0);
  const shared = (x: string) => (queryHeads === keyHeads ? x : `repeat(${x}, ${queryHeads / keyHeads}, axis=1)`);
  const scale = n.real("scale", 1 / Math.sqrt(width));
  const products = `attention_products(${heads(n, 0, queryHeads)}, ${shared(keys)}, ${scale})`;
  const capped = n.number("softcap", 0) === 0 ? products : `softcap(${products}, ${n.real("softcap", 0)})`;
  const added = bias(n, { batch, query, past, total });
  const weights = `attention_weights(${capped}, ${added})`;
  const y = `${weights} @ ${shared(values)}`;
  const stages = [products, capped, `${capped} + ${added}`, weights];
  return [
    packed ? `reshape(transpose(${y}, [0, 2, 1, 3]), ${list([batch, query, -1])})` : y,
    keys,
    values,
    stages[n.number("qk_matmul_output_mode", 0)] ?? products,
  ];
}

/** Rotates pairs of the first elements of each head by angles that depend on the position. */
function rotary(n: View): string {
  const packed = n.rank() === 3;
  const count = packed ? n.number("num_heads", 1) : (n.shape()[1] ?? 1);
  const x = packed ? heads(n, 0, count) : n.in(0);
  const width = packed ? (n.shape()[2] ?? 0) / count : (n.shape()[3] ?? 0);
  const turned = n.number("rotary_embedding_dim", 0) || width;
  const angle = (i: number) => `expand_dims(${n.has(3) ? `gather(${n.in(i)}, ${n.in(3)})` : n.in(i)}, 1)`;
  const name = n.flag("interleaved") ? "rotate_interleaved" : "rotate_halves";
  const rotated = `${name}(${x}[..., 0:${turned}], ${angle(1)}, ${angle(2)})`;
  const whole = turned === width ? rotated : `concatenate([${rotated}, ${x}[..., ${turned}:]], axis=3)`;
  return packed ? `reshape(transpose(${whole}, [0, 2, 1, 3]), ${list(n.shape())})` : whole;
}

export const sequences: Rules = {
  RNN: (n) => ({ call: recurrent(n, "rnn", 1).call, outputs: 2 }),
  GRU: (n) => ({ call: recurrent(n, "gru", 3).call, outputs: 2 }),
  LSTM: (n) => ({ call: recurrent(n, "lstm", 4).call, outputs: 3 }),
  Attention: attention,
  RotaryEmbedding: rotary,
};
