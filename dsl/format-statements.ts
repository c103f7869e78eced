import { unreachable } from "../compiler/ir/diagnostic.js";
import type {
  Block,
  Carry,
  FunctionDeclaration,
  If,
  Import,
  Item,
  OptimizerDeclaration,
  Output,
  Parameter,
  Path,
  Region,
  SourceFile,
  Statement,
  StringLiteral,
  TypeExpression,
  TypeParameter,
  Update,
} from "./ast.js";
import {
  findSign,
  type Printing,
  piece,
  printArguments,
  printExpression,
  printField,
  printList,
  printType,
} from "./format-expressions.js";
import { group, hardLine, indent, type Layout, line, lineEnd } from "./format-layout.js";

export function printFile(p: Printing, ast: SourceFile): Layout {
  const apart = (index: number): boolean => {
    const [a, b] = [ast.items[index - 1], ast.items[index]];
    return a === undefined || b === undefined || a.kind !== b.kind || (a.kind !== "import" && a.kind !== "constant");
  };
  const pieces = ast.items.map((item) => piece(item, () => printItem(p, item)));
  return p.comments.lines(pieces, 0, ast.span.end + 1, "", apart);
}

function printItem(p: Printing, item: Item): Layout {
  switch (item.kind) {
    case "import":
      return printImport(p, item);
    case "fn":
      return printFunction(p, item);
    case "optimizer":
      return [`optimizer ${item.name.name}`, printParameters(p, item).layout, " ", printBlock(p, item.body)];
    case "graph":
      return [`graph ${item.name.name} `, printBlock(p, item.body)];
    case "constant":
      return printStatement(p, item);
    case "invalid":
      return "";
    default:
      return unreachable(item);
  }
}

function printImport(p: Printing, item: Import): Layout {
  const names = item.names.map((n) => {
    const renamed = n.local.name !== n.name.name;
    return renamed ? `${n.name.name} as ${n.local.name}` : n.name.name;
  });
  const open = findSign(p, item.span.start, "{");
  const close = findSign(p, item.names.at(-1)?.span.end ?? open, "}") + 1;
  // The braces of an import have spaces inside, as a record's do.
  if (!p.comments.pendingBefore(close)) {
    const list: Layout = names.map((n, i) => (i === 0 ? n : [",", line, n]));
    const body = names.length === 0 ? "{}" : group(["{", indent([line, list]), line, "}"]);
    return ["import ", body, " from ", printExpression(p, item.source)];
  }
  const pieces = item.names.map((n, i) => piece(n, () => names[i] ?? ""));
  return ["import ", printList(p, "{", "}", pieces, open, close), " from ", printExpression(p, item.source)];
}

function printFunction(p: Printing, fn: FunctionDeclaration): Layout {
  const print = (o: Output): Layout => [o.name.name, annotation(p, o.type)];
  const parameters = printParameters(p, fn);
  const outputs = fn.outputs.map((o) => piece(o, () => print(o)));
  const begin = findSign(p, parameters.end, "(");
  const close = findSign(p, fn.outputs.at(-1)?.span.end ?? begin, ")") + 1;
  const header: Layout = [`fn ${fn.name.name}`, parameters.layout, " -> "];
  return [header, printList(p, "(", ")", outputs, begin, close), " ", printBlock(p, fn.body)];
}

function printParameters(
  p: Printing,
  fn: FunctionDeclaration | OptimizerDeclaration,
): { readonly layout: Layout; readonly end: number } {
  const typed = (parameter: TypeParameter): Layout => {
    return parameter.bound === undefined ? parameter.name.name : `${parameter.name.name}: ${parameter.bound.name}`;
  };
  const print = (parameter: Parameter): Layout => {
    // In the order of the text, as the comments are.
    const type = annotation(p, parameter.type);
    return [
      parameter.name.name,
      type,
      parameter.default === undefined ? "" : [" = ", printExpression(p, parameter.default)],
    ];
  };
  const types = fn.typeParameters.map((t) => piece(t, () => typed(t)));
  const lastType = fn.typeParameters.at(-1)?.span.end;
  const typesEnd = lastType === undefined ? fn.name.span.end : findSign(p, lastType, "]") + 1;
  const typesBegin = findSign(p, fn.name.span.end, "[");
  const first = types.length === 0 ? "" : printList(p, "[", "]", types, typesBegin, typesEnd);
  const parameters = fn.parameters.map((q) => piece(q, () => print(q)));
  const begin = findSign(p, typesEnd, "(");
  const end = findSign(p, fn.parameters.at(-1)?.span.end ?? begin, ")") + 1;
  return { layout: [first, printList(p, "(", ")", parameters, begin, end)], end };
}

function annotation(p: Printing, type: TypeExpression | undefined): Layout {
  return type === undefined ? "" : [": ", printType(p, type)];
}

function printBlock(p: Printing, block: Block): Layout {
  return printBraces(
    p,
    block.statements.map((s) => piece(s, () => printStatement(p, s))),
    block.span.start,
    block.span.end,
  );
}

function printBraces(
  p: Printing,
  pieces: Parameters<Printing["comments"]["lines"]>[0],
  begin: number,
  end: number,
): Layout {
  const heading = p.comments.takeTrailing(begin + 1).map((c) => lineEnd(c.text));
  const rows = p.comments.lines(pieces, begin + 1, end - 1, "", () => false);
  if (rows.length === 0) return ["{", heading, hardLine, "}"];
  return ["{", heading, indent([hardLine, rows]), hardLine, "}"];
}

