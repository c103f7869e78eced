import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { readEvents } from "../runtime/events/reader.js";
import { binary, folderWith } from "./support.js";

/** A disk of 64 KiB, seen by what runs on it only, and a model of 400 KB. */

const graph = `graph large {
  variable w: f32[100000] = zeros()
  variable n: i64 = 0
  update step {
    w := w + 1
    n := n + 1
  }
  signature fit() does step -> (n)
  train {
    run = fit
    steps = 10
  }
}
`;

const canMount =
  spawnSync("unshare", ["-m", "sh", "-c", 'mount -t tmpfs -o size=64k tmpfs "$1"', "sh", folderWith({})]).status === 0;
const onFullDisk = canMount ? test : test.skip;
if (!canMount) console.log("full_disk.test: no file system may be mounted here; training onto a full disk is skipped");

/** A checkpoint without tensors. */
const oldCheckpoint = "\x02\0\0\0\0\0\0\0{}";

/** Runs graphc with the small disk at `disk`, which holds `model.safetensors`, and shows what is there afterwards. */
function withSmallDisk(folder: string, parameters: readonly string[]) {
  mkdirSync(join(folder, "disk"));
  const script = `mount -t tmpfs -o size=64k tmpfs disk && printf '\\2\\0\\0\\0\\0\\0\\0\\0{}' > disk/model.safetensors || exit 99
"$@"
code=$?
echo; ls -A disk; cat disk/model.safetensors
exit $code`;
  const command = [process.execPath, binary, ...parameters, "--target", "reference"];
  return spawnSync("unshare", ["-m", "sh", "-c", script, "sh", ...command], { cwd: folder, encoding: "utf8" });
}

function train(folder: string, parameters: readonly string[]) {
  return withSmallDisk(folder, ["train", "large.graph", ...parameters]);
}

onFullDisk("a disk that is full when training ends: the error is said, and the file that was there is whole", (t) => {
  const { status, stdout, stderr } = train(folderWith({ "large.graph": graph }), ["--save", "disk/model.safetensors"]);
  t.is(status, 1, stderr);
  t.regex(stderr, /error G092: cannot save "disk\/model\.safetensors": the disk is full \(ENOSPC\)/);
  t.regex(stderr, /hint: free some space and save again; the file that was there before is untouched/);
  t.true(stdout.endsWith(`\nmodel.safetensors\n${oldCheckpoint}`), stdout);
});

onFullDisk("a disk that is full at a checkpoint: no half of one is left", (t) => {
  const checkpoint = `    steps = 10
    checkpoint = { every = 5, to = "disk/at-{step}.safetensors", keep = 2 }`;
  const text = graph.replace("    steps = 10", checkpoint);
  const { status, stdout, stderr } = train(folderWith({ "large.graph": text }), []);
  t.is(status, 1, stderr);
  t.regex(stderr, /error G092: cannot save ".*at-5\.safetensors": the disk is full \(ENOSPC\)/);
  t.true(stdout.endsWith(`\nmodel.safetensors\n${oldCheckpoint}`), stdout);
});

onFullDisk("a disk that fills up while results are written to it: none of them is there", (t) => {
  const rows = "graph rows {\n  dim N\n  placeholder x: f32[N]\n  y = x * 2\n  z = x > 3\n}\n";
  const folder = folderWith({ "rows.graph": rows, "x.csv": `x\n${"1.5\n".repeat(20_000)}` });
  const outputs = ["-o", "z=disk/z.npy", "-o", "y=disk/model.safetensors"];
  const parameters = ["run", "rows.graph", "--fetch", "y,z", "--data", "x=x.csv", "--batch", "3000", ...outputs];
  const { status, stdout, stderr } = withSmallDisk(folder, parameters);
  t.is(status, 1, stderr);
  t.regex(stderr, /error G092: cannot save "disk\/model\.safetensors": the disk is full \(ENOSPC\)/);
  t.true(stdout.endsWith(`\nmodel.safetensors\n${oldCheckpoint}`), stdout);
});

onFullDisk(
  "a disk that fills up with events: the state is kept elsewhere, and the file has whole records only",
  (t) => {
    const folder = folderWith({ "large.graph": graph.replace("steps = 10", "steps = 10000"), "disk/old": "" });
    const script = 'mount -t tmpfs -o size=24k tmpfs disk && "$@"; code=$?; cp -r disk/events kept; exit $code';
    const flags = ["--every", "1", "--events", "disk/events", "--save", "w.safetensors", "--target", "reference"];
    const command = [process.execPath, binary, "train", "large.graph", ...flags];
    const { status, stderr } = spawnSync("unshare", ["-m", "sh", "-c", script, "sh", ...command], {
      cwd: folder,
      encoding: "utf8",
    });
    t.is(status, 1, stderr);
    t.regex(stderr, /error G092: cannot write events to ".*": the disk is full \(ENOSPC\)/);
    t.regex(stderr, /note: the state after step \d+ is saved in w\.safetensors/);
    t.regex(stderr, /hint: what is in the file stays readable; free some space/);
    const [name = ""] = readdirSync(join(folder, "kept"));
    t.true(readEvents(join(folder, "kept", name)).length > 100);
  },
);

onFullDisk("a file system that is read-only is refused before the first step, by each output", (t) => {
  const folder = folderWith({ "large.graph": graph, "disk/old": "" });
  const script = 'mount -t tmpfs -o ro tmpfs disk && for o in --save --events; do "$@" $o disk/new/x; echo $?; done';
  const command = [process.execPath, binary, "train", "large.graph", "--target", "reference"];
  const { stdout, stderr } = spawnSync("unshare", ["-m", "sh", "-c", script, "sh", ...command], {
    cwd: folder,
    encoding: "utf8",
  });
  t.is(stdout, "1\n1\n");
  const reason = ': nothing can be made in "disk": the file system is read-only (EROFS)';
  t.true(stderr.includes(`cannot save "disk/new/x"${reason}`), stderr);
  t.true(stderr.includes(`cannot write to "disk/new/x"${reason}`), stderr);
});
