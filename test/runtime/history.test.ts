import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import test from "ava";
import { History } from "../../runtime/history.js";

test("reports come back as they were, also where one has other metrics", (t) => {
  const history = new History();
  t.deepEqual(history.rows(), []);
  const reports = Array.from({ length: 10_000 }, (_, i) => ({
    step: 3 * i + 1,
    metrics: new Map<string, number>(
      i % 5000 === 4999
        ? [["other", i]]
        : [
            ["loss", i === 77 ? Number.NaN : 1 / (i + 1)],
            ["__proto__", -i],
          ],
    ),
  }));
  for (const report of reports) history.add(report);
  t.is(history.lastStep, 29_998);
  t.deepEqual(
    history.rows().map(({ step, ...metrics }) => [step, Object.entries(metrics)]),
    reports.map(({ step, metrics }) => [step, [...metrics]]),
  );
});

test("a million reports fit where an object for each would not", (t) => {
  const module = pathToFileURL(join(import.meta.dirname, "../../runtime/history.js")).href;
  const program = `
    import { History } from ${JSON.stringify(module)};
    const history = new History();
    for (let i = 0; i < 1e6; i++) history.add({ step: i, metrics: new Map([["loss", i], ["accuracy", i / 2]]) });
    console.log(history.lastStep);`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["--max-old-space-size=32", "--input-type=module", "-e", program],
    { encoding: "utf8" },
  );
  t.is(stdout, "999999\n", stderr);
});
