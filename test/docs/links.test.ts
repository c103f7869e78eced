import { existsSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import test from "ava";
import { pageText, root, writtenPages } from "./pages.js";

/** Every relative link of the manual leads to a file, and its fragment to a heading there. */

function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```$/gm, "").replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()]/g, ""));
}

/** GitHub's anchors: lower case, without punctuation, spaces as hyphens. */
function anchorsOf(text: string): ReadonlySet<string> {
  const headings = text.replace(/^```[\s\S]*?^```$/gm, "").match(/^#+ .*$/gm) ?? [];
  const names = headings.map((heading) => heading.replace(/^#+ /, ""));
  return new Set(
    names.map((name) =>
      name
        .toLowerCase()
        .replace(/[^\p{L}\p{N}_\- ]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

for (const page of writtenPages) {
  test(page, (t) => {
    const links = [...withoutCode(pageText(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
    for (const link of links.filter((target) => !/^https?:/.test(target))) {
      const [path = "", fragment] = link.split("#");
      const file = path === "" ? page : relative(root, join(root, dirname(page), path));
      t.true(existsSync(join(root, file)), `${page}: ${link}`);
      if (fragment === undefined || statSync(join(root, file)).isDirectory()) continue;
      t.true(anchorsOf(pageText(file)).has(fragment), `${page}: ${link} has no such heading`);
    }
    t.pass();
  });
}
