/** What a test file expects of runs, as checks of named edges. */
import type { Tensor } from "../../../compiler/ir/tensor.js";
import type { FeedValue } from "../../../runtime/feeds.js";
import { directivesOf, type LoadedTest, pathOf } from "./load.js";
import { difference, feedOf, type Written, type WrittenType } from "./values.js";

export interface Check {
  readonly line: number;
  /** What is checked, for messages. */
  readonly label: string;
  readonly path: string;
  readonly value: Written;
  readonly type: WrittenType | undefined;
  readonly within: number | undefined;
}

/** The values that are written; gradients that are compared with differences are not among them. */
export function checksOf(file: LoadedTest): readonly Check[] {
  const { graph } = file;
  if (graph === undefined) return [];
  return [
    ...directivesOf(file, "expect").map(
      ({ line, name, value, type, within }): Check => ({
        line,
        label: name,
        path: pathOf(graph, name),
        value,
        type,
        within,
      }),
    ),
    ...directivesOf(file, "gradient").flatMap((one): Check[] =>
      one.value === "numeric"
        ? []
        : [
            {
              line: one.line,
              label: `the gradient of ${one.of} in ${one.in}`,
              path: file.gradients.get(one) ?? "",
              value: one.value,
              type: undefined,
              within: one.within,
            },
          ],
    ),
  ];
}

export function feedsOf(file: LoadedTest): Readonly<Record<string, FeedValue>> {
  return Object.fromEntries(directivesOf(file, "feed").map(({ name, value }) => [name, feedOf(value)]));
}

export function updatesOf(file: LoadedTest): readonly string[] {
  return directivesOf(file, "does").map(({ name }) => name);
}

/** What is wrong with the values of a run, a line each. */
export function wrongValues(checks: readonly Check[], found: ReadonlyMap<string, Tensor>): readonly string[] {
  return checks.flatMap(({ line, label, path, value, type, within }) => {
    const tensor = found.get(path);
    const wrong = tensor === undefined ? "there is no such edge" : difference(tensor, value, type, within);
    return wrong === undefined ? [] : [`line ${line + 1}: ${label}: ${wrong}`];
  });
}
