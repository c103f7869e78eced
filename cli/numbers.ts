/** Numbers, sizes and times as people read them. */

/** `1,024`. */
export function countText(count: number | bigint): string {
  return count.toString().replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `1.5 MB`, in powers of 1000. */
export function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(value < 99.95 ? 1 : 0)} ${units[unit]}`;
}

/** `0.042 s`, `12.3 s`, `4 min 05 s`, `2 h 03 min`. */
export function secondsText(seconds: number): string {
  if (seconds < 0.9995) return `${seconds.toFixed(3)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(seconds < 9.995 ? 2 : 1)} s`;
  const whole = Math.round(seconds);
  const two = (part: number): string => String(part).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

/** `850 ns`, `12.5 us`, `3.20 ms`, then as `secondsText`: three significant digits. */
export function durationText(seconds: number): string {
  for (const [unit, factor] of [
    ["ns", 1e9],
    ["us", 1e6],
    ["ms", 1e3],
  ] as const) {
    const value = seconds * factor;
    if (value < 999.5) return `${value < 99.95 && unit !== "ns" ? value.toPrecision(3) : Math.round(value)} ${unit}`;
  }
  return secondsText(seconds);
}

/** A measured value in at most seven significant digits, about what an f32 holds. */
export function metricText(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const text = value.toPrecision(7);
  if (text.includes("e")) return String(Number(text));
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** Steps a second: three significant digits are all that is steady. */
export function rateText(rate: number): string {
  if (!Number.isFinite(rate)) return "-";
  return rate >= 100 ? countText(Number(Math.round(rate).toPrecision(3))) : String(Number(rate.toPrecision(3)));
}

/** "1 file", "2 files". */
export function plural(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? "" : "s"}`;
}
