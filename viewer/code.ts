import type { Excerpt } from "../compiler/backends/llvm/excerpt.js";
import type { KernelListing } from "../compiler/backends/llvm/listing.js";
import { leavesOf } from "../compiler/kernels/access.js";
import type { KernelProgram } from "../compiler/kernels/form.js";
import type { GroupModel, ListingModel, ProgramModel, ViewerDocument } from "./model.js";

/** Kernels of one program that are compiled for a page, and characters of code in a page: the rest is left out, which is said. */
const mostKernels = 400;
const mostCharacters = 3_000_000;

/** What compiles a program; a text says why it cannot. */
export type Lister = (program: KernelProgram) => Promise<ReadonlyMap<string, KernelListing> | string>;

/** The document with the code that its kernels become. `programs`: the processor's kernels by the program's name. */
export async function withCode(
  document: ViewerDocument,
  programs: ReadonlyMap<string, readonly KernelProgram[]>,
  list: Lister,
): Promise<ViewerDocument> {
  // All at once: while tools compile one program, the next is lowered.
  const found = await Promise.all(
    document.programs.map(({ name }) => {
      const parts = programs.get(name);
      return parts === undefined ? undefined : listed(parts, list);
    }),
  );
  const room = { left: mostCharacters };
  return {
    ...document,
    programs: document.programs.map((program, i) => {
      const listings = found[i];
      return listings === undefined ? program : withListings(program, listings, room);
    }),
  };
}

type Listings = ReadonlyMap<string, KernelListing>;

async function listed(parts: readonly KernelProgram[], list: Lister): Promise<readonly Listings[] | string> {
  const count = parts.reduce((sum, { compute, commit }) => sum + leavesOf([...compute, ...commit]).length, 0);
  if (count > mostKernels)
    return `${count} kernels are too many for a page: graphc inspect --stage asm prints their code.`;
  const found = await Promise.all(parts.map(list));
  const refused = found.find((one) => typeof one === "string");
  return typeof refused === "string" ? refused : found.filter((one) => typeof one !== "string");
}

function withListings(
  program: ProgramModel,
  listings: readonly Listings[] | string,
  room: { left: number },
): ProgramModel {
  if (typeof listings === "string") return { ...program, unlisted: listings };
  let isFull = false;
  // Parts may have kernels of one name: they come in the same order here and there.
  const left = listings.map((part) => new Map(part));
  const taken = (name: string): KernelListing | undefined => {
    const part = left.find((one) => one.has(name));
    const found = part?.get(name);
    part?.delete(name);
    return found;
  };
  const groups = (given: readonly GroupModel[]): readonly GroupModel[] =>
    given.map((group): GroupModel => {
      const { name, kernel } = group;
      if (kernel === undefined || kernel.listings.length > 0 || kernel.unlisted !== undefined || isFull) return group;
      const code = taken(name);
      if (code === undefined) return group;
      const models = [...listing("LLVM", code.llvm), ...listing("assembly", code.assembly)];
      room.left -= models.reduce((sum, { text }) => sum + text.length, 0);
      isFull = room.left < 0;
      return isFull ? group : { ...group, kernel: { ...kernel, listings: models } };
    });
  const views = program.views.map((view) =>
    view.kind === "kernels" ? { ...view, groups: groups(view.groups) } : view,
  );
  const full = "The page is full: graphc inspect --stage asm prints the code of all kernels.";
  return { ...program, views, unlisted: isFull ? full : undefined };
}

function listing(form: string, excerpt: Excerpt | undefined): readonly ListingModel[] {
  if (excerpt === undefined) return [];
  const { what, total, lines } = excerpt;
  return [{ form, what: what === "whole" ? `${total} lines` : `${what} of ${total} lines`, text: lines.join("\n") }];
}
