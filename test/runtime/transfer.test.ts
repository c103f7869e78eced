import { join } from "node:path";
import test from "ava";
import { Session } from "../../index.js";
import { compileText, refusal, temporaryFolder } from "./programs.js";

/** A weight that both models have, a head of its own name and width, and an optimizer's slots. */
function model(head: string, body = 2): string {
  return `
import { momentum } from "std/optimizers"

fn scaled(x: f32[${body}]) -> (y: f32) {
  variable w: f32[${body}] = constant(0.5)
  variable seen: i64 = 0
  seen := seen + 1
  y = sum(w * x)
}

graph model {
  placeholder x: f32[${body}] = ones([${body}])
  body = scaled(x)
  scope head {
    variable ${head}: f32 = 1.0
    out = ${head} * body
  }
  update learn = minimize(head.out, momentum(learning_rate=0.1))
  signature fit(x) does learn -> (head.out)
}
`;
}

test("weights of a similar model are taken where the paths agree; steps and slots begin anew", async (t) => {
  const path = join(temporaryFolder(t), "base.safetensors");
  await using base = new Session(await compileText(t, model("old")));
  await base.run("fit");
  await base.run("fit");
  await base.save(path);
  const trained = base.get("body/scaled/w");
  t.notDeepEqual(trained.data, Float32Array.of(0.5, 0.5));

  await using session = new Session(await compileText(t, model("fresh")), { seed: 9 });
  const { set, kept } = await session.transfer(path);
  t.deepEqual(set, ["body/scaled/w", "body/scaled/seen"]);
  t.deepEqual(kept, ["head.fresh"]);
  t.deepEqual(session.get("body/scaled/w"), trained);
  t.deepEqual(session.get("body/scaled/seen").data, BigInt64Array.of(2n));
  t.deepEqual(session.get("head.fresh").data, Float32Array.of(1));
  const slots = session.variables.paths.filter((name) => name.startsWith("learn/"));
  t.true(slots.length > 0);
  for (const slot of slots)
    t.true(
      session.get(slot).data.every((value) => Number(value) === 0),
      slot,
    );
  t.is(session.step, 0);
  t.is(session.seed, 9n);
});

test("weights of another shape, or of nothing that the model has, change nothing", async (t) => {
  const path = join(temporaryFolder(t), "base.safetensors");
  await using base = new Session(await compileText(t, model("old")));
  await base.run("fit");
  await base.save(path);
  await using wider = new Session(await compileText(t, model("old", 3)));
  t.deepEqual(await refusal(t, () => wider.transfer(path)), ["G090"]);
  t.deepEqual(wider.get("head.old").data, Float32Array.of(1));
  t.deepEqual(wider.get("body/scaled/seen").data, BigInt64Array.of(0n));
  await using other = new Session(await compileText(t, "graph other {\n  variable v: f32 = 2.0\n}\n"));
  t.deepEqual(await refusal(t, () => other.transfer(path)), ["G090"]);
  await using none = new Session(await compileText(t, "graph none {\n  y = 1.0\n}\n"));
  t.deepEqual(await refusal(t, () => none.transfer(path)), ["G090"]);
});
