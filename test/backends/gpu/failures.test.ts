import test from "ava";
import type { GpuDevice } from "../../../compiler/backends/gpu/devices/device.js";
import { openDevice } from "../../../compiler/backends/gpu/devices/node.js";
import { backendOn } from "../../../compiler/backends/gpu/on_device.js";
import { referenceBackend } from "../../../compiler/backends/reference/backend.js";
import { Program } from "../../../compiler/program.js";
import { GraphError, Session } from "../../../index.js";
import { compileText } from "../../runtime/programs.js";

/** A device that reports a problem after the next kernels, as a driver does that has no memory left or lost its device. */
async function failing(): Promise<{
  readonly device: GpuDevice;
  readonly failAfter: (kernels: number | undefined) => void;
}> {
  const device = await openDevice("webasm");
  let left: number | undefined;
  const takeProblems = (): readonly string[] => {
    if (left === undefined) return device.takeProblems();
    return left-- > 0 ? [] : ["out of memory"];
  };
  return {
    device: { ...device, takeProblems },
    failAfter: (kernels) => {
      left = kernels;
    },
  };
}

const text = `graph walk {
  placeholder x: f32[4]
  variable w: f32[4] = zeros()
  moved = tanh(w + x)
  length = sum(moved * moved)
  update step {
    w := moved + x
  }
  signature go(x) does step -> (length)
}
`;

const x = Float32Array.of(1, 2, 3, 4);

for (const kernels of [0, 1]) {
  test(`a device that fails after ${kernels} kernels of a run: the error names kernel and line, and variables stay`, async (t) => {
    const { graph } = await compileText(t, text);
    const { device, failAfter } = await failing();
    const backend = backendOn(
      device,
      () => openDevice("webasm"),
      referenceBackend(),
      () => {},
    );
    const program = await Program.create(graph, backend, { checkNumerics: false });
    await using session = new Session(program);
    await session.run("go", { x });
    const before = await session.read("w");
    failAfter(kernels);
    const failure = await t.throwsAsync(session.run("go", { x }), { instanceOf: GraphError });
    failAfter(undefined);
    const [diagnostic] = failure?.diagnostics ?? [];
    t.is(diagnostic?.code, "G124");
    t.regex(diagnostic?.message ?? "", /the kernel `\w+` failed on webasm: out of memory/);
    const lines = text.slice(0, diagnostic?.span?.start).split("\n").length;
    t.true([4, 5, 7].includes(lines), `line ${lines}`);
    t.deepEqual(await session.read("w"), before);
    t.is(session.step, 1);

    // Another session goes on from there, as this one does.
    await using next = new Session(program);
    next.set("w", before);
    const results = [await next.run("go", { x }), await session.run("go", { x })];
    t.deepEqual(results[0], results[1]);
    t.deepEqual(await next.read("w"), await session.read("w"));
  });
}
