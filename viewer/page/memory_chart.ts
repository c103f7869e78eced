import type { MemoryModel } from "../model.js";
import { bytesText, element } from "./dom.js";

const namespace = "http://www.w3.org/2000/svg";
const width = 300;
const height = 180;

/** The lives of the temporaries: across when, down where in the arena. */
export function memoryChart(memory: MemoryModel): HTMLElement {
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("class", "memory");
  svg.setAttribute("role", "img");
  const moments = `${memory.moments} ${memory.moments === 1 ? "moment" : "moments"}`;
  svg.setAttribute("aria-label", `the arena of ${bytesText(memory.arenaBytes)} over ${moments}`);
  const across = width / Math.max(1, memory.moments);
  const down = height / Math.max(1, memory.arenaBytes);
  for (const { label, offset, bytes, from, to, type } of memory.buffers) {
    if (offset === undefined) continue;
    const rect = document.createElementNS(namespace, "rect");
    rect.setAttribute("x", String(from * across));
    rect.setAttribute("y", String(offset * down));
    rect.setAttribute("width", String(Math.max(1, (to - from + 1) * across - 0.5)));
    rect.setAttribute("height", String(Math.max(1, bytes * down - 0.5)));
    const title = document.createElementNS(namespace, "title");
    title.textContent = `${label} ${type}: ${bytesText(bytes)} at ${offset}`;
    rect.append(title);
    svg.append(rect);
  }
  const axis = element("p", { class: "hint" }, `${bytesText(memory.arenaBytes)} arena, ${moments}`);
  return element("div", {}, svg, axis);
}
