import { fileError } from "../../runtime/files/errors.js";

/** `runtime/data/csv.ts` and `runtime/data/npz.ts` in a page: their readers are streams of Node's. */

function refused(format: string): never {
  throw fileError(
    "G071",
    `a page does not read ${format}`,
    "give the columns as arrays, or as IDX, .npy or .safetensors",
  );
}

export async function readCsv(): Promise<never> {
  return refused(".csv");
}

export async function readCsvNames(): Promise<never> {
  return refused(".csv");
}

export async function openNpz(): Promise<never> {
  return refused(".npz");
}
