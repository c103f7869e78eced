import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { codeDigest, findDigest } from "../../../compiler/cache/code.js";

process.env["GRAPHC_CACHE_DIR"] = mkdtempSync(join(tmpdir(), "graphc-cache-test-"));

function packageFolder(): string {
  const root = mkdtempSync(join(tmpdir(), "graphc-test-"));
  for (const folder of ["compiler/ir", "dsl", "runtime"]) mkdirSync(join(root, folder), { recursive: true });
  for (const name of ["compiler/program.js", "compiler/ir/node.js", "dsl/load.js", "runtime/session.js"])
    writeFileSync(join(root, name), `// ${name}\n`);
  return root;
}

test.serial("the digest follows what the code is, not when it was written", (t) => {
  const [root, copy] = [packageFolder(), packageFolder()];
  const digest = findDigest(root);
  t.regex(digest ?? "", /^[0-9a-f]{64}$/);
  t.is(findDigest(root), digest);
  t.is(findDigest(copy), digest);
  utimesSync(join(root, "dsl/load.js"), 1000, 1000);
  t.is(findDigest(root), digest);
});

test.serial(
  "a change in any file of the compiler or the front end is another digest, one in the runtime is not",
  (t) => {
    const root = packageFolder();
    const seen = new Set([findDigest(root)]);
    for (const name of ["compiler/program.js", "compiler/ir/node.js", "dsl/load.js"]) {
      // Of the same length, and with the times of before.
      writeFileSync(join(root, name), `/* ${name.slice(1)}\n`);
      utimesSync(join(root, name), 1000, 1000);
      seen.add(findDigest(root));
    }
    t.is(seen.size, 4);
    writeFileSync(join(root, "runtime/session.js"), "// other\n");
    seen.add(findDigest(root));
    rmSync(join(root, "compiler/ir/node.js"));
    seen.add(findDigest(root));
    t.is(seen.size, 5);
  },
);

test.serial("where the code lies elsewhere there is no digest; here there is", (t) => {
  t.is(findDigest(mkdtempSync(join(tmpdir(), "graphc-test-"))), undefined);
  t.regex(codeDigest() ?? "", /^[0-9a-f]{64}$/);
});
