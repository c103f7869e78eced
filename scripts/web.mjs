// Bundles code for pages: dist/web/index.js with all that it needs, Node's modules replaced by web/shims and the files of graphc that
// are about the machine by web/twins.
import { appendFileSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { build } from "esbuild";

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");
const require = createRequire(import.meta.url);

/** What stands in a page in the place of a file, below dist. */
const twins = new Map(
  Object.entries({
    "runtime/files/bytes.js": "web/twins/bytes.js",
    "runtime/files/atomic.js": "web/twins/atomic.js",
    "runtime/files/rotation.js": "web/twins/rotation.js",
    "runtime/files/paths.js": "web/twins/paths.js",
    "runtime/events/open.js": "web/twins/events.js",
    "runtime/data/csv.js": "web/twins/tables.js",
    "runtime/data/npz.js": "web/twins/tables.js",
  }).map(([file, twin]) => [join(dist, file), join(dist, twin)]),
);

/** What gpu.js asks for in Node alone. */
const absent = /^(gl|os|worker_threads)$/;

const forPages = {
  name: "for-pages",
  setup({ onResolve }) {
    onResolve({ filter: /^node:/ }, ({ path }) => {
      const shim = join(dist, "web", "shims", `${path.slice("node:".length).split("/")[0]}.js`);
      return existsSync(shim) ? { path: shim } : { errors: [{ text: `${path} has no shim in web/shims` }] };
    });
    onResolve({ filter: absent }, () => ({ path: join(dist, "web", "shims", "empty.js") }));
    // Its sources, since the file that it has for browsers puts a name into the page's globals.
    onResolve({ filter: /^gpu\.js$/ }, () => ({ path: require.resolve("gpu.js") }));
    onResolve({ filter: /^\.\.?\// }, ({ path, resolveDir }) => {
      const twin = twins.get(join(resolveDir, path));
      return twin === undefined ? undefined : { path: twin };
    });
  },
};

/** `options` are esbuild's; gives its result. */
export function bundleForPages(options) {
  return build({
    bundle: true,
    platform: "browser",
    target: "es2022",
    minify: true,
    legalComments: "none",
    logLevel: "warning",
    define: { "process.env": "{}", global: "globalThis" },
    inject: [join(dist, "web", "shims", "buffer.js")],
    plugins: [forPages],
    ...options,
  });
}

/** The library that modules of `graphc build` import. Without gpu.js, an optional dependency, there is none. */
export async function bundleLibrary() {
  if (!existsSync(join(root, "node_modules", "gpu.js"))) {
    console.log("build: no library for pages, since the npm package gpu.js is not installed");
    return;
  }
  const outfile = join(dist, "web", "graphc.js");
  const { metafile } = await bundleForPages({
    entryPoints: [join(dist, "web", "index.js")],
    outfile,
    format: "esm",
    metafile: true,
  });
  appendFileSync(outfile, licencesOf(Object.keys(metafile.inputs)));
}

/** The licences of the packages that a bundle holds: they ask to go with it. */
export function licencesOf(inputs) {
  const folders = new Map(
    inputs.flatMap((path) => {
      const [, folder, name] = /^(.*node_modules\/((?:@[^/]+\/)?[^/]+))\/(?!.*node_modules\/)/.exec(path) ?? [];
      return name === undefined ? [] : [[name, folder]];
    }),
  );
  const texts = [...folders.keys()].sort().map((name) => {
    const own = join(root, "node_modules", name);
    const folder = existsSync(own) ? own : resolve(folders.get(name));
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? "" : readFileSync(join(folder, file), "utf8").trim().replaceAll("*/", "* /");
    return `${name} ${version} (${license})\n\n${text}`;
  });
  return `/*! This file holds these packages.\n\n${texts.join("\n\n---\n\n")}\n*/\n`;
}
