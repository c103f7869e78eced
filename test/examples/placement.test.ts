import { join } from "node:path";
import test from "ava";
import { compile, type DeviceName, Session, type TargetName } from "../../index.js";
import { hasSoftware } from "../backends/gpu/software.js";

const examples = join(import.meta.dirname, "..", "..", "examples");

/** What twenty steps come to, with what the network then says. */
async function trained(options: { readonly target?: TargetName; readonly device?: DeviceName }) {
  const program = await compile(join(examples, "placement", "placement.graph"), { ...options, onWarning: () => {} });
  await using session = new Session(program);
  const { metrics } = await session.train({ dataDir: join(examples, "iris", "data"), steps: 20 });
  const measurements = Float32Array.of(
    5.1,
    3.5,
    1.4,
    0.2,
    6.3,
    3.3,
    6,
    2.5,
    5.7,
    2.8,
    4.1,
    1.3,
    4.9,
    2.4,
    3.3,
    1,
    6.9,
    3.1,
    5.4,
    2.1,
  );
  const { logits } = await session.run("predict", { measurements });
  return [metrics["loss"], metrics["accuracy"], ...(logits?.data ?? [])].map(Number);
}

const devices: readonly DeviceName[] = ["webasm", ...(hasSoftware("swiftshader") ? (["webgpu"] as const) : [])];

for (const device of devices)
  test.serial(`placement learns on ${device} what the reference learns`, async (t) => {
    const plain = await trained({ target: "reference" });
    const both = await trained({ device });
    t.is(both.length, 2 + 5 * 3);
    t.true((both[0] ?? 1) < 0.3 && (both[1] ?? 0) > 0.9);
    plain.forEach((value, i) => {
      t.true(
        Math.abs((both[i] ?? Number.NaN) - value) <= 1e-3 * Math.max(1, Math.abs(value)),
        `${i}: ${both[i]} is not ${value}`,
      );
    });
  });
