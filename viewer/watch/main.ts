import { element, part } from "../page/dom.js";
import { clockText, weightText } from "../watch_curves.js";
import {
  updated,
  type WatchAction,
  type WatchSample,
  type WatchState,
  type WatchStatus,
  type WatchUpdate,
} from "../watch_messages.js";
import { Chart } from "./chart.js";
import type { Zoom } from "./plot.js";
import { readSettings, type Settings, writeSettings } from "./settings.js";

const words: Readonly<Record<WatchStatus, string>> = {
  preparing: "preparing",
  running: "running",
  pausing: "pausing",
  paused: "paused",
  stopping: "stopping",
  done: "done",
  early: "ended early, without improvement",
  interrupted: "stopped",
  failed: "failed",
};
const goesOn: ReadonlySet<WatchStatus> = new Set(["preparing", "running", "pausing", "paused", "stopping"]);

const pause = part("pause", HTMLButtonElement);
const stop = part("stop", HTMLButtonElement);
const save = part("save", HTMLButtonElement);
const smoothing = part("smoothing", HTMLInputElement);
const axis = part("axis", HTMLSelectElement);
const all = part("all", HTMLButtonElement);
const charts = new Map<string, Chart>();
let settings = readSettings();
let zoom: Zoom | undefined;
let state: WatchState | undefined;
let isConnected = false;

const events = new EventSource("events");
events.addEventListener("open", () => {
  isConnected = true;
});
events.addEventListener("message", ({ data }: MessageEvent<string>) => {
  state = updated(state, JSON.parse(data) as WatchUpdate);
  show(state);
});
events.addEventListener("error", () => {
  isConnected = false;
  if (state !== undefined && !goesOn.has(state.status)) events.close();
  else part("status", HTMLElement).textContent = "not connected";
  showButtons();
});
pause.addEventListener("click", () => act(isHeld() ? "resume" : "pause"));
stop.addEventListener("click", () => act("stop"));
save.addEventListener("click", () => act("save"));
smoothing.addEventListener("input", () => change({ smoothing: smoothing.valueAsNumber }));
axis.addEventListener("change", () => {
  // A part of the steps is no part of the time.
  zoom = undefined;
  change({ axis: axis.value === "time" ? "time" : "step" });
});
all.addEventListener("click", () => setZoom(undefined));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const chart of charts.values()) chart.repaint();
});
showSettings();

const host = {
  settings: () => settings,
  zoom: () => zoom,
  setZoom,
  toggleLogarithmic: (name: string) => {
    const { logarithmic } = settings;
    change({
      logarithmic: logarithmic.includes(name) ? logarithmic.filter((one) => one !== name) : [...logarithmic, name],
    });
  },
};

function change(part: Partial<Settings>): void {
  settings = { ...settings, ...part };
  writeSettings(settings);
  showSettings();
  for (const chart of charts.values()) chart.draw();
}

function setZoom(to: Zoom | undefined): void {
  zoom = to;
  showSettings();
  for (const chart of charts.values()) chart.draw();
}

function showSettings(): void {
  smoothing.valueAsNumber = settings.smoothing;
  part("weight", HTMLOutputElement).textContent = weightText(settings.smoothing);
  axis.value = settings.axis;
  all.disabled = zoom === undefined;
}

function act(action: WatchAction): void {
  fetch(action, { method: "POST" }).then(
    async (response) => {
      if (!response.ok) tell(await response.text());
    },
    () => tell("the training does not answer"),
  );
}

function tell(text: string): void {
  const message = part("message", HTMLElement);
  message.textContent = text;
  message.hidden = text === "";
}

function show(now: WatchState): void {
  document.title = `${now.name} · graphc train`;
  part("name", HTMLElement).textContent = now.name;
  part("status", HTMLElement).textContent = words[now.status];
  const { stepsPerSecond: rate } = now;
  const left = rate !== null && rate > 0 && goesOn.has(now.status) ? (now.steps - now.step) / rate : undefined;
  part("numbers", HTMLElement).textContent = [
    `step ${now.step.toLocaleString("en")} of ${now.steps.toLocaleString("en")}`,
    `${clockText(now.seconds)} of steps`,
    ...(rate === null ? [] : [`${Number(rate.toPrecision(3)).toLocaleString("en")} steps/s`]),
    ...(left === undefined || left > 360_000 ? [] : [`${clockText(left)} left`]),
    ...(now.target === "" ? [] : [now.target]),
  ].join(" · ");
  part("progress", HTMLProgressElement).value = now.steps > 0 ? now.step / now.steps : 0;
  showButtons();
  tell(now.message);
  showCharts(now);
  showSamples(now);
}

/** A button that cannot be pressed says why. */
function showButtons(): void {
  const reason = whyNot();
  pause.textContent = isHeld() ? "Resume" : "Pause";
  for (const button of [pause, stop]) {
    button.disabled = reason !== "";
    button.title = reason;
  }
  const place = state?.canSave === true ? "" : "Save needs a place: start with --save PATH";
  save.disabled = reason !== "" || place !== "";
  save.title = reason === "" ? place : reason;
  part("reason", HTMLElement).textContent = reason === "" ? place : reason;
}

function isHeld(): boolean {
  return state?.status === "pausing" || state?.status === "paused";
}

function whyNot(): string {
  if (state === undefined) return isConnected ? "" : "waiting for the training";
  if (!goesOn.has(state.status) && isConnected) return "The training has ended.";
  if (!goesOn.has(state.status))
    return "The training has ended, and its server with it: this page keeps what it shows, and a reload would find nothing.";
  if (!isConnected) return "The training does not answer: it may have ended. This page goes on trying.";
  if (state.status === "stopping") return "It ends after the step that it is in.";
  return state.status === "preparing" ? "It has not begun." : "";
}

function showCharts(now: WatchState): void {
  const names = new Set(now.curves.map(({ name, kind }) => chartName(name, kind)));
  for (const name of names) {
    let chart = charts.get(name);
    if (chart === undefined) {
      chart = new Chart(name, host);
      charts.set(name, chart);
      // The rate stands last, whenever the others come.
      const rate = charts.get(rateChart)?.figure;
      if (rate !== undefined && name !== rateChart) rate.before(chart.figure);
      else part("charts", HTMLElement).append(chart.figure);
    }
    chart.update(now.curves.filter((curve) => chartName(curve.name, curve.kind) === name));
  }
  part("controls", HTMLElement).hidden = names.size === 0;
}

const rateChart = "steps/s";

/** A metric that is called as the rate is would stand in its chart. */
function chartName(name: string, kind: string): string {
  return kind !== "rate" && name === rateChart ? `${name} (metric)` : name;
}

function showSamples({ signature, samplesStep, samples }: WatchState): void {
  const section = part("predictions", HTMLElement);
  section.hidden = samples.length === 0;
  part("signature", HTMLElement).textContent = signature;
  part("predicted", HTMLElement).textContent = `, at step ${samplesStep.toLocaleString("en")}`;
  part("samples", HTMLElement).replaceChildren(...samples.map(sampleElement));
}

function sampleElement({ image, inputs, outputs }: WatchSample): HTMLElement {
  const list = element("dl", {});
  for (const { name, text } of inputs) list.append(element("dt", {}, name), element("dd", {}, text));
  for (const { name, text } of outputs) list.append(element("dt", {}, name), element("dd", { class: "output" }, text));
  const picture = image === null ? undefined : element("img", { attributes: { src: image, alt: "an input" } });
  return element("div", { class: "sample" }, picture, list);
}
