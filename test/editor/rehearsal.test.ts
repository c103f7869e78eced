import { setImmediate, setTimeout } from "node:timers/promises";
import test from "ava";
import { longFiles } from "../../bench/long_files.js";
import { parse } from "../../dsl/parse.js";
import { Rehearsal } from "../../editor/server/rehearsal.js";
import { rehearsed } from "../../editor/server/rehearsed_text.js";
import { Workspace } from "../../editor/server/workspace.js";
import { editorOn } from "./client.js";

const flat = longFiles(400).find(({ name }) => name === "flat")?.text ?? "";

test("what is rehearsed is right where nothing, and where all has been typed, and wrong between", (t) => {
  for (const { text, at, typed } of rehearsed) {
    const problemsOf = (written: string): number => {
      const workspace = new Workspace();
      workspace.setText("/rehearsal.graph", text.slice(0, at) + written + text.slice(at));
      return workspace.analysis("/rehearsal.graph")?.loaded.diagnostics.length ?? Number.NaN;
    };
    t.is(problemsOf(""), 0, text);
    t.true(problemsOf(" +") > 0, text);
    t.true(parse(text.slice(0, at) + typed + text.slice(at), "/rehearsal.graph").ok, text);
  }
});

test("keystrokes are rehearsed once, for a long file, and never where the editor goes on to speak", async (t) => {
  const workspace = new Workspace();
  let end: () => void = () => t.fail("ended without being begun");
  const rehearsal = new Rehearsal(workspace, () => end());
  rehearsal.opened("graph short {}\n");
  await setTimeout(60);
  t.is(rehearsal.count, 0);
  rehearsal.opened(flat);
  for (let i = 0; i < 200; i++) {
    await setImmediate();
    rehearsal.heard();
  }
  t.is(rehearsal.count, 0);
  await new Promise<void>((resolve) => {
    end = resolve;
  });
  const { count } = rehearsal;
  t.true(count >= rehearsed.length * 12, `${count}`);
  t.deepEqual(workspace.openFiles, []);
  rehearsal.opened(flat);
  rehearsal.heard();
  await setTimeout(60);
  t.is(rehearsal.count, count);
});

test("one that is stopped is not gone on with", async (t) => {
  const rehearsal = new Rehearsal(new Workspace());
  rehearsal.opened(flat);
  while (rehearsal.count === 0) await setTimeout(5);
  rehearsal.stop();
  const { count } = rehearsal;
  rehearsal.heard();
  await setTimeout(60);
  t.is(rehearsal.count, count);
});

test("what is typed while keystrokes are rehearsed is answered as it is without", async (t) => {
  const editor = await editorOn(t);
  t.deepEqual(await editor.open("flat.graph", flat), []);
  for (const pause of [45, 80, 150]) {
    await setTimeout(pause);
    const [problem] = await editor.type("flat.graph", "v100 = ", "v100 = nope + ");
    t.regex(problem?.message ?? "", /^unknown name `nope`/);
    await setTimeout(pause);
    t.deepEqual(await editor.type("flat.graph", "v100 = nope + ", "v100 = "), []);
  }
  t.is(await editor.end(), 0);
});
