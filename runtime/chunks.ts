/** JavaScript wakes about so often while the target computes. */
const secondsPerCall = 0.1;

/** How many steps the next call does: aims at `secondsPerCall`, and grows at most eightfold, since the first calls are cold. */
export function nextChunk(chunk: number, seconds: number): number {
  const ideal = seconds > 0 ? Math.floor((chunk * secondsPerCall) / seconds) : chunk * 8;
  return Math.max(1, Math.min(ideal, chunk * 8));
}
