/** GRAPHC_DEBUG, the one dial: 1 shows times, 2 also the passes that changed something, 3 also the forms. */
export function debugLevel(): number {
  const level = Number.parseInt(process.env["GRAPHC_DEBUG"] ?? "", 10);
  return Number.isNaN(level) ? 0 : Math.min(5, Math.max(0, level));
}
