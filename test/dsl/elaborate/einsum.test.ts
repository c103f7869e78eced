import test from "ava";
import fc from "fast-check";
import { graphOf, problems, run } from "./support.js";

interface Case {
  readonly terms: readonly string[];
  /** Undefined where the result's labels are left to the rule. */
  readonly output: string | undefined;
  /** The size of each label. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly seed: number;
}

const letters = [..."abcX"];

const cases: fc.Arbitrary<Case> = fc
  .record({
    terms: fc.array(fc.array(fc.constantFrom(...letters), { maxLength: 3 }), { minLength: 1, maxLength: 4 }),
    sizes: fc.tuple(...letters.map(() => fc.integer({ min: 0, max: 3 }))),
    picks: fc.option(fc.shuffledSubarray(letters)),
    seed: fc.nat(1000),
  })
  .map(({ terms, sizes, picks, seed }) => {
    const used = new Set(terms.flat());
    return {
      terms: terms.map((term) => term.join("")),
      output: picks?.filter((label) => used.has(label)).join(""),
      sizes: Object.fromEntries(letters.map((label, i) => [label, sizes[i] ?? 1])),
      seed,
    };
  });

const sizeOf = ({ sizes }: Case, label: string): number => sizes[label] ?? 1;

/** Small whole numbers, so that every order of the sums gives the same. */
function contents(one: Case, position: number): readonly number[] {
  const count = [...(one.terms[position] ?? "")].reduce((product, label) => product * sizeOf(one, label), 1);
  return Array.from({ length: count }, (_, i) => ((i * 7 + position * 3 + one.seed) % 11) - 5);
}

function equationOf({ terms, output }: Case): string {
  return output === undefined ? terms.join(",") : `${terms.join(",")}->${output}`;
}

/** numpy's rule: the labels that occur once, capitals first. */
function outputOf({ terms, output }: Case): string {
  if (output !== undefined) return output;
  const all = terms.join("");
  return letters
    .filter((label) => all.split(label).length === 2)
    .sort()
    .join("");
}

/** The sum as it is defined: one loop over all values of all labels. */
function naive(one: Case): readonly number[] {
  const output = outputOf(one);
  const labels = [...new Set([...output, ...one.terms.join("")])];
  const place = (term: string, values: ReadonlyMap<string, number>): number =>
    [...term].reduce((index, label) => index * sizeOf(one, label) + (values.get(label) ?? 0), 0);
  const operands = one.terms.map((_, i) => contents(one, i));
  const result = new Array<number>([...output].reduce((product, label) => product * sizeOf(one, label), 1)).fill(0);
  const visit = (depth: number, values: ReadonlyMap<string, number>): void => {
    const label = labels[depth];
    if (label === undefined) {
      const product = one.terms.reduce((so, term, i) => so * (operands[i]?.[place(term, values)] ?? Number.NaN), 1);
      const at = place(output, values);
      result[at] = (result[at] ?? Number.NaN) + product;
      return;
    }
    for (let i = 0; i < sizeOf(one, label); i++) visit(depth + 1, new Map([...values, [label, i]]));
  };
  visit(0, new Map());
  return result;
}

function text(one: Case): string {
  const operands = one.terms.map((term, i) => {
    const shape = [...term].map((label) => sizeOf(one, label)).join(", ");
    return `  placeholder x${i}: f64${term === "" ? "" : `[${shape}]`}\n`;
  });
  return `graph g {\n${operands.join("")}  y = einsum("${equationOf(one)}", ${one.terms.map((_, i) => `x${i}`).join(", ")})\n}\n`;
}

test("random equations give what one loop over all labels gives", (t) => {
  fc.assert(
    fc.property(cases, (one) => {
      const feeds = Object.fromEntries(one.terms.map((_, i) => [`x${i}`, contents(one, i)]));
      const found = run(graphOf(text(one)), ["y"], { feeds }).get("y");
      // A sum of zeros of both signs has either.
      t.deepEqual(
        found?.map((x) => x + 0),
        naive(one).map((x) => x + 0),
        equationOf(one),
      );
    }),
    { numRuns: 400 },
  );
  t.pass();
});

test("gradients of random equations are exact: what an equation gives is linear in each operand", (t) => {
  fc.assert(
    fc.property(cases, (one) => {
      const weights = naive(one).map((_, i) => (i % 5) - 2);
      const shape = [...outputOf(one)].map((label) => sizeOf(one, label)).join(", ");
      const extra =
        `  placeholder w: f64${outputOf(one) === "" ? "" : `[${shape}]`}\n  s = sum(y * w)\n` +
        one.terms.map((_, i) => `  d${i} = gradients(s, [x${i}])\n`).join("");
      const graph = graphOf(text(one).replace(/}\n$/, `${extra}}\n`));
      const feeds = { ...Object.fromEntries(one.terms.map((_, i) => [`x${i}`, contents(one, i)])), w: weights };
      const names = one.terms.map((_, i) => `d${i}`);
      const found = run(graph, ["s", ...names], { feeds });
      one.terms.forEach((_, i) => {
        const step = contents(one, i).map((_, k) => ((k * 5) % 7) - 3);
        const moved = { ...feeds, [`x${i}`]: contents(one, i).map((x, k) => x + (step[k] ?? 0)) };
        const change = (run(graph, ["s"], { feeds: moved }).get("s")?.[0] ?? 0) - (found.get("s")?.[0] ?? 0);
        const slope = (found.get(`d${i}`) ?? []).reduce((so, g, k) => so + g * (step[k] ?? 0), 0);
        t.is(slope + 0, change + 0, `${equationOf(one)} in operand ${i}`);
      });
    }),
    { numRuns: 100 },
  );
  t.pass();
});

test("random texts are equations or are refused at a place", (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(..."ij,->. 1é")).map((parts) => parts.join("")),
      (equation) => {
        for (const problem of problems(`graph g {\n  a = ones([2])\n  y = einsum("${equation}", a)\n}\n`)) {
          t.regex(problem, /^(G140|G025) 3:/);
        }
      },
    ),
  );
  t.pass();
});

test("the operands' places are named where a size differs", (t) => {
  t.deepEqual(
    problems('graph g {\n  placeholder a: f32[2, 3]\n  placeholder b: f32[4, 5]\n  y = einsum("ij,jk->ik", a, b)\n}\n'),
    ["G020 4:30 `j` has 3 elements and 4 elements (axes with the label `j` have one size)"],
  );
});
