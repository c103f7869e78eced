import { InternalError } from "./diagnostic.js";

/**
 * The size of one axis: a number, or a canonical integer polynomial over declared dims, in which `a // b` that does not divide
 * exactly is an atom of its own. Two symbolic dims are equal if and only if their keys are equal.
 */
export type Dim = number | SymbolicDim;

export interface SymbolicDim {
  /** The canonical text, such as `28*N + 1`; it is what prints and what compares. */
  readonly key: string;
  readonly terms: readonly Term[];
}

/** coefficient x product of atoms, atoms sorted by key; the constant term has no atoms. */
interface Term {
  readonly coefficient: number;
  readonly atoms: readonly Atom[];
}

type Atom =
  | { readonly kind: "symbol"; readonly key: string }
  | { readonly kind: "floor_div"; readonly key: string; readonly numerator: Dim; readonly denominator: Dim };

/** The dim that a `dim NAME` statement declares. */
export function symbol(name: string): SymbolicDim {
  return { key: name, terms: [{ coefficient: 1, atoms: [{ kind: "symbol", key: name }] }] };
}

export function isSymbolic(dim: Dim): dim is SymbolicDim {
  return typeof dim !== "number";
}

export function dimEquals(a: Dim, b: Dim): boolean {
  return dimText(a) === dimText(b);
}

export function dimText(dim: Dim): string {
  return typeof dim === "number" ? String(dim) : dim.key;
}

export function addDims(a: Dim, b: Dim): Dim {
  return fromTerms([...termsOf(a), ...termsOf(b)]);
}

export function subtractDims(a: Dim, b: Dim): Dim {
  return addDims(a, multiplyDims(-1, b));
}

export function multiplyDims(a: Dim, b: Dim): Dim {
  const product: Term[] = [];
  for (const x of termsOf(a)) {
    for (const y of termsOf(b)) {
      const atoms = [...x.atoms, ...y.atoms].sort((p, q) => compareText(p.key, q.key));
      product.push({ coefficient: x.coefficient * y.coefficient, atoms });
    }
  }
  return fromTerms(product);
}

/** Floor division. Exact where every term divides (`(4*N) // 2` is `2*N`); otherwise an atom. A zero denominator throws RangeError. */
export function floorDivideDims(a: Dim, b: Dim): Dim {
  if (b === 0) throw new RangeError("a dim is divided by zero");
  if (typeof a === "number" && typeof b === "number") return Math.floor(a / b);
  const exact = divideExactly(a, b);
  if (exact !== undefined) return exact;
  return quotient(a, b);
}

/** a // b as an atom. */
function quotient(a: Dim, b: Dim): Dim {
  const key = `(${bareQuotient({ numerator: a, denominator: b })})`;
  return fromTerms([{ coefficient: 1, atoms: [{ kind: "floor_div", key, numerator: a, denominator: b }] }]);
}

/** a - b * (a // b), as Python's `%`. */
export function moduloDims(a: Dim, b: Dim): Dim {
  return subtractDims(a, multiplyDims(b, floorDivideDims(a, b)));
}

/** The names of the declared dims that `dim` mentions. */
export function symbolsOf(dim: Dim): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (d: Dim): void => {
    for (const term of termsOf(d)) {
      for (const atom of term.atoms) {
        if (atom.kind === "symbol") names.add(atom.key);
        else {
          visit(atom.numerator);
          visit(atom.denominator);
        }
      }
    }
  };
  visit(dim);
  return names;
}

/** Replaces bound symbols by their sizes; the result is a number when all are bound and nothing is divided by 0, which has no size. */
export function substituteDim(dim: Dim, bindings: ReadonlyMap<string, Dim>): Dim {
  if (typeof dim === "number") return dim;
  let sum: Dim = 0;
  for (const term of dim.terms) {
    let product: Dim = term.coefficient;
    for (const atom of term.atoms) product = multiplyDims(product, substituteAtom(atom, bindings));
    sum = addDims(sum, product);
  }
  return sum;
}

function substituteAtom(atom: Atom, bindings: ReadonlyMap<string, Dim>): Dim {
  if (atom.kind === "symbol") return bindings.get(atom.key) ?? symbol(atom.key);
  const [numerator, denominator] = [substituteDim(atom.numerator, bindings), substituteDim(atom.denominator, bindings)];
  return denominator === 0 ? quotient(numerator, denominator) : floorDivideDims(numerator, denominator);
}