function printStatement(p: Printing, s: Statement): Layout {
  switch (s.kind) {
    case "seed":
      return `seed ${s.value.text}`;
    case "dim":
      return [`dim ${s.name.name}`, s.bound === undefined ? "" : [" <= ", printExpression(p, s.bound)]];
    case "placeholder": {
      const head: Layout = [`placeholder ${s.name.name}`, annotation(p, s.type)];
      return [head, s.default === undefined ? "" : [" = ", printExpression(p, s.default)]];
    }
    case "variable": {
      const head: Layout = [`variable ${s.name.name}`, annotation(p, s.type), " = "];
      return [head, printExpression(p, s.initial), s.frozen ? " frozen" : "", printPlace(p, s.on)];
    }
    case "constant":
      return [`constant ${s.name.name}`, annotation(p, s.type), " = ", printExpression(p, s.value)];
    case "binding": {
      const targets = s.targets.map((t, i) => [i === 0 ? "" : ", ", t.name.name, annotation(p, t.type)]);
      const value = isRegion(s.value) ? printRegion(p, s.value) : printExpression(p, s.value);
      return [targets, " = ", value, printPlace(p, s.on)];
    }
    case "assignment":
      return [`${s.target.text} := `, printExpression(p, s.value), printPlace(p, s.on)];
    case "scope":
      return [`scope ${s.name.name}`, printPlace(p, s.on), " ", printBlock(p, s.body)];
    case "on":
      return ["on ", printExpression(p, s.on), " ", printBlock(p, s.body)];
    case "update":
      return [`update ${s.name.name}`, printUpdate(p, s)];
    case "signature": {
      const inputs = printPaths(p, s.inputs, s.name.span.end);
      const does = s.does.length === 0 ? "" : ` does ${s.does.map((d) => d.text).join(", ")}`;
      const training = s.training === undefined ? "" : ` training=${s.training.value ? "true" : "false"}`;
      const arrow = findSign(p, s.does.at(-1)?.span.end ?? s.inputs.at(-1)?.span.end ?? s.name.span.end, ">");
      return [`signature ${s.name.name}`, inputs, does, training, " -> ", printPaths(p, s.outputs, arrow)];
    }
    case "train": {
      const begin = findSign(p, s.span.start, "{");
      return [
        "train ",
        printBraces(
          p,
          s.fields.map((f) => piece(f, () => printField(p, f))),
          begin,
          s.span.end,
        ),
      ];
    }
    case "require": {
      const text = [",", line, printExpression(p, s.message)];
      return ["require ", group(indent([printExpression(p, s.condition), text]))];
    }
    case "next":
      return [`next ${s.name.name} = `, printExpression(p, s.value)];
    case "yield":
      return ["yield ", group(indent(s.values.map((v, i) => [i === 0 ? "" : [",", line], printExpression(p, v)])))];
    case "invalid":
      return "";
    default:
      return unreachable(s);
  }
}

function isRegion(value: { readonly kind: string }): value is Region {
  return value.kind === "scan" || value.kind === "while" || value.kind === "if";
}

function printUpdate(p: Printing, s: Update): Layout {
  if (s.body.kind === "block") return [printPlace(p, s.on), " ", printBlock(p, s.body)];
  return [" = ", printExpression(p, s.body), printPlace(p, s.on)];
}

function printPlace(p: Printing, on: StringLiteral | undefined): Layout {
  return on === undefined ? "" : [" on ", printExpression(p, on)];
}

function printPaths(p: Printing, paths: readonly Path[], from: number): Layout {
  const begin = findSign(p, from, "(");
  const close = findSign(p, paths.at(-1)?.span.end ?? begin, ")") + 1;
  const items = paths.map((q) => piece(q, () => q.text));
  return printList(p, "(", ")", items, begin, close);
}

function printRegion(p: Printing, region: Region): Layout {
  switch (region.kind) {
    case "scan": {
      const start = region.span.start + "scan".length;
      const close = findSign(p, region.options.at(-1)?.span.end ?? start, ")") + 1;
      const options = region.options.length === 0 ? "" : printArguments(p, region.options, start, close);
      const sequences = region.sequences.map((q, i) => {
        return [i === 0 ? "" : ", ", `${q.name.name} in `, printExpression(p, q.value)];
      });
      return ["scan", options, " ", sequences, printCarries(p, region.carries), " ", printBlock(p, region.body)];
    }
    case "while": {
      const condition = printExpression(p, region.condition);
      return ["while ", condition, printCarries(p, region.carries), " ", printBlock(p, region.body)];
    }
    case "if":
      return printIf(p, region);
    default:
      return unreachable(region);
  }
}

function printCarries(p: Printing, carries: readonly Carry[]): Layout {
  if (carries.length === 0) return "";
  return [" with ", carries.map((c, i) => [i === 0 ? "" : ", ", `${c.name.name} = `, printExpression(p, c.value)])];
}

/** On one line where each case is one short statement. */
function printIf(p: Printing, region: If): Layout {
  const blocks = [...region.branches.map((b) => b.body), region.otherwise];
  const simple = blocks.every((b) => b.statements.length === 1 && b.statements[0]?.kind === "yield");
  const short = simple && !p.comments.pendingBefore(region.span.end);
  const body = (b: Block): Layout => {
    const only = b.statements[0];
    if (!short || only === undefined) return printBlock(p, b);
    return ["{", indent([line, printStatement(p, only)]), line, "}"];
  };
  const branches = region.branches.map((b, i) => {
    return [i === 0 ? "if " : " else if ", printExpression(p, b.condition), " ", body(b.body)];
  });
  return group([branches, " else ", body(region.otherwise)]);
}
