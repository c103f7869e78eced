import fc from "fast-check";
import type {
  Binding,
  Block,
  Carry,
  Item,
  Region,
  SourceFile,
  Statement,
  StringLiteral,
  TypeExpression,
} from "../../dsl/ast.js";
import {
  ellipsis,
  expression,
  fields,
  ident,
  integer,
  name,
  names,
  path,
  span,
  text,
  tree,
  valueWord,
} from "./arbitrary-expressions.js";

/** Random syntax trees that the parser accepts, with places of no meaning. */
const dims = fc.option(fc.array(fc.oneof(expression, fc.constant(ellipsis)), { maxLength: 3 }), { nil: undefined });
const namedType: fc.Arbitrary<TypeExpression> = fc
  .tuple(name, dims)
  .map(([n, d]) => ({ kind: "named-type", name: n, dims: d, span }));
const type: fc.Arbitrary<TypeExpression> = fc.oneof(
  { weight: 4, arbitrary: namedType },
  fc.option(namedType, { nil: undefined }).map((element): TypeExpression => ({ kind: "list-type", element, span })),
);
const optionalType = fc.option(type, { nil: undefined });
const optionalValue = fc.option(expression, { nil: undefined });
const doc = fc.constant(undefined);

const carries: fc.Arbitrary<Carry[]> = names(2).chain((list) =>
  fc.tuple(...list.map((n) => expression.map((value): Carry => ({ kind: "carry", name: n, value, span })))),
);

const device: fc.Arbitrary<StringLiteral> = fc
  .constantFrom("cpu", "gpu")
  .map((value) => ({ kind: "string", value, span }));
const on = fc.option(device, { nil: undefined, freq: 3 });

const constant = fc.record({
  kind: fc.constant("constant" as const),
  doc,
  name,
  type: optionalType,
  value: expression,
  span: fc.constant(span),
});
const variable = fc.record({
  kind: fc.constant("variable" as const),
  doc,
  name,
  type: optionalType,
  initial: expression,
  frozen: fc.boolean(),
  on,
  span: fc.constant(span),
});
const assignment: fc.Arbitrary<Statement> = fc
  .tuple(path, expression, on)
  .map(([target, value, place]) => ({ kind: "assignment", doc: undefined, target, value, on: place, span }));
const next: fc.Arbitrary<Statement> = fc
  .tuple(name, expression)
  .map(([n, value]) => ({ kind: "next", doc: undefined, name: n, value, span }));
const yields: fc.Arbitrary<Statement> = fc
  .array(expression, { minLength: 1, maxLength: 2 })
  .map((values) => ({ kind: "yield", doc: undefined, values, span }));

const requires: fc.Arbitrary<Statement> = fc
  .tuple(expression, fc.string({ maxLength: 8 }))
  .map(([condition, value]) => ({
    kind: "require",
    doc: undefined,
    condition,
    message: { kind: "string", value, span },
    span,
  }));

const block = (statement: fc.Arbitrary<Statement>, maximum = 2): fc.Arbitrary<Block> =>
  fc.array(statement, { maxLength: maximum }).map((statements) => ({ kind: "block", statements, span }));

const targets = fc
  .uniqueArray(fc.tuple(fc.oneof(valueWord, fc.constant("_")), optionalType), {
    selector: ([n]) => n,
    minLength: 1,
    maxLength: 3,
  })
  .map((list) => list.map(([n, t]) => ({ kind: "target" as const, name: ident(n), type: t, span })));

const plainBinding: fc.Arbitrary<Statement> = fc
  .tuple(targets, expression, on)
  .map(([list, value, place]): Binding => ({ kind: "binding", doc: undefined, targets: list, value, on: place, span }));

const region: fc.Arbitrary<Region> = fc.oneof(
  fc
    .tuple(names(4, 1), fc.nat(3), expression, tree.arguments, block(fc.oneof(plainBinding, next, yields)))
    .map(([list, cut, value, options, body]): Region => {
      const split = 1 + (cut % list.length);
      return {
        kind: "scan",
        options,
        sequences: list.slice(0, split).map((n) => ({ kind: "sequence", name: n, value, span })),
        carries: list.slice(split).map((n) => ({ kind: "carry", name: n, value, span })),
        body,
        span,
      };
    }),
  fc
    .tuple(expression, carries, block(fc.oneof(plainBinding, next)))
    .map(([condition, list, body]): Region => ({ kind: "while", condition, carries: list, body, span })),
  fc
    .tuple(
      fc.array(fc.tuple(expression, block(yields, 1)), { minLength: 1, maxLength: 3 }),
      block(fc.oneof(yields, plainBinding)),
    )
    .map(
      ([list, otherwise]): Region => ({
        kind: "if",
        branches: list.map(([condition, body]) => ({ kind: "if-branch", condition, body, span })),
        otherwise,
        span,
      }),
    ),
);

const binding: fc.Arbitrary<Statement> = fc.oneof(
  { weight: 3, arbitrary: plainBinding },
  fc.tuple(targets, region, on).map(
    ([list, value, place]): Statement => ({
      kind: "binding",
      doc: undefined,
      targets: list,
      value,
      on: place,
      span,
    }),
  ),
);

