// Prepares a checkout for all tests of GPU devices, on a machine that needs no GPU: a software Vulkan driver or two, an X server
// in memory and the package gl for headlessgl, and a browser. Does nothing that is already done. Needs scripts/setup.mjs first.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { aptInstall, hasCommand } from "./debian.mjs";

const root = join(import.meta.dirname, "..");
const gl = join(root, "node_modules", "gl");
const glBuilt = join(gl, "build", "Release", "webgl.node");
const libraries = "/usr/lib/x86_64-linux-gnu";
const hasLibrary = (name) => existsSync(join(libraries, name));

/** Each package and the sign of its presence. */
const running = [
  { name: "libvulkan1", present: () => hasLibrary("libvulkan.so.1") },
  {
    name: "chromium",
    present: () => hasCommand("chromium") && existsSync("/usr/lib/chromium/vk_swiftshader_icd.json"),
  },
  { name: "xvfb", present: () => hasCommand("Xvfb") },
  { name: "libgl1", present: () => hasLibrary("libGL.so.1") },
  { name: "libgl1-mesa-dri", present: () => existsSync(join(libraries, "dri", "swrast_dri.so")) },
];
/** What libvulkan_lvp.so is linked with and not every machine has. */
const lavapipeLibraries = [
  ["libllvm15", "libLLVM-15.so.1"],
  ["libdrm2", "libdrm.so.2"],
  ["libwayland-client0", "libwayland-client.so.0"],
  ["libx11-xcb1", "libX11-xcb.so.1"],
  ["libxcb-dri3-0", "libxcb-dri3.so.0"],
  ["libxcb-present0", "libxcb-present.so.0"],
  ["libxcb-randr0", "libxcb-randr.so.0"],
  ["libxcb-shm0", "libxcb-shm.so.0"],
  ["libxcb-sync1", "libxcb-sync.so.1"],
  ["libxcb-xfixes0", "libxcb-xfixes.so.0"],
  ["libxshmfence1", "libxshmfence.so.1"],
].map(([name, library]) => ({ name, present: () => hasLibrary(library) }));
const compilingGl = [
  { name: "g++", present: () => hasCommand("g++") },
  { name: "make", present: () => hasCommand("make") },
  { name: "python3", present: () => hasCommand("python3") },
  // The build of ANGLE, inside gl, calls it by this name.
  { name: "python-is-python3", present: () => hasCommand("python") },
  { name: "pkg-config", present: () => hasCommand("pkg-config") },
  { name: "libx11-dev", present: () => existsSync("/usr/include/X11/Xlib.h") },
  { name: "libxext-dev", present: () => existsSync("/usr/include/X11/extensions/Xext.h") },
  { name: "libxi-dev", present: () => existsSync("/usr/include/X11/extensions/XInput2.h") },
  { name: "libgl-dev", present: () => existsSync("/usr/include/GL/gl.h") },
  { name: "libglu1-mesa-dev", present: () => existsSync("/usr/include/GL/glu.h") },
  { name: "libglew-dev", present: () => existsSync("/usr/include/GL/glew.h") },
];

function fail(reason, command) {
  console.error(`setup-gpu: ${reason}${command === undefined ? "" : `; run this, then make again:\n\n  ${command}\n`}`);
  process.exit(1);
}

function run(program, parameters, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, parameters, { encoding: "utf8", ...options });
  if (status === 0) return;
  fail(
    `${program} ${parameters.join(" ")} failed: ${error?.message ?? ""}\n${stdout ?? ""}${stderr ?? ""}`.slice(-4000),
  );
}

/** gl has a build for few versions of Node, and none that can be downloaded everywhere: it is compiled from its sources. */
function compileGl() {
  if (existsSync(glBuilt)) return;
  if (!existsSync(gl)) fail("the npm package gl is missing; `npm install` brings it");
  console.log("setup-gpu: compiling gl for a minute or two, once");
  const env = { ...process.env, JOBS: String(availableParallelism()) };
  run("npm", ["run", "--silent", "rebuild"], { cwd: gl, env, stdio: ["ignore", "pipe", "pipe"], maxBuffer: 2 ** 28 });
}

/** A second software driver, Mesa's: Debian 12's own is too old for Dawn, and that of its backports is not. */
const lavapipe = join(root, "node_modules", ".cache", "graphc-gpu", "lavapipe");

