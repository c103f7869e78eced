/** What peers' benchmarks print: JSON lines, among others that are passed over. */

/** What became of one line's work. */
export type PeerResult =
  | { readonly kind: "time"; readonly seconds: number; readonly contended: boolean }
  | { readonly kind: "wrong"; readonly detail: string }
  | { readonly kind: "failed"; readonly detail: string };

export interface PeerLine {
  /** Of the work, as `W4 lenet forward`; a whole workload, as `W4`, where that failed. */
  readonly name: string;
  readonly result: PeerResult;
}

/** The lines that are JSON objects with a name, and a time or an error. */
export function parsePeerLines(text: string): readonly PeerLine[] {
  return text.split("\n").flatMap((line) => {
    const value = jsonObject(line);
    if (value === undefined) return [];
    const { name } = value;
    const result = resultOf(value);
    return typeof name === "string" && result !== undefined ? [{ name, result }] : [];
  });
}

function jsonObject(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.trimStart().startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** A wrong result makes its time worthless, so that is told instead. */
function resultOf(line: Readonly<Record<string, unknown>>): PeerResult | undefined {
  const { error, ok, median_us: microseconds, contended } = line;
  if (typeof error === "string") return { kind: "failed", detail: oneLine(error) };
  if (microseconds === undefined) return undefined;
  if (ok === false) return { kind: "wrong", detail: difference(line) };
  if (typeof microseconds !== "number" || !(microseconds > 0) || !Number.isFinite(microseconds)) {
    return { kind: "failed", detail: `its median_us is ${JSON.stringify(microseconds)}` };
  }
  return { kind: "time", seconds: microseconds / 1e6, contended: contended === true };
}

function difference({ value, ref, accuracy }: Readonly<Record<string, unknown>>): string {
  if (typeof value === "number" && typeof ref === "number") return `it computed ${value} where ${ref} is right`;
  return typeof accuracy === "number" ? `its accuracy is ${accuracy}` : "its result is wrong";
}

/** At most 120 characters. */
export function oneLine(text: string): string {
  const [line = ""] = text.trim().split("\n");
  return line.length > 120 ? `${line.slice(0, 117)}...` : line;
}
