export interface Loss {
  readonly step: number;
  readonly loss: number;
}

const [width, height, left, bottom, top] = [640, 220, 44, 26, 10];

/** The losses as a curve, from 0 up. */
export function drawLosses(svg: SVGSVGElement, losses: readonly Loss[]): void {
  const last = Math.max(losses.at(-1)?.step ?? 0, 50);
  const most = Math.max(...losses.map(({ loss }) => loss), 0.5);
  const x = (step: number): number => left + (step / last) * (width - left - 8);
  const y = (loss: number): number => height - bottom - (loss / most) * (height - bottom - top);
  const rule = [0, 0.5, 1].map(
    (part) =>
      `<line x1="${left}" x2="${width - 8}" y1="${y(part * most)}" y2="${y(part * most)}"/>` +
      `<text x="${left - 6}" y="${y(part * most) + 4}" text-anchor="end">${(part * most).toFixed(2)}</text>`,
  );
  const points = losses.map(({ step, loss }, i) => `${i === 0 ? "M" : "L"}${x(step).toFixed(1)} ${y(loss).toFixed(1)}`);
  svg.innerHTML =
    `${rule.join("")}<text x="${left}" y="${height - 6}">step 0</text>` +
    `<text x="${width - 8}" y="${height - 6}" text-anchor="end">${last}</text><path d="${points.join("")}"/>`;
}
