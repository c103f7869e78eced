import type { LoopAround, NumberedKernel } from "./explained.js";
import type { JsonValue } from "./json.js";
import { plural } from "./numbers.js";

/** `#6 (a loop of 5 rounds)`. */
export function loopText({ number, kind, rounds }: NumberedKernel): string {
  switch (kind) {
    case "loop":
      return `#${number} (a loop of ${plural(rounds ?? 0, "round")})`;
    case "while":
      return `#${number} (a while loop)`;
    case "branch":
      return `#${number} (a branch)`;
    case "nest":
    case "contract":
    case "routine":
      return `#${number} (${kind})`;
  }
}

export function loopJson({ isMaker, kernel, inner }: LoopAround): JsonValue {
  const numbered = ({ number, name, kind, rounds }: NumberedKernel): { readonly [key: string]: JsonValue } => ({
    number,
    name,
    kind,
    rounds: rounds ?? null,
  });
  return { ...numbered(kernel), makes: isMaker, kernels: inner.map(numbered) };
}
