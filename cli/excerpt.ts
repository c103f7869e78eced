/** Parts of long listings that are worth a look: of a kernel's code, the loop where its time goes. */

export interface Excerpt {
  readonly lines: readonly string[];
  /** What the lines are: the innermost loop, or the beginning. */
  readonly what: "innermost loop" | "beginning" | "whole";
  /** Lines of the whole function. */
  readonly total: number;
}

const mostLines = 24;
/** A vector of constants may take a thousand columns. */
const mostColumns = 110;

/** The definition of a function in LLVM text, or undefined. */
export function llvmFunction(text: string, name: string): readonly string[] | undefined {
  return between(
    text,
    (line) => line.startsWith("define ") && line.includes(`@${name}(`),
    (line) => line === "}",
  );
}

/** The code of a function in assembly, without directives and comments, or undefined. */
export function assemblyFunction(text: string, name: string): readonly string[] | undefined {
  const lines = between(
    text,
    (line) => line.startsWith(`${name}:`),
    (line) => line.startsWith(".Lfunc_end"),
  );
  return lines
    ?.slice(0, -1)
    .map((line) =>
      line
        .replace(/\s*#.*$/, "")
        .replaceAll("\t", " ")
        .trimEnd(),
    )
    .filter((line) => line !== "" && (!/^\s*\./.test(line) || /^\.LBB\w+:/.test(line)));
}

function between(
  text: string,
  begins: (line: string) => boolean,
  ends: (line: string) => boolean,
): readonly string[] | undefined {
  const lines = text.split("\n");
  const first = lines.findIndex(begins);
  if (first < 0) return undefined;
  const length = lines.slice(first).findIndex(ends);
  return lines
    .slice(first, length < 0 ? undefined : first + length + 1)
    .map((line) => (line.length > mostColumns ? `${line.slice(0, mostColumns - 4)} ...` : line));
}

/** The loop with most vector work that jumps to its own beginning, cut where it is long; without one, the beginning. */
export function hottest(lines: readonly string[]): Excerpt {
  if (lines.length <= mostLines) return { lines, what: "whole", total: lines.length };
  const blocks = blocksOf(lines).filter(isLoop);
  const best = blocks.reduce<Block | undefined>(
    (most, block) => (most === undefined || vectorLines(block) > vectorLines(most) ? block : most),
    undefined,
  );
  if (best === undefined) return { lines: lines.slice(0, mostLines), what: "beginning", total: lines.length };
  const last = best.lines.findLastIndex((line) => jumpsTo(line, best.label));
  // What a loop carries would fill the excerpt of a large one.
  const all = best.lines.slice(0, last + 1).filter((line) => !/^\s*%\S+ = phi /.test(line));
  // The end of a loop says how it goes round.
  const shown =
    all.length <= mostLines
      ? all
      : [...all.slice(0, mostLines - 4), `  ... ${all.length - mostLines + 1} more`, ...all.slice(-3)];
  return { lines: shown, what: "innermost loop", total: lines.length };
}

interface Block {
  readonly label: string;
  readonly lines: readonly string[];
}

/** Basic blocks: `.LBB0_3:` of assembly, `loop12:` of LLVM. */
function blocksOf(lines: readonly string[]): readonly Block[] {
  const blocks: { label: string; lines: string[] }[] = [];
  for (const line of lines) {
    const label = /^([.\w]+):/.exec(line)?.[1];
    if (label !== undefined) blocks.push({ label, lines: [line] });
    else blocks.at(-1)?.lines.push(line);
  }
  return blocks;
}

function isLoop({ label, lines }: Block): boolean {
  return lines.slice(1).some((line) => jumpsTo(line, label));
}

function jumpsTo(line: string, label: string): boolean {
  const words = line.split(/[\s,]+/);
  return words.includes(`%${label}`) ? /^\s*br /.test(line) : /^\s*j\w+\s/.test(line) && words.includes(label);
}

function vectorLines({ lines }: Block): number {
  return lines.filter((line) => /[xyz]mm\d|<\d+ x /.test(line)).length;
}
