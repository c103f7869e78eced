import type { Span } from "../../ir/span.js";
import { messageOf } from "./devices/device.js";

/** A device did not do what it was asked: it refused a kernel, had no memory left, or went away. */
export class DeviceFailure extends Error {
  override readonly name = "DeviceFailure";
  readonly spans: readonly Span[];

  constructor(message: string, spans: readonly Span[], options?: ErrorOptions) {
    super(message, options);
    this.spans = spans;
  }
}

/** The failure to bring a result back. */
export function transferFailure(device: string, reason: unknown): DeviceFailure {
  return new DeviceFailure(
    `${device} did not give a result: ${typeof reason === "string" ? reason : messageOf(reason)}`,
    [],
    { cause: reason },
  );
}

/** The failure of one kernel. */
export function kernelFailure(
  { name, spans }: { readonly name: string; readonly spans: readonly Span[] },
  device: string,
  reason: unknown,
): DeviceFailure {
  const why = typeof reason === "string" ? reason : messageOf(reason);
  return new DeviceFailure(`the kernel \`${name}\` failed on ${device}: ${why}`, spans, { cause: reason });
}
