import { unreachable } from "../ir/diagnostic.js";
import type { Value } from "../ir/node.js";
import type { SourceTable } from "../ir/sources.js";
import { standInOf } from "../ir/stand_ins.js";
import type { FusionRefusal, LoggedValue, Wanted } from "./fusion_log.js";
import type { PlanReason } from "./plan.js";
import { semanticsOf } from "./semantics.js";

/** The words for what the log has of a value: why it is computed as it is, where it is kept and for whom, and what it was fused into. */
export function reasonTexts(logged: LoggedValue, sources: SourceTable): readonly string[] {
  return [...computedTexts(logged), ...keptTexts(logged, sources), ...fusionTexts(logged)];
}

function computedTexts({ value, reason, kept, kind }: LoggedValue): readonly string[] {
  const { op } = value.node;
  if (kept === "counted") return ["the number of the round: the loop counts it"];
  if (kept === "given")
    return [
      op === "constant" ? "its numbers are known: they are constants of the program" : "it lies in memory already",
    ];
  if (reason === "cheap") {
    if (op === "constant") return ["a number in the code of what reads it"];
    if (semanticsOf(value.node).kind === "view") return ["another way to read its operand: what reads it does so"];
  }
  if (reason === "contraction" && kind === "dot")
    return ["a contraction in plain loops, which serve as well: it is small, or of vectors or integers"];
  return reason === "result" ? [] : [planReasonTexts[reason]];
}

const planReasonTexts: Readonly<Record<Exclude<PlanReason, "result"> | "evaluated", string>> = {
  evaluated: "so few numbers are evaluated op by op, without kernels: each op gives an array",
  stored: "it lies in memory already",
  cheap: "computed where it is read: that costs less than storing and loading it",
  reduction: "a reduction: its loops accumulate",
  contraction: "a contraction: a kernel is built around it",
  assembly: "a concatenation or padding: its parts are written into one buffer",
  routine: "a routine: hand-written loops that need whole operands in memory",
  region: "a loop or branch around kernels of its own",
  scatter: "writes at positions that only the run knows: a kernel of its own",
  shared: "several read it: to compute it for each would cost more than to do so once",
  repeated: "it is broadcast: computed in place, it would be computed again for each repetition",
  many_arrays: "with it, a kernel of the device would read more arrays than it may",
  large: "its expression is larger than one kernel should hold",
  operand_of_contraction: "a contraction reads it many times, so it is computed once, beforehand",
  operand_of_routine: "a routine, loop or branch needs it in memory",
  operand_of_positions: "it is read at positions that only the run knows, or is read before they are written",
  operand_of_reshape: "a reshape that merges axes reads it by position, which its own expression cannot give",
  checked_position: "a position that is checked once, before anything is written",
};

/** Where it is kept, and who wants it there. */
function keptTexts({ kept, wanted, readers, reason, kernels }: LoggedValue, sources: SourceTable): readonly string[] {
  const purposes = [...new Set(wanted.map((one) => wantedText(one, sources)))];
  switch (kept) {
    case "given":
    case "counted":
      return purposes.map((purpose) => `it is ${purpose}: a copy is made`);
    case "parts":
      return [`stored a part at a time, in a small buffer: other loops of ${kernels[0] ?? "its kernel"} read it`];
    case "nowhere":
      // What is computed where it is read has said so.
      return rootsNowhere.has(reason) ? [] : ["never stored: all that reads it has it in registers"];
    case "whole": {
      if (purposes.length > 0) return purposes.map((purpose) => `it is ${purpose}, so it is stored`);
      if (reason === "evaluated") return [];
      const [reader] = readers;
      if (reader === undefined) return [`stored: other loops of ${kernels[0] ?? "its kernel"} read it`];
      const more = readers.length > 1 ? ` and ${readers.length - 1} more` : "";
      return [`stored: ${reader}${more} ${readers.length > 1 ? "read" : "reads"} it`];
    }
    default:
      return unreachable(kept);
  }
}

const rootsNowhere: ReadonlySet<LoggedValue["reason"]> = new Set(["cheap", "evaluated"]);

function wantedText(wanted: Wanted, sources: SourceTable): string {
  switch (wanted.kind) {
    case "result":
      return `the result ${wanted.name}`;
    case "assigned":
      return `the new value of the variable ${wanted.path}`;
    case "sent":
      return `sent to the ${wanted.to === "gpu" ? "gpu" : "processor"}`;
    case "next": {
      const name = wordOf(wanted.carry, sources);
      return name === undefined ? "what the next round begins with" : `the next ${name} of the loop`;
    }
    case "stacked":
      return standsForTyped(wanted.result, sources)
        ? "what the loop yields in each round"
        : "kept of each round for the gradient";
    case "condition":
      return "what decides whether the loop goes on";
    case "branch_result":
      return "what the branch gives";
    default:
      return unreachable(wanted);
  }
}

/** What the text calls a parameter of a loop, or the one that it stands for. */
function wordOf({ node }: Value, sources: SourceTable): string | undefined {
  const standIn = standInOf(node);
  const own = [node, ...sources.stemsOf(node)].flatMap((one) => sources.spansOf(one)[0]?.written ?? [])[0];
  if (own !== undefined || standIn === undefined || standIn.of.node.op !== "parameter") return own;
  const of = wordOf(standIn.of, sources);
  return of !== undefined && standIn.role === "gradient" ? `gradient of ${of}` : of;
}

/** Whether a result of a loop stands for one that the text has: differentiation adds others. */
export function standsForTyped(value: Value, sources: SourceTable): boolean {
  return sources.resultsOf(value).some(({ node }) => sources.stemsOf(node).includes(node));
}

/** Why two were not fused. */
const refusalTexts: Readonly<Record<FusionRefusal, string>> = {
  switched_off: "fusion is switched off",
  one_output: "a kernel of a device stores one value, and both are needed elsewhere",
  reduces: "it reduces, and an epilogue is element-wise",
  may_fail_and_writes:
    "one of them can fail the run and the other writes a variable, which waits until all checks have passed",
  kernel_is_full: "the kernel would hold too much code",
  other_space: "their loops run over different axes",
  reads_other_elements: "it reads other elements than those that the same iteration computes",
  no_common_loop: "no loop of the one is a loop of the other",
};

/** How a value came into its kernel, and which ones it was not put into. */
function fusionTexts({ how, refused, kernels, reason, kept }: LoggedValue): readonly string[] {
  const kernel = kernels[0] ?? "";
  const what = kept === "given" ? "its copy is " : "";
  const into =
    how === undefined || kernel === "" || reason === "region"
      ? []
      : how === "epilogue"
        ? [`${what}fused into the epilogue of ${kernel}: done while the sums are in registers`]
        : how === "loops"
          ? [`${what}fused into the loops of ${kernel}`]
          : [`${what}the first of kernel ${kernel}`];
  return [...into, ...refused.map(({ by, why }) => `not fused into ${by}: ${refusalTexts[why]}`)];
}