const update: fc.Arbitrary<Statement> = fc
  .tuple(name, fc.oneof(expression, block(fc.oneof(assignment, binding))), on)
  .map(([n, body, place]) => ({ kind: "update", doc: undefined, name: n, body, on: place, span }));
const placeholder: fc.Arbitrary<Statement> = fc
  .tuple(name, type, optionalValue)
  .map(([n, t, value]) => ({ kind: "placeholder", doc: undefined, name: n, type: t, default: value, span }));
const scope: fc.Arbitrary<Statement> = fc
  .tuple(name, block(fc.oneof(binding, variable, constant, requires, placeholder, update)), on)
  .map(([n, body, place]) => ({ kind: "scope", doc: undefined, name: n, body, on: place, span }));
const placed: fc.Arbitrary<Statement> = fc
  .tuple(device, block(fc.oneof(binding, variable, constant, requires, placeholder, update, scope)))
  .map(([place, body]) => ({ kind: "on", doc: undefined, on: place, body, span }));
const signature: fc.Arbitrary<Statement> = fc
  .tuple(
    name,
    fc.array(path, { maxLength: 5 }),
    fc.array(path, { maxLength: 2 }),
    fc.option(fc.boolean(), { nil: undefined }),
    fc.array(path, { maxLength: 5 }),
  )
  .map(([n, inputs, does, training, outputs]) => ({
    kind: "signature",
    doc: undefined,
    name: n,
    inputs,
    does,
    training: training === undefined ? undefined : { kind: "boolean", value: training, span },
    outputs,
    span,
  }));
const dim: fc.Arbitrary<Statement> = fc
  .tuple(name, optionalValue)
  .map(([n, bound]) => ({ kind: "dim", doc: undefined, name: n, bound, span }));
const seed: fc.Arbitrary<Statement> = integer.map((value) => ({ kind: "seed", doc: undefined, value, span }));
const train: fc.Arbitrary<Statement> = fields(expression).map((list) => ({
  kind: "train",
  doc: undefined,
  fields: list,
  span,
}));

/** At most one seed and one train, as a graph has. */
const graphBody: fc.Arbitrary<Block> = fc
  .tuple(
    fc.option(seed, { nil: undefined }),
    fc.array(fc.oneof(binding, variable, constant, requires, placeholder, scope, placed, update, signature, dim), {
      maxLength: 5,
    }),
    fc.option(train, { nil: undefined }),
  )
  .map(([first, middle, last]) => ({
    kind: "block",
    statements: [first, ...middle, last].filter((s) => s !== undefined),
    span,
  }));

const callable = fc
  .tuple(
    names(2),
    names(4),
    fc.nat(4),
    optionalType,
    expression,
    block(fc.oneof(binding, variable, requires, assignment)),
  )
  .map(([types, list, cut, t, value, body]) => {
    const taken = new Set(types.map((n) => n.name));
    const parameters = list.filter((n) => !taken.has(n.name));
    return {
      typeParameters: types.map((n, i) => ({
        kind: "type-parameter" as const,
        name: n,
        bound: i % 2 === 0 ? ident("float") : undefined,
        span,
      })),
      parameters: parameters.map((n, i) => ({
        kind: "parameter" as const,
        doc: undefined,
        name: n,
        type: t,
        default: i >= cut ? value : undefined,
        span,
      })),
      body,
    };
  });

const item: fc.Arbitrary<Item> = fc.oneof(
  fc.tuple(name, callable, names(3), optionalType).map(([n, c, outs, t]): Item => {
    const outputs = outs.map((o) => ({ kind: "output" as const, name: o, type: t, span }));
    return { kind: "fn", doc: undefined, name: n, ...c, outputs, span };
  }),
  fc.tuple(name, callable).map(([n, c]): Item => ({ kind: "optimizer", doc: undefined, name: n, ...c, span })),
  constant,
  fc.tuple(names(3), text, fc.boolean()).map(([list, source, rename]): Item => {
    const imported = list.map((n) => {
      const local = rename ? ident(`${n.name}_here`) : n;
      return { kind: "imported-name" as const, name: n, local, span };
    });
    return { kind: "import", names: imported, source, span };
  }),
);

export const sourceFile: fc.Arbitrary<SourceFile> = fc
  .tuple(fc.array(item, { maxLength: 3 }), fc.option(fc.tuple(name, graphBody), { nil: undefined }))
  .map(([items, graph]) => {
    const main: Item[] =
      graph === undefined ? [] : [{ kind: "graph", doc: undefined, name: graph[0], body: graph[1], span }];
    return { kind: "file", file: "x.graph", doc: undefined, items: [...items, ...main], span };
  });

/** The tree without its places, as a text for comparison. */
export function withoutPlaces(node: unknown): string {
  return JSON.stringify(strip(node), null, 1);
}

function strip(node: unknown): unknown {
  if (typeof node === "bigint") return `${node}n`;
  if (Array.isArray(node)) return node.map(strip);
  if (typeof node !== "object" || node === null) return node;
  const kept = Object.entries(node).filter(([key]) => key !== "span" && key !== "operatorSpan" && key !== "file");
  return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => [key, strip(value)]));
}