/**
 * Takes the one driver out of the package of Debian's backports and leaves the machine as it is: as an installed package it
 * would replace libraries, and be every Vulkan program's driver. Where there are no backports it says so and does without.
 */
function unpackLavapipe() {
  if (existsSync(join(lavapipe, "icd.json"))) return;
  const folder = `${lavapipe}.new`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const failure = downloadFromBackports("mesa-vulkan-drivers", folder) ?? unpack(folder);
  if (failure !== undefined) {
    rmSync(folder, { recursive: true, force: true });
    console.log(`setup-gpu: without lavapipe, Mesa's software driver: ${failure}`);
    return;
  }
  rmSync(lavapipe, { recursive: true, force: true });
  renameSync(folder, lavapipe);
}

/** Through lists of its own: those of the machine stay as they are. Returns what went wrong. */
function downloadFromBackports(name, folder) {
  const release = /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
  const mirror = debianMirror();
  if (release === undefined || mirror === undefined) return "this is not Debian, or its mirror is not known";
  const sources = join(folder, "backports.list");
  const keys = "/usr/share/keyrings/debian-archive-keyring.gpg";
  writeFileSync(sources, `deb [signed-by=${keys}] ${mirror} ${release}-backports main\n`);
  mkdirSync(join(folder, "lists", "partial"), { recursive: true });
  const options = {
    "Dir::Etc::sourcelist": sources,
    "Dir::Etc::sourceparts": "-",
    "Dir::State::lists": join(folder, "lists"),
    "Dir::Cache::pkgcache": "",
    "Dir::Cache::srcpkgcache": "",
    "APT::Sandbox::User": "",
  };
  const parameters = Object.entries(options).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
  for (const command of [["update"], ["download", name]]) {
    const { status, stderr } = spawnSync("apt-get", ["-q", ...parameters, ...command], {
      cwd: folder,
      encoding: "utf8",
    });
    if (status !== 0) return `${release}-backports cannot be reached: ${stderr.trim().split("\n").at(-1)}`;
  }
  return undefined;
}

/** Where this machine has its Debian packages from. */
function debianMirror() {
  const files = [
    "/etc/apt/sources.list",
    ...namesIn("/etc/apt/sources.list.d").map((name) => `/etc/apt/sources.list.d/${name}`),
  ];
  const texts = files.filter(existsSync).map((path) => readFileSync(path, "utf8"));
  const addresses = texts
    .flatMap((text) => text.match(/^(?:deb |URIs:).*$/gm) ?? [])
    .flatMap((line) => line.match(/https?:\S+/g) ?? []);
  return addresses.find((address) => /\/debian\/?$/.test(address));
}

function namesIn(folder) {
  return existsSync(folder) ? readdirSync(folder) : [];
}

function unpack(folder) {
  const archive = namesIn(folder).find((name) => name.endsWith(".deb"));
  if (archive === undefined) return "nothing was downloaded";
  run("dpkg-deb", ["-x", join(folder, archive), join(folder, "package")]);
  rmSync(join(folder, archive));
  rmSync(join(folder, "lists"), { recursive: true });
  const library = join("package", "usr", "lib", "x86_64-linux-gnu", "libvulkan_lvp.so");
  const { stdout } = spawnSync("ldd", [join(folder, library)], { encoding: "utf8" });
  const missing = stdout.match(/\S+(?= => not found)/g);
  if (missing !== null) return `libraries are missing: ${missing.join(", ")}`;
  const driver = {
    file_format_version: "1.0.0",
    ICD: { library_path: join(lavapipe, library), api_version: "1.4.305" },
  };
  writeFileSync(join(folder, "icd.json"), `${JSON.stringify(driver, undefined, 2)}\n`);
  return undefined;
}

if (process.platform !== "linux" || process.arch !== "x64") fail("the software devices are of Linux on x86-64");
const needed = [...running, ...lavapipeLibraries, ...(existsSync(glBuilt) ? [] : compilingGl)];
const failure = aptInstall(needed.filter(({ present }) => !present()).map(({ name }) => name));
if (failure !== undefined) fail(failure.reason, failure.command);
compileGl();
unpackLavapipe();
