import { InvalidArgumentError } from "commander";

/** `KIND=NAME,...:PATH`: what is drawn of which results, and where to. */
export interface PlotRequest {
  readonly kind: "confusion" | "images" | "line" | "scatter";
  readonly names: readonly string[];
  readonly path: string;
}

/** How many results each kind takes. */
const counts: Readonly<Record<PlotRequest["kind"], readonly [least: number, most: number]>> = {
  confusion: [2, 2],
  images: [1, 1],
  line: [1, 20],
  scatter: [2, 3],
};

export function plotRequests(text: string, previous: readonly PlotRequest[] | undefined): readonly PlotRequest[] {
  const [, kind = "", list = "", path = ""] = /^(\w+)=([^:]+):(.+)$/.exec(text) ?? [];
  const known = (Object.keys(counts) as PlotRequest["kind"][]).find((one) => one === kind);
  if (known === undefined)
    throw new InvalidArgumentError(
      "It reads confusion=A,B:OUT.svg, images=A:OUT.svg, line=A,...:OUT.svg or scatter=X,Y[,CLASS]:OUT.svg.",
    );
  const names = list.split(",").map((name) => name.trim());
  const [least, most] = counts[known];
  if (names.length < least || names.length > most) {
    throw new InvalidArgumentError(`${known} takes ${least === most ? least : `${least} to ${most}`} names.`);
  }
  const extension = /\.[a-z]+$/i.exec(path)?.[0].toLowerCase();
  if (extension !== ".svg" && extension !== ".png") throw new InvalidArgumentError("Its file ends in .svg or .png.");
  return [...(previous ?? []), { kind: known, names, path }];
}
