export interface Loss {
  readonly step: number;
  readonly loss: number;
}

const [height, left, right, bottom, top] = [220, 44, 8, 26, 22];

/** The losses as a curve, from 0 up, as wide as the page has room for. */
export function drawLosses(svg: SVGSVGElement, losses: readonly Loss[]): void {
  const width = Math.max(svg.getBoundingClientRect().width, 200);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const last = Math.max(losses.at(-1)?.step ?? 0, 50);
  const most = Math.ceil(2 * Math.max(...losses.map(({ loss }) => loss), 0.5)) / 2;
  const x = (step: number): number => left + (step / last) * (width - left - right);
  const y = (loss: number): number => height - bottom - (loss / most) * (height - bottom - top);
  const rule = [0, 0.5, 1].map(
    (part) =>
      `<line x1="${left}" x2="${width - right}" y1="${y(part * most)}" y2="${y(part * most)}"/>` +
      `<text x="${left - 6}" y="${y(part * most) + 4}" text-anchor="end">${(part * most).toFixed(2)}</text>`,
  );
  const points = losses.map(({ step, loss }, i) => `${i === 0 ? "M" : "L"}${x(step).toFixed(1)} ${y(loss).toFixed(1)}`);
  svg.innerHTML =
    `${rule.join("")}<text x="${left}" y="12">loss</text><text x="${left}" y="${height - 6}">step 0</text>` +
    `<text x="${width - right}" y="${height - 6}" text-anchor="end">${last}</text><path d="${points.join("")}"/>`;
}
