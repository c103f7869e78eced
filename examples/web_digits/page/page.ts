/** The page: reads what is drawn with a session of the trained weights, and trains a new session from scratch. */

import { drawLosses, type Loss } from "./chart.js";
import { Pad } from "./pad.js";
import { type DeviceProbe, deviceNames, open, probeDevices, type Tensor } from "./web_digits.js";

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
const resumeButton = element("resume", HTMLButtonElement);
const reader = element("reader", HTMLElement);
const deviceText = element("device", HTMLElement);
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

// Whatever goes wrong, also while the page starts, is told in it.
addEventListener("error", ({ error }) => {
  if (trainButton.disabled && stopButton.disabled) deviceText.textContent = state.textContent = "";
  tell(error);
});
addEventListener("unhandledrejection", ({ reason }) => tell(reason));

if (wish !== null && device === undefined)
  throw new Error(`there is no device ${wish}: take ${deviceNames.join(", ")}`);
let session = await open({ device });
deviceText.textContent = `Computed by ${session.program.backend.device}.${await whyNoGpu()}`;

/** Where the processor computes though nobody asked for that: why no GPU does. */
async function whyNoGpu(): Promise<string> {
  const inUse = session.program.backend.device;
  if (device !== undefined || !/^(webasm|cpu) /.test(inUse)) return "";
  const isPassedOver = ({ name, available }: DeviceProbe): boolean => name.startsWith("web") && !available;
  const reasons = (await probeDevices()).filter(isPassedOver).map(({ name, reason }) => `${name}: ${reason}`);
  return ` No GPU is used (${reasons.join("; ")}).`;
}

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
  console.error(error);
  problem.hidden = false;
  problem.textContent = error instanceof Error ? error.message : String(error);
}

/** Rows of an IDX file of bytes. Some servers send a .gz as what is in it, and the browser has unpacked it then. */
async function bytesOf(name: string, rank: number): Promise<Uint8Array> {
  const response = await fetch(name);
  if (!response.ok) throw new Error(`${name} cannot be loaded: the server says ${response.status}`);
  const sent = await response.blob();
  const [first, second] = new Uint8Array(await sent.slice(0, 2).arrayBuffer());
  const isPacked = first === 0x1f && second === 0x8b;
  const unpacked = isPacked ? new Response(sent.stream().pipeThrough(new DecompressionStream("gzip"))) : sent;
  return new Uint8Array(await unpacked.arrayBuffer()).subarray(4 + 4 * rank);
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
let losses: Loss[] = [];
drawLosses(chart, losses);
addEventListener("resize", () => drawLosses(chart, losses));

let stop = new AbortController();
stopButton.addEventListener("click", () => stop.abort());
trainButton.addEventListener("click", () => begin(startOver));
resumeButton.addEventListener("click", () => begin(async () => {}));

/** Trains after `ready`, until Stop; what went wrong before is past. */
function begin(ready: () => Promise<void>): void {
  problem.hidden = true;
  trainButton.disabled = true;
  resumeButton.disabled = true;
  stopButton.disabled = false;
  stop = new AbortController();
  ready()
    .then(train)
    .catch(tell)
    .finally(() => {
      trainButton.disabled = false;
      resumeButton.disabled = losses.length === 0;
      stopButton.disabled = true;
    });
}

/** A new session, from the variables' first values. */
async function startOver(): Promise<void> {
  const former = session;
  session = await open({ device, fresh: true, seed: Math.floor(Math.random() * 2 ** 31) });
  losses = [];
  await former.close();
}

/** From where the session is, until Stop: what is drawn is read by the network as it is then. */
async function train(): Promise<void> {
  for (let accuracy = 0; !stop.signal.aborted; ) {
    await session.train({
      data: training,
      steps: session.step + sliceSteps,
      every: 2,
      signal: stop.signal,
      onReport: ({ step, metrics }) => {
        const loss = metrics["metrics.loss"] ?? Number.NaN;
        losses.push({ step, loss });
        drawLosses(chart, losses);
        const shown = `step ${step} · loss ${loss.toFixed(3)}`;
        state.textContent =
          accuracy === 0 ? shown : `${shown} · ${(100 * accuracy).toFixed(1)} % of unseen digits right`;
      },
    });
    const { "metrics.accuracy": found } = await session.run("evaluate", held);
    accuracy = Number(found.data[0]);
    reader.textContent = `Read with what is learnt here, after ${session.step} steps.`;
    read();
    // Small slices end before anything has given the page its turn.
    await nextTurn();
  }
}

/** A turn for the page to draw and to answer. Frames and timers would stop, or slow, the training of a page that nobody sees. */
function nextTurn(): Promise<unknown> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = resolve;
    port2.postMessage(undefined);
  });
}
