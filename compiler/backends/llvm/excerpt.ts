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

/** The functions of a module's text by name, each with the lines of its definition. */
export function llvmFunctions(text: string): ReadonlyMap<string, readonly string[]> {
  return functionsOf(
    text,
    (line) => /^define [^@]*@([^(]+)\(/.exec(line)?.[1],
    (line) => line === "}",
  );
}

/** The functions of an assembly text by name, without directives and comments. */
export function assemblyFunctions(text: string): ReadonlyMap<string, readonly string[]> {
  const found = functionsOf(
    text,
    // Labels that begin with a dot are of blocks and constants.
    (line) => /^([^.\s#][^:\s]*):/.exec(line)?.[1],
    (line) => line.startsWith(".Lfunc_end"),
  );
  return new Map([...found].map(([name, lines]) => [name, lines.slice(0, -1).flatMap(instruction)]));
}

function instruction(line: string): readonly string[] {
  const text = line
    .replace(/\s*#.*$/, "")
    .replaceAll("\t", " ")
    .trimEnd();
  return text !== "" && (!/^\s*\./.test(text) || /^\.LBB\w+:/.test(text)) ? [text] : [];
}

/** One way through the text, however many functions it has. */
function functionsOf(
  text: string,
  nameOf: (line: string) => string | undefined,
  ends: (line: string) => boolean,
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  let name: string | undefined;
  let lines: string[] = [];
  for (const line of text.split("\n")) {
    const begun = nameOf(line);
    if (begun !== undefined) [name, lines] = [begun, []];
    if (name === undefined) continue;
    lines.push(line.length > mostColumns ? `${line.slice(0, mostColumns - 4)} ...` : line);
    if (!ends(line)) continue;
    found.set(name, lines);
    name = undefined;
  }
  return found;
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

/** A text from its beginning on. */
export function beginning(text: string): Excerpt {
  const lines = text.split("\n");
  if (lines.length <= mostLines) return { lines, what: "whole", total: lines.length };
  return { lines: lines.slice(0, mostLines), what: "beginning", total: lines.length };
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
