import { InvalidArgumentError } from "commander";

/** `KIND=NAME,...:PATH`: what is drawn of which results, and where to. */
export interface PlotRequest {
  readonly kind: "confusion" | "images" | "line" | "scatter";
  readonly names: readonly string[];
  readonly path: string;
}

/** More lines than these can't be told apart. */
export const mostLines = 20;

/** How many results each kind takes. */
const counts: Readonly<Record<PlotRequest["kind"], readonly [least: number, most: number]>> = {
  confusion: [2, 2],
  images: [1, 1],
  line: [1, mostLines],
  scatter: [1, 3],
};

export function plotRequests(text: string, previous: readonly PlotRequest[] | undefined): readonly PlotRequest[] {
  const [, kind = "", list = "", path = ""] = /^(\w+)=([^:]+):(.+)$/.exec(text) ?? [];
  const known = (Object.keys(counts) as PlotRequest["kind"][]).find((one) => one === kind);
  if (known === undefined)
    throw new InvalidArgumentError(
      "It reads confusion=A,B:OUT.svg, images=A:OUT.svg, line=A,...:OUT.svg, scatter=XY[,CLASS]:OUT.svg or scatter=X,Y[,CLASS]:OUT.svg.",
    );
  const names = list.split(",").map((name) => name.trim());
  if (names.includes("")) throw new InvalidArgumentError("A name is empty: names stand between commas.");
  const [least, most] = counts[known];
  if (names.length < least || names.length > most) {
    const count = least === most ? String(least) : `${least} to ${most}`;
    throw new InvalidArgumentError(`${known} takes ${count} name${count === "1" ? "" : "s"}.`);
  }
  const extension = /\.[a-z]+$/i.exec(path)?.[0].toLowerCase();
  if (extension !== ".svg" && extension !== ".png") throw new InvalidArgumentError("Its file ends in .svg or .png.");
  return [...(previous ?? []), { kind: known, names, path }];
}
