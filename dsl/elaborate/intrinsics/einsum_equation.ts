/** The equations of `einsum` as text: `ij,jk->ik`. */

/** A letter of a term, and where it stands in the equation. */
export interface Label {
  readonly name: string;
  readonly at: number;
}

/** One operand's labels, or the result's. */
export interface Term {
  readonly text: string;
  readonly labels: readonly Label[];
  /** How many of the labels stand before `...`; undefined where there is none. */
  readonly ellipsis: number | undefined;
  /** Where it begins. */
  readonly at: number;
}

export interface Equation {
  readonly terms: readonly Term[];
  /** The labels of the result; undefined where they are left to the rule. */
  readonly output: Term | undefined;
}

export interface EquationProblem {
  readonly at: number;
  readonly message: string;
  readonly hint?: string;
}

/** Reads an equation. Whether it fits its operands is another question. */
export function readEquation(text: string): Equation | EquationProblem {
  const arrow = text.indexOf("->");
  const again = arrow < 0 ? -1 : text.indexOf("->", arrow + 2);
  if (again >= 0) return { at: again, message: "the equation has a second `->`" };
  const terms: Term[] = [];
  let start = 0;
  for (const part of text.slice(0, arrow < 0 ? text.length : arrow).split(",")) {
    const term = readTerm(part, start);
    if ("message" in term) return term;
    terms.push(term);
    start += part.length + 1;
  }
  if (arrow < 0) return { terms, output: undefined };
  const output = readTerm(text.slice(arrow + 2), arrow + 2);
  if ("message" in output) return output;
  return outputProblem(terms, output) ?? { terms, output };
}

function readTerm(text: string, start: number): Term | EquationProblem {
  const labels: Label[] = [];
  let ellipsis: number | undefined;
  for (let i = 0; i < text.length; i++) {
    const name = text.charAt(i);
    const at = start + i;
    if (name === " ") continue;
    if (/^[A-Za-z]$/.test(name)) {
      labels.push({ name, at });
    } else if (text.startsWith("...", i)) {
      if (ellipsis !== undefined) return { at, message: "`...` stands once in a term" };
      ellipsis = labels.length;
      i += 2;
    } else {
      return unexpected(name, at);
    }
  }
  return { text: text.trim(), labels, ellipsis, at: start };
}

function unexpected(character: string, at: number): EquationProblem {
  switch (character) {
    case ".":
      return { at, message: "axes without labels are three points, `...`" };
    case ",":
      return { at, message: "the result is one term: no comma follows `->`" };
    case "-":
    case ">":
      return { at, message: `\`${character}\` is no label`, hint: "the result's labels follow `->`" };
    default:
      return { at, message: `\`${character}\` is no label`, hint: "a label is a letter: `ij,jk->ik`" };
  }
}

function outputProblem(terms: readonly Term[], output: Term): EquationProblem | undefined {
  const known = new Set(terms.flatMap(({ labels }) => labels.map(({ name }) => name)));
  const seen = new Set<string>();
  for (const { name, at } of output.labels) {
    if (!known.has(name)) {
      const labels = [...known].map((one) => `\`${one}\``).join(", ");
      return { at, message: `no operand has the label \`${name}\` of the result`, hint: `the operands have ${labels}` };
    }
    if (seen.has(name)) return { at, message: `the result has the label \`${name}\` twice` };
    seen.add(name);
  }
  return undefined;
}

/** The result's labels where none are written: `...`, then those that occur once in all, in alphabetical order, as in NumPy. */
export function impliedLabels(terms: readonly Term[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { labels } of terms) for (const { name } of labels) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].flatMap(([name, count]) => (count === 1 ? [name] : [])).sort();
}
