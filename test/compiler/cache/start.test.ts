import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { probe } from "../../../compiler/backends/llvm/availability.js";

const index = fileURLToPath(new URL("../../../index.js", import.meta.url));

/** Of each kind: drawn variables, a default, a string, a draw and a check in a step, and a gradient. */
const modelOf = (width: number): string => `import { dense } from "std/layers"
graph model {
  seed 7
  dim N <= 100
  placeholder x: f32[N, ${width}]
  placeholder label: u8[N]
  placeholder rate: f32 = 0.5
  greeting = "hello"
  variable weight: f32[${width}, 100] = glorot_normal()
  hidden = dropout(relu(x @ weight), rate=0.3)
  logits = dense(hidden, units=5)
  loss = mean(sparse_softmax_cross_entropy(logits, label))
  dw = gradients(loss, [weight])
  update learn { weight := weight - rate * dw }
  signature fit(x, label, rate) does learn -> (loss, greeting)
}
`;

/** Variables that are few: with draws, and without. */
const few = `graph few {
  variable drawn: f32[3] = normal()
  variable plain: i64[2] = 4
  y = drawn + 1
  update grow { plain := plain + 1 }
  signature run() does grow -> (y, plain)
}
`;

/** What one process does with the two files, as text; and the modules that it loaded. */
const script = `
import { writeFileSync } from "node:fs";
const { compile, Session, GraphError } = await import(process.argv[1]);
const [, , folder, target, width, ...sizes] = process.argv;
const said = [];
const say = (name, value) => said.push([name, JSON.stringify(value, (_, v) => typeof v === "bigint" ? String(v)
  : ArrayBuffer.isView(v) ? Array.from(v, String).join(" ") : v)]);
const program = await compile(folder + "/model.graph", { target });
for (const seed of [undefined, 11]) {
  const session = new Session(program, { seed });
  say("w", session.get("weight"));
  for (const size of sizes.map(Number)) {
    const x = { dtype: "f32", shape: [size, Number(width)], data: Float32Array.from({ length: size * width }, (_, i) => Math.sin(i)) };
    const label = Uint8Array.from({ length: size }, (_, i) => i % 5);
    say("fit", await session.run("fit", { x, label }));
    if (process.env.MORE) say("free", await session.run(["loss", "hidden", "greeting"], { x, label, rate: 0.25 }));
    try {
      await session.run("fit", { x, label: label.fill(9) });
    } catch (error) {
      if (!(error instanceof GraphError)) throw error;
      say("error", error.diagnostics);
    }
  }
  say("w", session.get("weight"));
  await session.close();
}
const small = await compile(folder + "/few.graph", { target });
for (const seed of process.env.MORE ? [undefined, 11] : [undefined]) {
  const session = new Session(small, { seed });
  say("few", session.get("drawn"));
  say("few", await session.run("run"));
  await session.close();
}
writeFileSync(folder + "/said.json", JSON.stringify(said));
`;

const hook = `
import { register } from "node:module";
register("data:text/javascript," + encodeURIComponent(\`
  import { appendFileSync } from "node:fs";
  export async function load(url, context, next) {
    appendFileSync(process.env.MODULES, url + "\\\\n");
    return next(url, context);
  }
\`));
`;

const native = probe().available;
const target = native ? "cpu" : "reference";
/** Many variables get their first values from native code, few from the evaluator. */
const width = native ? 200 : 10;

interface Said {
  readonly text: string;
  readonly modules: readonly string[];
}

class Desk {
  readonly folder = mkdtempSync(join(tmpdir(), "graphc-test-"));
  readonly cache = mkdtempSync(join(tmpdir(), "graphc-cache-test-"));

  constructor() {
    writeFileSync(join(this.folder, "model.graph"), modelOf(width));
    writeFileSync(join(this.folder, "few.graph"), few);
  }

  /** Places in diagnostics name the folder, so that two desks can only be compared without it. */
  run(t: ExecutionContext, sizes: readonly number[], env: Readonly<Record<string, string>> = {}): Said {
    const modules = join(this.folder, "modules.txt");
    writeFileSync(modules, "");
    const parameters = [
      "--import",
      `data:text/javascript,${encodeURIComponent(hook)}`,
      "--input-type=module",
      "-e",
      script,
    ];
    const { status, stderr } = spawnSync(
      process.execPath,
      [...parameters, "--", index, this.folder, target, String(width), ...sizes.map(String)],
      { encoding: "utf8", env: { ...process.env, GRAPHC_CACHE_DIR: this.cache, MODULES: modules, ...env } },
    );
    t.is(status, 0, stderr);
    return {
      text: readFileSync(join(this.folder, "said.json"), "utf8").replaceAll(this.folder, ""),
      modules: readFileSync(modules, "utf8").split("\n"),
    };
  }
}

test("what runs no GPU loads nothing for it", (t) => {
  const { modules } = new Desk().run(t, [3]);
  t.true(modules.some((url) => url.endsWith("/compiler/program.js")));
  t.deepEqual(
    modules.filter((url) => /gpu\.js\/|webgpu|\/gpu\/devices\//.test(url)),
    [],
  );
});

test("what is kept gives what the front end gives, to the bit, other sizes, seeds and requests too", (t) => {
  const [desk, other] = [new Desk(), new Desk()];
  const first = desk.run(t, [3]);
  t.regex(first.text, /G086/);
  t.is(desk.run(t, [3]).text, first.text);
  // From a kept graph, of which nothing of this is kept: a size and requests that no process has run.
  const more = desk.run(t, [4, 3], { MORE: "1" });
  t.is(more.text, other.run(t, [4, 3], { MORE: "1" }).text);
  t.true(more.modules.some((url) => url.endsWith("/compiler/prepare.js")));
  t.false(more.modules.some((url) => url.includes("/dsl/load.js")));
});

(native ? test : test.skip)(
  "a start from the cache loads neither the front end, nor the passes, nor what makes code",
  (t) => {
    const desk = new Desk();
    // What draws few values evaluates them at each start.
    writeFileSync(join(desk.folder, "few.graph"), few.replace("normal()", "ones()"));
    const without = (modules: readonly string[]): readonly string[] =>
      modules.filter((url) =>
        /chevrotain|\/dsl\/load|\/compiler\/(prepare|passes\/pipeline|kernels\/build)|\/llvm\/compile/.test(url),
      );
    t.true(without(desk.run(t, [3]).modules).length >= 5);
    t.deepEqual(without(desk.run(t, [3]).modules), []);
  },
);
