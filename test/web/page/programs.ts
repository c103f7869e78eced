/** Whole programs on a device of the page's browser. */

import type { DeviceName } from "../../../compiler/backends/gpu/devices/device.js";
import { openModel, type Session } from "../../../web/index.js";

/** What a run gives, or is refused with. */
export interface Ran {
  readonly results: Readonly<Record<string, readonly number[]>>;
  /** Bytes to and from the device. */
  readonly sent: { readonly up: number; readonly down: number };
}

type Fed = Readonly<Record<string, { readonly shape: readonly number[]; readonly data: readonly number[] }>>;

const fed = (feeds: Fed) =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, { shape, data }]) => [
      name,
      { dtype: "f32", shape, data: Float32Array.from(data) } as const,
    ]),
  );

async function countsOf({ program }: Session) {
  const counts = await program.backend.counts?.();
  if (counts === undefined) throw new Error("a device that counts nothing");
  return counts;
}

/** A signature run so many times, one after another, and the arrays that are left when the session is closed. */
export async function runs(
  model: string,
  device: DeviceName,
  signature: string,
  feeds: Fed,
  times: number,
): Promise<{ readonly ran: readonly Ran[]; readonly left: number; readonly warnings: readonly string[] }> {
  const warnings: string[] = [];
  const session = await openModel(model, { device, seed: 3, onWarning: ({ message }) => warnings.push(message) });
  const ran: Ran[] = [];
  for (let i = 0; i < times; i++) {
    const before = await countsOf(session);
    const results: Record<string, readonly number[]> = {};
    for (const [name, { data }] of Object.entries(await session.run(signature, fed(feeds))))
      results[name] = [...data].map(Number);
    const after = await countsOf(session);
    const sent = { up: after.bytesUp - before.bytesUp, down: after.bytesDown - before.bytesDown };
    ran.push({ results, sent });
  }
  await session.close();
  return { ran, left: (await session.program.backend.counts?.())?.arrays ?? Number.NaN, warnings };
}

/** The module that `graphc build` wrote at this address: what it predicts, its losses in training and its variables after that. */
export async function trained(
  address: string,
  device: DeviceName,
  x: readonly number[],
  label: readonly number[],
): Promise<{
  readonly device: string;
  readonly probs: readonly number[];
  readonly losses: readonly number[];
  readonly variables: Readonly<Record<string, readonly number[]>>;
}> {
  const module: { readonly open: (options: object) => Promise<Session> } = await import(address);
  const session = await module.open({ device, seed: 3 });
  const columns = x.length / label.length;
  const image = { dtype: "f32", shape: [label.length, columns], data: Float32Array.from(x) } as const;
  const labels = { dtype: "i64", shape: [label.length], data: BigInt64Array.from(label, BigInt) } as const;
  const losses: number[] = [];
  const onReport = ({ metrics }: { readonly metrics: Readonly<Record<string, number>> }): void => {
    losses.push(metrics["loss"] ?? Number.NaN);
  };
  await session.train({ run: "fit", data: { x: image, label: labels }, batch: 16, steps: 20, every: 5, onReport });
  const { probs } = await session.run("predict", { x: image });
  const variables: Record<string, readonly number[]> = {};
  for (const path of session.variables.paths) variables[path] = [...(await session.read(path)).data].map(Number);
  const name = session.program.backend.device;
  await session.close();
  return { device: name, probs: [...(probs?.data ?? [])].map(Number), losses, variables };
}
