import fc from "fast-check";
import type { Argument, Expression, Field, Ident, IndexItem, Path, Reference } from "../../dsl/ast.js";

/** Random expressions that the parser accepts, with places of no meaning. */
export const span = { file: "x.graph", start: 0, end: 0 };
const reserved = new Set(["true", "false", "inf", "nan", "and", "or", "not", "if", "else", "while", "scan"]);

const words = [
  "seed",
  "dim",
  "scope",
  "on",
  "train",
  "yield",
  "require",
  "next",
  "in",
  "with",
  "from",
  "as",
  "frozen",
  "does",
  "fn",
  "graph",
];
const word = fc.oneof(
  fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,7}$/),
  fc.constantFrom("x", "y", "w", "loss", "image", "training", ...words),
);
export const valueWord = word.filter((w) => !reserved.has(w) && w !== "_" && w !== "list");
export const ident = (name: string): Ident => ({ kind: "ident", name, span });
export const name: fc.Arbitrary<Ident> = valueWord.map(ident);

export const names = (maximum: number, minimum = 0): fc.Arbitrary<Ident[]> =>
  fc.uniqueArray(valueWord, { minLength: minimum, maxLength: maximum }).map((list) => list.map(ident));

export const path: fc.Arbitrary<Path> = fc
  .tuple(name, fc.array(fc.tuple(fc.constantFrom<"." | "/">(".", "/"), word.map(ident)), { maxLength: 3 }))
  .map(([first, rest]) => {
    const segments = [first, ...rest.map(([, s]) => s)];
    const separators = rest.map(([s]) => s);
    return {
      kind: "path",
      segments,
      separators,
      text: segments.map((s, i) => s.name + (separators[i] ?? "")).join(""),
      span,
    };
  });

const reference: fc.Arbitrary<Reference> = fc
  .tuple(name, fc.array(word.map(ident), { maxLength: 2 }))
  .map(([first, rest]) => {
    const segments = [first, ...rest];
    return { kind: "reference", segments, text: segments.map((s) => s.name).join("."), span };
  });

export const integer = fc
  .bigInt({ min: 0n, max: 2n ** 63n - 1n })
  .map((value) => ({ kind: "integer" as const, value, text: String(value), span }));
const float = fc
  .tuple(fc.nat(9999), fc.nat(9999), fc.option(fc.integer({ min: -40, max: 40 }), { nil: undefined }))
  .map(([whole, part, exponent]) => `${whole}.${part}${exponent === undefined ? "" : `e${exponent}`}`)
  .map((text): Expression => ({ kind: "float", value: Number(text), text, span }));
export const text = fc
  .oneof(fc.string(), fc.string({ unit: "grapheme" }))
  .map((value) => ({ kind: "string" as const, value, span }));

const leaf: fc.Arbitrary<Expression> = fc.oneof(
  { weight: 4, arbitrary: reference },
  { weight: 2, arbitrary: integer },
  float,
  text,
  fc.boolean().map((value): Expression => ({ kind: "boolean", value, span })),
  fc.constantFrom<Expression>(
    { kind: "float", value: Number.POSITIVE_INFINITY, text: "inf", span },
    { kind: "float", value: Number.NaN, text: "nan", span },
  ),
);

export const ellipsis: Expression = { kind: "ellipsis", span };

export const tree = fc.letrec<{ expression: Expression; arguments: Argument[] }>((tie) => {
  const e = tie("expression");
  const positional = fc
    .array(e, { maxLength: 2 })
    .map((list) => list.map((value): Argument => ({ kind: "argument", name: undefined, value, span })));
  const named = fc
    .uniqueArray(word, { maxLength: 2 })
    .chain((keys) =>
      fc.tuple(...keys.map((key) => e.map((value): Argument => ({ kind: "argument", name: ident(key), value, span })))),
    );
  const call = fc
    .tuple(reference, tie("arguments"))
    .map(([callee, args]) => ({ kind: "call" as const, callee, arguments: args, span }));
  const part = fc.option(e, { nil: undefined });
  const item: fc.Arbitrary<IndexItem> = fc.oneof(
    e,
    fc.constant(ellipsis),
    fc.tuple(part, part, part).map(([start, stop, step]): IndexItem => ({ kind: "slice", start, stop, step, span })),
  );
  return {
    arguments: fc.tuple(positional, named).map(([a, b]) => [...a, ...b]),
    expression: fc.oneof(
      { maxDepth: 3, depthIdentifier: "expression", depthSize: "small" },
      leaf,
      call,
      fc.tuple(e, call).map(([input, c]): Expression => ({ kind: "pipe", input, call: c, span })),
      fc
        .tuple(fc.constantFrom("-" as const, "+" as const, "not" as const), e)
        .map(([operator, operand]): Expression => ({ kind: "unary", operator, operatorSpan: span, operand, span })),
      fc
        .tuple(
          fc.constantFrom("or", "and", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "//", "%", "@", "**"),
          e,
          e,
        )
        .map(
          ([operator, left, right]): Expression => ({
            kind: "binary",
            operator,
            operatorSpan: span,
            left,
            right,
            span,
          }),
        ),
      fc
        .tuple(e, fc.array(item, { minLength: 1, maxLength: 3 }))
        .map(([target, items]): Expression => ({ kind: "index", target, items, span })),
      fc
        .array(fc.oneof(e, fc.constant(ellipsis)), { maxLength: 3 })
        .map((items): Expression => ({ kind: "list", items, span })),
      fc.array(integer, { minLength: 9, maxLength: 30 }).map((items): Expression => ({ kind: "list", items, span })),
      fields(e).map((list): Expression => ({ kind: "record", fields: list, span })),
    ),
  };
});

export function fields(e: fc.Arbitrary<Expression>): fc.Arbitrary<Field[]> {
  return fc
    .uniqueArray(path, { selector: (p) => p.text, maxLength: 3 })
    .chain((paths) =>
      fc.tuple(...paths.map((p) => e.map((value): Field => ({ kind: "field", doc: undefined, name: p, value, span })))),
    );
}

export const expression = tree.expression;
