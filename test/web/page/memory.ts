/** What a page holds while a session trains in it. */

import type { DeviceName } from "../../../compiler/backends/gpu/devices/device.js";
import { openModel, type Session } from "../../../web/index.js";

/** Objects of WebGL that are alive, whoever made them. */
let alive = 0;

for (const kind of ["Texture", "Framebuffer", "Buffer", "Program", "Shader", "VertexArray"]) {
  count(`create${kind}`, 1);
  count(`delete${kind}`, -1);
}
count("fenceSync", 1);
count("deleteSync", -1);

function count(name: string, change: number): void {
  const prototype: object = Reflect.get(globalThis, "WebGL2RenderingContext").prototype;
  const original: unknown = Reflect.get(prototype, name);
  if (typeof original !== "function") throw new Error(`WebGL has no ${name}`);
  Reflect.set(prototype, name, function (this: unknown, ...given: readonly unknown[]) {
    alive += change;
    return original.apply(this, given);
  });
}

export interface Held {
  readonly step: number;
  /** Arrays and kernels of the device. */
  readonly arrays: number;
  readonly kernels: number;
  readonly objects: number;
}

let session: Session | undefined;

/** Trains on until step `steps`, with a prediction in between. */
export async function trainTo(model: string, device: DeviceName, steps: number): Promise<Held> {
  session ??= await openModel(model, { device });
  const rows = 64;
  const x = {
    dtype: "f32",
    shape: [rows, 6],
    data: Float32Array.from({ length: rows * 6 }, (_, i) => Math.sin(i)),
  } as const;
  const y = {
    dtype: "f32",
    shape: [rows, 2],
    data: Float32Array.from({ length: rows * 2 }, (_, i) => Math.cos(i)),
  } as const;
  while (session.step < steps) {
    await session.train({ run: "fit", data: { x, y }, batch: 16, steps: session.step + 10, every: 5 });
    await session.run("predict", { x });
  }
  const { arrays = Number.NaN, kernels = Number.NaN } = (await session.program.backend.counts?.()) ?? {};
  return { step: session.step, arrays, kernels, objects: alive };
}

/** The arrays that are left when the session is closed. */
export async function end(): Promise<number> {
  const { backend } = session?.program ?? {};
  await session?.close();
  session = undefined;
  return (await backend?.counts?.())?.arrays ?? Number.NaN;
}
