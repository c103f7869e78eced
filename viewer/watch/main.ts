import { element, part } from "../page/dom.js";
import type { WatchAction, WatchSample, WatchState, WatchStatus } from "../watch_messages.js";
import { drawChart, short } from "./chart.js";

const words: Readonly<Record<WatchStatus, string>> = {
  preparing: "preparing",
  running: "running",
  paused: "paused",
  stopping: "stopping",
  done: "done",
  early: "ended early, without improvement",
  interrupted: "stopped",
  failed: "failed",
};
const goesOn: ReadonlySet<WatchStatus> = new Set(["preparing", "running", "paused", "stopping"]);

const pause = part("pause", HTMLButtonElement);
const stop = part("stop", HTMLButtonElement);
const save = part("save", HTMLButtonElement);
const logarithmic = part("logarithmic", HTMLInputElement);
const charts = part("charts", HTMLElement);
const figures = new Map<
  string,
  { readonly figure: HTMLElement; readonly svg: SVGSVGElement; readonly last: HTMLElement }
>();
let state: WatchState | undefined;

const events = new EventSource("events");
events.addEventListener("message", ({ data }: MessageEvent<string>) => {
  state = JSON.parse(data) as WatchState;
  show(state);
});
events.addEventListener("error", () => {
  if (state !== undefined && !goesOn.has(state.status)) events.close();
  else part("status", HTMLElement).textContent = "not connected: has the training ended?";
});
pause.addEventListener("click", () => act(state?.status === "paused" ? "resume" : "pause"));
stop.addEventListener("click", () => act("stop"));
save.addEventListener("click", () => act("save"));
logarithmic.addEventListener("change", () => {
  if (state !== undefined) show(state);
});

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
  const rate = now.stepsPerSecond === null ? "" : ` · ${short(Number(now.stepsPerSecond.toPrecision(3)))} steps/s`;
  const target = now.target === "" ? "" : ` · ${now.target}`;
  part("numbers", HTMLElement).textContent =
    `step ${now.step.toLocaleString("en")} of ${now.steps.toLocaleString("en")} · ${now.seconds.toFixed(1)} s${rate}${target}`;
  part("progress", HTMLProgressElement).value = now.steps > 0 ? now.step / now.steps : 0;
  const active = goesOn.has(now.status) && now.status !== "stopping";
  pause.textContent = now.status === "paused" ? "Resume" : "Pause";
  pause.disabled = !active;
  stop.disabled = !active;
  save.disabled = !active || !now.canSave;
  save.title = now.canSave ? "" : "start with --save PATH, so that there is a place";
  tell(now.message);
  showCharts(now);
  showSamples(now);
}

function showCharts(now: WatchState): void {
  const names = new Set([...now.training, ...now.validation].flatMap(({ metrics }) => Object.keys(metrics)));
  for (const name of names) {
    const known = figures.get(name);
    const { svg, last } = known ?? newFigure(name);
    drawChart(svg, name, now, logarithmic.checked);
    const latest = now.training.findLast(({ metrics }) => Object.hasOwn(metrics, name))?.metrics[name];
    const validated = now.validation.findLast(({ metrics }) => Object.hasOwn(metrics, name))?.metrics[name];
    last.replaceChildren(
      element("span", {}, latest === undefined ? "" : valueText(latest)),
      element(
        "span",
        { class: "validation-text" },
        validated === undefined ? "" : `  validation ${valueText(validated)}`,
      ),
    );
  }
}

function valueText(value: number | null): string {
  return value === null ? "not finite" : short(value);
}

function newFigure(name: string) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const last = element("span", {});
  const figure = element("figure", {}, element("figcaption", {}, name, last), svg);
  charts.append(figure);
  const made = { figure, svg, last };
  figures.set(name, made);
  return made;
}

function showSamples({ signature, samples }: WatchState): void {
  const section = part("predictions", HTMLElement);
  section.hidden = samples.length === 0;
  part("signature", HTMLElement).textContent = signature;
  part("samples", HTMLElement).replaceChildren(...samples.map(sampleElement));
}

function sampleElement({ image, inputs, outputs }: WatchSample): HTMLElement {
  const list = element("dl", {});
  for (const { name, text } of inputs) list.append(element("dt", {}, name), element("dd", {}, text));
  for (const { name, text } of outputs) list.append(element("dt", {}, name), element("dd", { class: "output" }, text));
  const picture = image === null ? undefined : element("img", { attributes: { src: image, alt: "an input" } });
  return element("div", { class: "sample" }, picture, list);
}
