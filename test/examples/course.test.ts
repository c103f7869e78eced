import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";

/** Every folder of examples/ is a part of the course, is run by a test, and shows pictures that anyone can draw again. */

const root = join(import.meta.dirname, "..", "..", "..");
const folders = readdirSync(join(root, "examples"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
const read = (...parts: readonly string[]): string => readFileSync(join(root, ...parts), "utf8");

test("the index leads to each example once, from one neuron to a transformer", (t) => {
  const links = [...read("examples", "README.md").matchAll(/\]\((\w+)\)/g)].map(([, name = ""]) => name);
  t.deepEqual(links.toSorted(), folders.toSorted());
  t.true(links.indexOf("neuron") < links.indexOf("transformer"));
});

/** The tests that train or run an example, by the folders and graphs that they open. */
const suite = readdirSync(join(root, "test", "examples"))
  .filter((name) => name.endsWith(".test.ts") && name !== "course.test.ts" && name !== "readmes.test.ts")
  .map((name) => read("test", "examples", name))
  .join("\n");

for (const name of folders) {
  test(`${name} has its graph, a page with what a run prints, and a test`, (t) => {
    t.true(existsSync(join(root, "examples", name, `${name}.graph`)));
    t.regex(read("examples", name, "README.md"), /^```\n\$ (node|npx|npm) /m);
    t.regex(suite, new RegExp(`"${name}(\\.graph)?"`));
  });

  test(`${name} shows its pictures, and the command that draws each`, (t) => {
    const page = read("examples", name, "README.md");
    const shown = [...page.matchAll(/!\[[^\]]+\]\(([^)]+)\)/g)].map(([, path = ""]) => path);
    const own = readdirSync(join(root, "examples", name)).filter((file) => /\.(svg|png)$/.test(file));
    t.deepEqual(shown.filter((path) => !path.includes("/")).toSorted(), own.toSorted());
    // Some by `graphc run --plot` in one of the page's commands, the others by a script.
    const others = shown.filter((path) => !new RegExp(`--plot [^ ]+:examples/${name}/${path}$`, "m").test(page));
    if (others.length === 0) return;
    const script = `scripts/pictures/${name}.mjs`;
    t.regex(page, new RegExp(`\`node ${script}\``));
    const drawn = read(script);
    for (const path of others) t.true(drawn.includes(path.split("/").at(-1) ?? path), `${script} draws ${path}`);
  });
}
