/** The page: reads what is drawn with a session of the trained weights, and trains a new session from scratch. */

import { drawLosses } from "./chart.js";
import { Pad } from "./pad.js";
import { deviceNames, open, type Tensor } from "./web_digits.js";

/** Steps between two looks at the page: predictions are asked for in between. */
const sliceSteps = 20;

const element = <T extends Element>(id: string, kind: new () => T): T => {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${id}`);
};

const problem = element("problem", HTMLElement);
const state = element("state", HTMLElement);
const trainButton = element("train", HTMLButtonElement);
const stopButton = element("stop", HTMLButtonElement);
const chart = element("chart", SVGSVGElement);
const digit = element("digit", HTMLOutputElement);

const bars = Array.from({ length: 10 }, (_, i) => {
  const item = document.createElement("li");
  const meter = document.createElement("meter");
  const percent = document.createElement("span");
  item.append(String(i), meter, percent);
  element("bars", HTMLOListElement).append(item);
  return { meter, percent };
});

/** `?device=webasm` in the address asks for one; see `graphc build`. */
const wish = new URLSearchParams(location.search).get("device");
const device = deviceNames.find((name) => name === wish);

let session = await open({ device });
element("device", HTMLElement).textContent = `Computed by ${session.program.backend.device}.`;

function show(probabilities: ArrayLike<number>): void {
  let best = 0;
  for (const [i, { meter, percent }] of bars.entries()) {
    const value = probabilities[i] ?? 0;
    meter.value = value;
    percent.textContent = `${(100 * value).toFixed(1)} %`;
    if (value > (probabilities[best] ?? 0)) best = i;
  }
  digit.textContent = probabilities.length === 0 ? "–" : String(best);
}

let reading = false;
let changed = false;

/** One prediction at a time, and always one of the newest picture. */
function read(): void {
  changed = true;
  if (reading) return;
  reading = true;
  readNewest()
    .catch(tell)
    .finally(() => {
      reading = false;
    });
}

async function readNewest(): Promise<void> {
  while (changed) {
    changed = false;
    const image = pad.image();
    if (image === undefined) {
      show([]);
      continue;
    }
    const { probs } = await session.run("predict", { image: { dtype: "u8", shape: [1, 28, 28], data: image } });
    show(probs.data);
  }
}

const pad = new Pad(element("pad", HTMLCanvasElement), element("seen", HTMLCanvasElement), read);
element("clear", HTMLButtonElement).addEventListener("click", () => pad.clear());
show([]);

function tell(error: unknown): void {
  problem.hidden = false;
  problem.textContent = error instanceof Error ? error.message : String(error);
}

/** Rows of an IDX file of bytes, as the server has it or unpacked already. */
async function bytesOf(name: string, rank: number): Promise<Uint8Array> {
  const response = await fetch(name);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  const unpacked = response.body?.pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(unpacked).arrayBuffer()).subarray(4 + 4 * rank);
}

async function digits(name: string): Promise<{ readonly image: Tensor; readonly label: Tensor }> {
  const [image, label] = await Promise.all([bytesOf(`${name}-images.idx.gz`, 3), bytesOf(`${name}-labels.idx.gz`, 1)]);
  return {
    image: { dtype: "u8", shape: [label.length, 28, 28], data: image },
    label: { dtype: "u8", shape: [label.length], data: label },
  };
}
const [training, held] = await Promise.all([digits("train"), digits("test")]);
state.textContent = `${training.label.shape[0]} digits to learn from.`;
trainButton.disabled = false;
drawLosses(chart, []);

let stop = new AbortController();
stopButton.addEventListener("click", () => stop.abort());
trainButton.addEventListener("click", () => {
  trainButton.disabled = true;
  stopButton.disabled = false;
  stop = new AbortController();
  train()
    .catch(tell)
    .finally(() => {
      trainButton.disabled = false;
      stopButton.disabled = true;
    });
});

/** From the first values on, until Stop: what is drawn is read by the network as it is then. */
async function train(): Promise<void> {
  const losses: { step: number; loss: number }[] = [];
  const former = session;
  session = await open({ device, fresh: true, seed: Math.floor(Math.random() * 2 ** 31) });
  await former.close();
  for (let accuracy = 0; !stop.signal.aborted; ) {
    await session.train({
      data: training,
      steps: session.step + sliceSteps,
      every: 2,
      signal: stop.signal,
      onReport: ({ step, metrics }) => {
        losses.push({ step, loss: metrics["metrics.loss"] ?? Number.NaN });
        drawLosses(chart, losses);
        const shown = `step ${step} · loss ${losses.at(-1)?.loss.toFixed(3)}`;
        state.textContent =
          accuracy === 0 ? shown : `${shown} · ${(100 * accuracy).toFixed(1)} % of unseen digits right`;
      },
    });
    const { "metrics.accuracy": found } = await session.run("evaluate", held);
    accuracy = Number(found.data[0]);
    read();
    // Small slices end before anything has given the page its turn.
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
}
