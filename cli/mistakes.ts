import type { Command, CommanderError } from "commander";
import { placeLike } from "../compiler/ir/device.js";
import { nearestName } from "../compiler/ir/nearest.js";

/** What other programs call options, and what is here for it. */
const elsewhere: ReadonlyMap<string, string> = new Map([
  ["lr", "the learning rate stands in the .graph file, at its optimizer"],
  ["learningrate", "the learning rate stands in the .graph file, at its optimizer"],
  ["optimizer", "the optimizer stands in the .graph file"],
  ["gpu", "did you mean --target gpu?"],
  ["cuda", "did you mean --target gpu?"],
  ["cpu", "did you mean --target cpu?"],
  ["verbose", "GRAPHC_DEBUG=1 in the environment tells more"],
  ["dim", "sizes follow from what is fed"],
  ["force", "outputs are written over without it"],
]);

/** What commander says of a command line that it does not understand, in our voice and with what was meant. */
export function mistakeText(
  error: CommanderError,
  command: Command | undefined,
  parameters: readonly string[],
): string {
  const message = error.message.replace(/^error: /, "");
  // What commander says where it would print its help instead.
  if (message === "(outputHelp)") return `there is no command '${parameters[1] ?? ""}'`;
  if (error.code === "commander.unknownOption" && parameters[0]?.startsWith("-") === true) {
    return `${message}; options stand behind the command`;
  }
  const guessed = message.replace(/\n\(Did you mean (.*)\?\)$/s, "; did you mean $1?");
  if (guessed !== message) return guessed;
  if (error.code === "commander.unknownOption") {
    const hint = meantOption(/'--?([^'=]+)/.exec(message)?.[1] ?? "", command);
    return hint === undefined ? message : `${message}; ${hint}`;
  }
  const [, given, listed] = /argument '(.*)' is invalid\. Allowed choices are (.*)\.$/s.exec(message) ?? [];
  if (given === undefined || listed === undefined) return message;
  const choices = listed.split(", ");
  const meant = nearestName(given.toLowerCase(), choices) ?? choices.find((choice) => choice === placeLike(given));
  return meant === undefined ? message : `${message} Did you mean ${meant}?`;
}

/** `--batchsize` and `--batch-size` are `--batch`. */
function meantOption(given: string, command: Command | undefined): string | undefined {
  const plain = (text: string): string => text.replace(/^--|[-_]/g, "").toLowerCase();
  const wanted = plain(given);
  const options = (command?.options ?? []).flatMap(({ long }) => (typeof long === "string" ? [long] : []));
  const isLike = (option: string): boolean => {
    const name = plain(option);
    return name.length > 1 && wanted.length > 1 && (wanted.startsWith(name) || name.startsWith(wanted));
  };
  const [meant] = options.filter(isLike).sort((a, b) => b.length - a.length);
  return meant === undefined ? elsewhere.get(wanted) : `did you mean ${meant}?`;
}
