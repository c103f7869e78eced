import { InvalidArgumentError, Option } from "commander";
import { type DeviceName, deviceNames } from "../compiler/backends/gpu/devices/device.js";
import { placeLike } from "../compiler/ir/device.js";

/** Readers of option values. Each throws InvalidArgumentError, which names the option and ends with exit code 2. */

/** A whole number of at least `least`, and at most `most`: `1000`, `1_000`, `1e6`. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = /^\d[\d_]*(e\d+)?$/i.test(text) ? Number(text.replaceAll("_", "")) : Number.NaN;
    if (!Number.isSafeInteger(value) || value < least || value > most) {
      const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}, below 2^53` : `from ${least} to ${most}`;
      throw new InvalidArgumentError(`It is a whole number ${range}.`);
    }
    return value;
  };
}

/** A port that a program may listen on. */
export function portNumber(text: string): number {
  const port = wholeNumber(1)(text);
  if (port > 65_535) throw new InvalidArgumentError("A port is at most 65535.");
  return port;
}

/** A seed: any whole number of 64 bits, signed or not. */
export function seedNumber(text: string): bigint {
  const value = /^-?\d[\d_]{0,40}$/.test(text) ? BigInt(text.replaceAll("_", "")) : undefined;
  if (value === undefined || value < -(2n ** 63n) || value >= 2n ** 64n) {
    throw new InvalidArgumentError("It is a whole number of 64 bits.");
  }
  return value;
}

export type Named = ReadonlyMap<string, string>;

/** Collects `NAME=TEXT` options; a name is given once. `what` says what stands after the `=`. */
export function namedTexts(what: string): (text: string, previous: Named | undefined) => Named {
  return (text, previous) => {
    const at = text.indexOf("=");
    if (at <= 0 || at === text.length - 1) throw new InvalidArgumentError(`It reads NAME=${what}.`);
    const name = text.slice(0, at);
    if (previous?.has(name) === true) throw new InvalidArgumentError(`${JSON.stringify(name)} is given twice.`);
    return new Map([...(previous ?? []), [name, text.slice(at + 1)]]);
  };
}

export type Sizes = ReadonlyMap<string, number>;

/** Collects `--dim N=32`. */
export function namedSizes(text: string, previous: Sizes | undefined): Sizes {
  const [[name, size] = ["", ""]] = [...namedTexts("SIZE")(text, undefined)];
  if (previous?.has(name) === true) throw new InvalidArgumentError(`${JSON.stringify(name)} is given twice.`);
  return new Map([...(previous ?? []), [name, wholeNumber(0)(size)]]);
}

/** Collects names, one an option or several between commas. */
export function nameList(text: string, previous: readonly string[] | undefined): readonly string[] {
  const names = text.split(",").map((name) => name.trim());
  if (names.includes("")) throw new InvalidArgumentError("It is a name, or several between commas.");
  return [...new Set([...(previous ?? []), ...names])];
}

export function pathList(text: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), text];
}

export const targets = ["cpu", "gpu", "reference"] as const;
export type TargetOption = (typeof targets)[number];

export function targetOption(): Option {
  return new Option(
    "--target <name>",
    "cpu is native code, gpu kernels of gpu.js, reference the slow and simple evaluator",
  ).choices(targets);
}

export function deviceOption(
  what = "where these kernels run (webgpu, headlessgl, webasm or cpu), else the first that works",
): Option {
  return new Option("--device <name>", `with --target gpu, or where the file says \`on "gpu"\`: ${what}`).argParser(
    deviceOf,
  );
}

/** webgl2 is a device, too: who asks for it hears why it is none of this machine's. */
function deviceOf(text: string): DeviceName {
  const found = deviceNames.find((name) => name === text);
  if (found !== undefined) return found;
  const meant =
    placeLike(text) === "gpu"
      ? "A graphics card is reached by webgpu, or by headlessgl."
      : "webasm and cpu work without a graphics card.";
  throw new InvalidArgumentError(`Devices are webgpu, headlessgl, webasm and cpu; pages have webgl2, too. ${meant}`);
}

export function dimOption(): Option {
  return new Option("--dim <N=SIZE>", "the size of a dim (repeatable)").argParser(namedSizes);
}

export function allowPathOption(): Option {
  return new Option("--allow-path <DIR>", "a folder that paths in the file may lead to (repeatable)").argParser(
    pathList,
  );
}

/** A value that does not end in .json was meant for something else: the file of the model, most likely. */
export function profileOption(): Option {
  return new Option("--profile [OUT.json]", "measure each kernel; the file is a trace for Perfetto").argParser(
    (text: string) => {
      if (text.toLowerCase().endsWith(".json")) return text;
      throw new InvalidArgumentError(
        "Its file ends in .json; without a file, put --profile last or write it before another option.",
      );
    },
  );
}

export function commonOptions(): readonly Option[] {
  return [
    new Option("--json", "print one JSON object on standard output and nothing else there"),
    new Option("--quiet", "print results and problems only"),
    new Option("--no-color", "print without colours"),
  ];
}
