import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { deviceNames, fallbackOf, type GpuDevice } from "../../../compiler/backends/gpu/devices/device.js";
import { openDevice } from "../../../compiler/backends/gpu/devices/node.js";
import { probeDevices } from "../../../compiler/backends/gpu/devices/probe.js";
import { vulkanDrivers } from "../../../compiler/backends/gpu/devices/vulkan.js";
import { GraphError } from "../../../compiler/ir/diagnostic.js";
import { hasSoftware, startXServer } from "./software.js";

const swiftShader = hasSoftware("swiftshader") ? test.serial : test.serial.skip;
const headlessGl = hasSoftware("headlessgl") ? test.serial : test.serial.skip;

async function doubled(t: ExecutionContext, device: GpuDevice): Promise<void> {
  const kernel = device.gpu.createKernel("function(a) { return a[this.thread.x] * 2.0; }", { output: [3] });
  t.deepEqual(await kernel(Float32Array.of(1, -2, 0.25)), Float32Array.of(2, -4, 0.5));
  t.is(fallbackOf(device.gpu, kernel), undefined);
}

for (const name of ["webasm", "cpu"] as const) {
  test.serial(`${name} runs kernels wherever Node does`, async (t) => {
    const device = await openDevice(name);
    t.is(device.name, name);
    t.deepEqual(device.passedOver, []);
    await doubled(t, device);
    await device.close();
  });
}

swiftShader("webgpu: two share it, and it is there until both have closed; navigator is as it was", async (t) => {
  const before = Reflect.getOwnPropertyDescriptor(globalThis, "navigator");
  const [first, second] = [await openDevice("webgpu"), await openDevice("webgpu")];
  t.regex(first.adapter, /SwiftShader/);
  await first.close();
  await first.close();
  await doubled(t, second);
  await second.close();
  t.deepEqual(Reflect.getOwnPropertyDescriptor(globalThis, "navigator"), before);
  const again = await openDevice("webgpu");
  await doubled(t, again);
  await again.close();
});

swiftShader("webgpu: what the driver refuses is told, not only printed", async (t) => {
  const device = await openDevice("webgpu");
  // Nine storage buffers, where WebGPU promises eight.
  const names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
  const sum = names.map((name) => `${name}[this.thread.x]`).join(" + ");
  const kernel = device.gpu.createKernel(`function(${names}) { return ${sum}; }`, { output: [2] });
  await t.throwsAsync(async () => kernel(...names.map(() => Float32Array.of(1, 2))));
  t.regex(device.takeProblems().join(), /number of storage buffers \(10\)/);
  t.deepEqual(device.takeProblems(), []);
  await device.close();
});

swiftShader("a process that has used webgpu ends, whether or not it closed it", (t) => {
  const module = fileURLToPath(import.meta.resolve("../../../compiler/backends/gpu/devices/node.js"));
  for (const end of ["", "await device.close();"]) {
    const script = `const { openDevice } = await import(process.argv[1]); const device = await openDevice("webgpu"); ${end}`;
    const ended = spawnSync(process.execPath, ["--input-type=module", "-e", script, module], { timeout: 30_000 });
    t.is(ended.status, 0, String(ended.stderr));
  }
});

headlessGl("headlessgl runs kernels where there is an X server", async (t) => {
  const refused = await t.throwsAsync(openDevice("headlessgl"), { instanceOf: GraphError });
  t.regex(refused.message, /DISPLAY is not set/);
  const server = await startXServer();
  const opened = spawnSync(
    process.execPath,
    [fileURLToPath(import.meta.resolve("../../../compiler/backends/gpu/devices/probe_child.js")), "headlessgl"],
    { encoding: "utf8", timeout: 60_000 },
  );
  server.stop();
  t.like(JSON.parse(opened.stdout), { name: "headlessgl", available: true });
});

test.serial("a device that is asked for and does not work is an error with the reason and what mends it", async (t) => {
  const variable = process.env["VK_DRIVER_FILES"];
  process.env["VK_DRIVER_FILES"] = "/nonexistent/driver.json";
  const error = await t.throwsAsync(openDevice("webgpu"), { instanceOf: GraphError });
  if (variable === undefined) delete process.env["VK_DRIVER_FILES"];
  else process.env["VK_DRIVER_FILES"] = variable;
  const [problem] = error.diagnostics;
  t.is(problem?.code, "G122");
  if (process.platform === "linux") {
    t.regex(problem?.message ?? "", /^device webgpu is not available: VK_DRIVER_FILES names no driver/);
    t.regex(problem?.hint ?? "", /libvulkan1/);
  }
  // These need nothing that a machine may lack.
  t.regex(problem?.hint ?? "", /; here works `--device webasm`, and cpu$/);
});

test.serial("a kernel that fell back to JavaScript is told apart", async (t) => {
  const device = await openDevice("webasm");
  const kernel = device.gpu.createKernel("function(a) { return a[this.thread.x]; }", { output: [2] });
  // Several results are what WebAssembly kernels do not have.
  kernel.addSubKernel({
    name: "twice",
    source: "function twice(a) { return a * 2; }",
    property: "twice",
    returnType: "Number",
  });
  await kernel(Float32Array.of(1, 2));
  t.regex(fallbackOf(device.gpu, kernel) ?? "", /kernel maps are not supported/);
  await device.close();
});

test("doctor's list: each device by name, with what it is or why it does not work", async (t) => {
  const probes = await probeDevices();
  t.deepEqual(
    probes.map(({ name }) => name),
    [...deviceNames],
  );
  for (const { name, available, adapter, reason } of probes) {
    t.is(available, adapter !== undefined, name);
    t.is(available, reason === undefined, name);
  }
  t.like(probes.at(-1), { name: "cpu", available: true });
});

test("Vulkan drivers are the files that a variable names, else those in the system's folders", (t) => {
  const root = mkdtempSync(join(tmpdir(), "graphc-test-"));
  const folder = join(root, "vulkan", "icd.d");
  mkdirSync(folder, { recursive: true });
  for (const name of ["one.json", "two.json", "notes.txt"]) writeFileSync(join(folder, name), "{}");
  const [one, two] = [join(folder, "one.json"), join(folder, "two.json")];
  const none = join(root, "none");
  const system = { XDG_CONFIG_HOME: none, XDG_CONFIG_DIRS: none, XDG_DATA_HOME: none };
  t.deepEqual(vulkanDrivers({ VK_DRIVER_FILES: `${two}:/nonexistent.json` }), [two]);
  t.deepEqual(vulkanDrivers({ VK_ICD_FILENAMES: folder }), [one, two]);
  t.deepEqual(vulkanDrivers({ VK_DRIVER_FILES: "/nonexistent.json", VK_ICD_FILENAMES: one }), []);
  const found = vulkanDrivers({ ...system, XDG_DATA_DIRS: root, VK_ADD_DRIVER_FILES: one });
  t.deepEqual(
    found.filter((path) => path.startsWith(root)),
    [one, one, two],
  );
});
