import type { SignatureHelp } from "vscode-languageserver";
import type { Source } from "./analysis.js";
import { callAround, contextAt } from "./context.js";
import { callableDoc, parametersOf } from "./describe.js";
import type { Workspace } from "./workspace.js";

/** The parameters of the call around a place, and which of them stands there. */
export function signatureHelpAt(workspace: Workspace, source: Source, offset: number): SignatureHelp | undefined {
  const context = contextAt(source, offset);
  if (context.comment) return undefined;
  const call = callAround(workspace, source, context);
  if (call === undefined) return undefined;
  const { callable, name, named, position } = call;
  const parameters = parametersOf(callable, (file) => workspace.source(file)?.text);
  const label = `${name}(${parameters.map((one) => one.label).join(", ")})`;
  const byName = named === undefined ? -1 : parameters.findIndex((one) => one.name === named);
  const last = parameters.length - 1;
  const isVariadic = callable.kind === "intrinsic" && callable.intrinsic.parameters.at(-1)?.variadic === true;
  const active = byName >= 0 ? byName : isVariadic ? Math.min(position, last) : position;
  const doc = callableDoc(callable);
  return {
    signatures: [
      {
        label,
        ...(doc === undefined ? {} : { documentation: { kind: "markdown", value: doc } }),
        parameters: parameterLabels(name, parameters),
      },
    ],
    activeSignature: 0,
    activeParameter: active,
  };
}

/** Labels by their offsets: one may be a part of another. */
function parameterLabels(name: string, parameters: ReturnType<typeof parametersOf>) {
  let at = name.length + 1;
  return parameters.map(({ label, doc }) => {
    const start = at;
    at += label.length + 2;
    const documentation = doc === undefined ? {} : { documentation: doc };
    return { label: [start, start + label.length] as [number, number], ...documentation };
  });
}
