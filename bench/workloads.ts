import type { Backend } from "../compiler/backends/backend.js";
import { contractionName, contractions, measureContractions } from "./contractions.js";
import { convnetOperations, measureConvnet } from "./convnet.js";
import { elementCounts, measureElementwise } from "./elementwise.js";
import type { Timing } from "./measure.js";
import { measureRecurrent, recurrentOperations } from "./recurrent.js";
import { measureForward, measureTraining, stepOperations } from "./training.js";

/** What is measured: the schedule of `make bench`, as data. */
export interface Workload {
  /** As the peers call it. */
  readonly name: string;
  readonly rows: readonly Row[];
  /** A time for each row, in their order. */
  readonly measure: (backend: Backend) => Promise<readonly Measured[]>;
  /** It has no meaning, or no end, without native code. */
  readonly native?: true;
}

export interface Measured extends Timing {
  /** Seconds until the code was ready, where that is told. */
  readonly compile?: number;
}

export interface Row {
  readonly name: string;
  /** How a figure is shown: the time, or the operations a second. */
  readonly shown: "time" | "rate";
  /** In seconds. */
  readonly goal?: number | "PyTorch's";
  /** Multiplications and additions, for the floor at the machine's peak; undefined where the work is something else. */
  readonly operations?: number;
  /** The peers' line of the same work, and how many of ours its time holds. */
  readonly peer?: { readonly name: string; readonly holds: number };
}

const time = (name: string, rest: Omit<Row, "name" | "shown">): Row => ({ name, shown: "time", ...rest });
const peer = (name: string, holds = 1): NonNullable<Row["peer"]> => ({ name, holds });

/** Steps of an epoch of 60,000 rows in batches of 32, which is what the peers time. */
const peerEpoch = 1875;

export const workloads: readonly Workload[] = [
  {
    name: "W1",
    rows: [
      time("linear_regression, a step of 8", {
        goal: 0.1 / 2_500_001,
        operations: stepOperations.linear,
        peer: peer("W1 linreg step"),
      }),
    ],
    measure: () => measureTraining("linear_regression", {}),
  },
  {
    name: "W2",
    rows: [
      time("mnist_softmax, a step of 100", {
        goal: 0.06 / 1000,
        operations: stepOperations.softmax,
        peer: peer("W2 softmax step"),
      }),
    ],
    measure: () => measureTraining("mnist_softmax", {}),
  },
  {
    name: "W3",
    rows: [
      time("mnist_dnn, a step of 32", {
        goal: 0.5 / 1718,
        operations: stepOperations.dnn,
        peer: peer("W3 dnn epoch", peerEpoch),
      }),
      time("mnist_dnn, forward of 1", { operations: stepOperations.dnnForward, peer: peer("W3 dnn forward b1") }),
      time("mnist_dnn, forward of 1024", {
        operations: 1024 * stepOperations.dnnForward,
        peer: peer("W3 dnn forward b1024"),
      }),
    ],
    measure: async () => [...(await measureTraining("mnist_dnn", { steps: 1718 })), ...(await measureForward())],
  },
  {
    name: "W4",
    rows: [
      time("convnet, a training step of 64", {
        goal: "PyTorch's",
        operations: convnetOperations.step,
        peer: peer("W4 lenet train step"),
      }),
      time("convnet, forward", {
        goal: "PyTorch's",
        operations: convnetOperations.forward,
        peer: peer("W4 lenet forward"),
      }),
    ],
    measure: () => measureConvnet(),
  },
  {
    name: "W6",
    rows: [
      time("LSTM, a training step of 32 x 64", {
        goal: "PyTorch's",
        operations: recurrentOperations.step,
        peer: peer("W6 lstm train step"),
      }),
      time("LSTM, forward", {
        goal: "PyTorch's",
        operations: recurrentOperations.forward,
        peer: peer("W6 lstm forward"),
      }),
    ],
    measure: () => measureRecurrent(),
  },
  {
    name: "W8",
    rows: [
      time("chain of 1M, an element", { goal: 1e-9, peer: peer("W8 chain 1M", elementCounts.chain) }),
      time("chain of 16M, an element", { goal: 2e-9, peer: peer("W8 chain 16M", elementCounts.longChain) }),
      time("softmax 4096 x 1024, an element", { goal: 1e-9, peer: peer("W8 softmax 4096x1024", elementCounts.rows) }),
      time("layer norm 4096 x 1024, an element", {
        goal: 1e-9,
        peer: peer("W8 layernorm 4096x1024", elementCounts.rows),
      }),
    ],
    measure: () => measureElementwise(),
  },
  {
    name: "W7",
    rows: contractions.map((shape) => ({
      name: contractionName(shape),
      shown: "rate",
      operations: 2 * shape.m * shape.k * shape.n,
      ...(shape.peer === undefined ? {} : { peer: { name: shape.peer, holds: 1 } }),
    })),
    measure: measureContractions,
    native: true,
  },
];