/** The number behind a dim that must be static by now (after specialisation); a symbol left over is a defect. */
export function staticSize(dim: Dim): number {
  if (typeof dim === "number") return dim;
  throw new InternalError(`the dim ${dim.key} is still symbolic after specialisation`);
}

export function productOfDims(dims: readonly Dim[]): Dim {
  return dims.reduce<Dim>(multiplyDims, 1);
}

function termsOf(dim: Dim): readonly Term[] {
  if (typeof dim === "number") return dim === 0 ? [] : [{ coefficient: dim, atoms: [] }];
  return dim.terms;
}

function atomsKey(term: Term): string {
  return term.atoms.map((atom) => atom.key).join("*");
}

/** Collects like terms and sorts them: higher degree first, then what is added before what is taken away, then by text; the constant last. */
function fromTerms(terms: readonly Term[]): Dim {
  const collected = new Map<string, Term>();
  for (const term of terms) {
    const key = atomsKey(term);
    const coefficient = (collected.get(key)?.coefficient ?? 0) + term.coefficient;
    collected.set(key, { coefficient, atoms: term.atoms });
  }
  const kept = [...collected.values()].filter((term) => term.coefficient !== 0);
  if (kept.length === 0) return 0;
  kept.sort(
    (a, b) =>
      b.atoms.length - a.atoms.length ||
      Math.sign(b.coefficient) - Math.sign(a.coefficient) ||
      compareText(atomsKey(a), atomsKey(b)),
  );
  const [first] = kept;
  if (kept.length === 1 && first !== undefined && first.atoms.length === 0) return first.coefficient;
  return { key: kept.map(termText).join(""), terms: kept };
}

function termText(term: Term, position: number): string {
  const magnitude = Math.abs(term.coefficient);
  const [first, ...others] = term.atoms;
  // `N // 2 + 1`, but `2*(N // 2)`: `*` and `//` are of one precedence, and a leading sign binds more tightly.
  const isBare = magnitude === 1 && others.length === 0 && (term.coefficient > 0 || position > 0);
  const factors = isBare && first?.kind === "floor_div" ? [bareQuotient(first)] : term.atoms.map((atom) => atom.key);
  if (magnitude !== 1 || factors.length === 0) factors.unshift(String(magnitude));
  const body = factors.join("*");
  if (position === 0) return term.coefficient < 0 ? `-${body}` : body;
  return term.coefficient < 0 ? ` - ${body}` : ` + ${body}`;
}

/** a / b when b is one term and divides each term of a, or when a equals b; otherwise undefined. */
function divideExactly(a: Dim, b: Dim): Dim | undefined {
  if (dimEquals(a, b)) return 1;
  const divisor = termsOf(b);
  const [only] = divisor;
  if (divisor.length !== 1 || only === undefined) return undefined;
  const quotient: Term[] = [];
  for (const term of termsOf(a)) {
    if (term.coefficient % only.coefficient !== 0) return undefined;
    const atoms = [...term.atoms];
    for (const atom of only.atoms) {
      const at = atoms.findIndex((candidate) => candidate.key === atom.key);
      if (at < 0) return undefined;
      atoms.splice(at, 1);
    }
    quotient.push({ coefficient: term.coefficient / only.coefficient, atoms });
  }
  return fromTerms(quotient);
}

function bareQuotient({ numerator, denominator }: { readonly numerator: Dim; readonly denominator: Dim }): string {
  return `${operandText(numerator)} // ${operandText(denominator)}`;
}

/** An operand of `//`: in parentheses unless it is one number or symbol, so that the text reads back as what it came from. */
function operandText(dim: Dim): string {
  const single = typeof dim === "number" ? dim >= 0 : isSymbol(dim);
  return single ? dimText(dim) : `(${dimText(dim)})`;
}

function isSymbol({ terms: [term, ...others] }: SymbolicDim): boolean {
  return others.length === 0 && term?.coefficient === 1 && term.atoms.length === 1 && term.atoms[0]?.kind === "symbol";
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
