/** The table of `make bench`: figures in columns, and below it why some are not there. */
import type { Timing } from "./measure.js";
import type { PeerLine, PeerResult } from "./peer_lines.js";
import type { Measured, Row } from "./workloads.js";

const nameWidth = 41;
const least = 10;

/** A time in three significant digits: `42.1 ns`, `60.0 us`, `3.20 ms`, `1.20 s`. */
export function timeText(seconds: number): string {
  if (!Number.isFinite(seconds)) return "-";
  for (const [unit, factor] of [
    ["ns", 1e9],
    ["us", 1e6],
    ["ms", 1e3],
  ] as const) {
    const value = seconds * factor;
    if (value < 999.5) return `${value < 0.01 ? value.toFixed(3) : digits(value)} ${unit}`;
  }
  return `${digits(seconds)} s`;
}

function digits(value: number): string {
  return value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

/** A time or a rate, with `~` where other processes had the core. */
function figure(row: Row, { seconds, contended }: Timing): string {
  const text =
    row.shown === "rate" ? `${digits((row.operations ?? Number.NaN) / seconds / 1e9)} GF/s` : timeText(seconds);
  return contended ? `${text}~` : text;
}

/** The titles of the columns behind the name. */
export function titlesOf(peers: readonly string[]): readonly string[] {
  const ratio = peers.length === 0 ? [] : ["graphc/best"];
  return ["graphc", "goal", "floor at peak", "compile", ...peers, ...ratio];
}

/** A line of the table, its cells below their titles. */
export function tableLine(name: string, cells: readonly string[], titles: readonly string[]): string {
  const padded = cells.map((cell, i) => `  ${cell.padStart(Math.max(least, titles[i]?.length ?? 0))}`);
  return `${name.padEnd(nameWidth)}${padded.join("")}`.trimEnd();
}

/** What is said of one peer and one row: its line's result, or undefined where it has none. */
export function resultFor(row: Row, lines: readonly PeerLine[]): PeerResult | undefined {
  if (row.peer === undefined) return undefined;
  const { name, holds } = row.peer;
  const whole = name.split(" ", 1)[0];
  const found = lines.find((one) => one.name === name) ?? lines.find((one) => one.name === whole);
  if (found === undefined || found.result.kind !== "time") return found?.result;
  return { ...found.result, seconds: found.result.seconds / holds };
}

/** A row's own figures, then each peer's, then how much of the best peer's time graphc takes. */
export function rowCells(
  row: Row,
  measured: Measured,
  peak: number,
  results: readonly (PeerResult | undefined)[],
): readonly string[] {
  const goal = row.goal === undefined ? "" : typeof row.goal === "number" ? timeText(row.goal) : row.goal;
  const floor = row.operations === undefined ? "" : floorText(row, row.operations, peak);
  const compile = measured.compile === undefined ? "" : timeText(measured.compile);
  const times = results.flatMap((result) => (result?.kind === "time" ? [result.seconds] : []));
  const ratio = times.length === 0 ? "" : ratioText(measured.seconds / Math.min(...times));
  const cells = [figure(row, measured), goal, floor, compile, ...results.map((result) => peerCell(row, result))];
  return results.length === 0 ? cells : [...cells, ratio];
}

function ratioText(ratio: number): string {
  return ratio < 0.0995 ? String(Number(ratio.toPrecision(2))) : digits(ratio);
}

function floorText(row: Row, operations: number, peak: number): string {
  return row.shown === "rate" ? `${digits(peak)} GF/s` : timeText(operations / (peak * 1e9));
}

function peerCell(row: Row, result: PeerResult | undefined): string {
  if (result === undefined) return "";
  switch (result.kind) {
    case "time":
      return figure(row, result);
    case "wrong":
      return "wrong";
    case "failed":
      return "-";
  }
}

/** A remark for each cell that has no time though the peer was run; one for a workload that failed as a whole. */
export function remarks(title: string, rows: readonly Row[], lines: readonly PeerLine[]): readonly string[] {
  const texts = rows.flatMap((row) => {
    const result = resultFor(row, lines);
    if (result === undefined || result.kind === "time") return [];
    const { detail } = result;
    const failed = result.kind === "failed" && lines.every(({ name }) => name !== row.peer?.name);
    const [workload] = row.peer?.name.split(" ", 1) ?? [];
    return [`${title}, ${failed ? workload : row.name}: ${detail}`];
  });
  return [...new Set(texts)];
}
