import test from "ava";
import { probe } from "../../compiler/backends/llvm/availability.js";
import { at, folderWith, graphcHere, onlyObject } from "./support.js";

const native = probe().available ? test.serial : test.serial.skip;

const equalNumbers = `import { adam } from "std/optimizers"

graph equal {
  placeholder x: f32[8]
  placeholder y: f32[8]
  variable w: f32 = 0
  # The numbers that Adam has, too.
  decay = 0.9
  eps = 1e-3
  p = x * w * decay + eps
  loss = mean((p - y) ** 2)
  update learn = minimize(loss, adam(learning_rate=1e-3))
  signature fit(x, y) does learn -> (loss)
}
`;

native("a constant is told from equal ones: its places and its uses are those of its name", async (t) => {
  const cwd = folderWith({ "equal.graph": equalNumbers });
  const about = async (name: string) =>
    onlyObject(await graphcHere(["explain", "equal.graph", name, "--json"], { cwd }));
  const linesOf = (list: unknown): readonly unknown[] =>
    Array.isArray(list) ? list.map((place) => [at(place, "file"), at(place, "line")]) : [];
  const eps = await about("eps");
  t.deepEqual(linesOf(at(eps, "places")), [
    ["equal.graph", 9],
    ["equal.graph", 10],
  ]);
  const [rate, ...library] = linesOf(at(eps, "equal"));
  t.deepEqual(rate, ["equal.graph", 12]);
  t.true(library.length > 0 && library.every((place) => JSON.stringify(place).includes("optimizers.graph")));
  const roles = (one: unknown): readonly unknown[] => {
    const uses = at(one, "uses");
    return Array.isArray(uses) ? [...new Set(uses.flatMap((use) => at(use, "roles")))] : [];
  };
  // Adam's rates are no uses of it; of a factor the gradient is one.
  t.deepEqual(roles(eps), ["forward"]);
  t.deepEqual(roles(await about("decay")), ["forward", "gradient"]);
  const text = await graphcHere(["explain", "equal.graph", "eps"], { cwd });
  t.regex(text.stdout, /^ {2}equal numbers elsewhere: equal\.graph:12, <std>\/optimizers\.graph:\d+$/m);
});

native("--json names the device that the kernels are for", async (t) => {
  const cwd = folderWith({ "equal.graph": equalNumbers });
  t.is(at(onlyObject(await graphcHere(["explain", "equal.graph", "p", "--json"], { cwd })), "device"), null);
  t.is(
    at(
      onlyObject(
        await graphcHere(["explain", "equal.graph", "p", "--json", "--target", "gpu", "--device", "webasm"], { cwd }),
      ),
      "device",
    ),
    "webasm",
  );
});
