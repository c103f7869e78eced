import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, readlink, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import test from "ava";
import { writeFileAtomic, writeFilesAtomic } from "../../../runtime/files/atomic.js";
import { failsWith, put, withFolder } from "../support.js";

test("a file is made, folders included, and replaced whole; its mode stays", async (t) => {
  await withFolder(async (folder) => {
    const path = join(folder, "a/b/x.bin");
    await writeFileAtomic(path, [Buffer.from("one"), Buffer.alloc(0), Buffer.from("two")]);
    t.is(await readFile(path, "utf8"), "onetwo");
    await chmod(path, 0o640);
    await writeFileAtomic(path, [Buffer.from("3")]);
    t.is(await readFile(path, "utf8"), "3");
    t.is((await stat(path)).mode & 0o777, 0o640);
    t.deepEqual(await readdir(join(folder, "a/b")), ["x.bin"]);
  });
});

test("a symbolic link stays one; what it leads to is replaced", async (t) => {
  await withFolder(async (folder) => {
    await mkdir(join(folder, "real"));
    await put(folder, "real/x", "old");
    await symlink("real/x", join(folder, "link"));
    await writeFileAtomic(join(folder, "link"), [Buffer.from("new")]);
    t.is(await readlink(join(folder, "link")), "real/x");
    t.is(await readFile(join(folder, "real/x"), "utf8"), "new");
  });
});

test("folders and devices are not written over", async (t) => {
  await withFolder(async (folder) => {
    await failsWith(t, () => writeFileAtomic(folder, [Buffer.from("x")]), "G064", /it is a folder/);
    await failsWith(t, () => writeFileAtomic("/dev/null", [Buffer.from("x")]), "G064", /not a regular file/);
    await put(folder, "file", "x");
    await failsWith(t, () => writeFileAtomic(join(folder, "file/x"), []), "G092", /file" is not a folder/);
  });
});

test("content that fails while it is made leaves the old file and no other", async (t) => {
  await withFolder(async (folder) => {
    const path = await put(folder, "x", "old");
    function* content(): Generator<Uint8Array> {
      yield Buffer.from("half of the new");
      throw new Error("the generator failed");
    }
    await t.throwsAsync(writeFileAtomic(path, content()), { message: "the generator failed" });
    t.is(await readFile(path, "utf8"), "old");
    t.deepEqual(await readdir(folder), ["x"]);
  });
});

test("of several files all get their names or none, though the last name is refused after others were given", async (t) => {
  await withFolder(async (folder) => {
    const old = await put(folder, "old", "as it was");
    await chmod(old, 0o640);
    const { ino } = await stat(old);
    await put(folder, "real", "behind a link");
    await symlink("real", join(folder, "link"));
    // When all contents are made, no name has been given yet: a folder takes the last one.
    function* taken(): Generator<Uint8Array> {
      yield Buffer.from("new");
      mkdirSync(join(folder, "taken/by"), { recursive: true });
    }
    const contents = ["old", "link", "fresh", "taken"].map((name) => ({
      path: join(folder, name),
      content: name === "taken" ? taken() : [Buffer.from("new")],
    }));
    await failsWith(t, () => writeFilesAtomic(contents), "G092", /cannot save ".*taken"/);
    t.deepEqual((await readdir(folder)).sort(), ["link", "old", "real", "taken"]);
    t.is(await readFile(old, "utf8"), "as it was");
    t.deepEqual([(await stat(old)).ino, (await stat(old)).mode & 0o777], [ino, 0o640]);
    t.is(await readlink(join(folder, "link")), "real");
    t.is(await readFile(join(folder, "real"), "utf8"), "behind a link");
    await writeFilesAtomic(contents.slice(0, 3));
    t.deepEqual((await readdir(folder)).sort(), ["fresh", "link", "old", "real", "taken"]);
    for (const name of ["old", "real", "fresh"]) t.is(await readFile(join(folder, name), "utf8"), "new");
  });
});

test("many saves of one name at once: one of them wins whole, none is left over", async (t) => {
  await withFolder(async (folder) => {
    const path = join(folder, "x");
    const contents = Array.from({ length: 8 }, (_, index) => Buffer.alloc(100_000, index));
    await Promise.all(contents.map((content) => writeFileAtomic(path, [content])));
    const found = await readFile(path);
    t.true(contents.some((content) => content.equals(found)));
    t.deepEqual(await readdir(folder), ["x"]);
  });
});

/** Saves new content over `path` in a process of its own, under strace with one fault; gives what it printed. */
function saveUnderFault(path: string, fault: string): { readonly output: string; readonly killed: boolean } {
  const module = pathToFileURL(join(import.meta.dirname, "../../../runtime/files/atomic.js")).href;
  const program = `
    import { writeFileAtomic, writeFilesAtomic } from ${JSON.stringify(module)};
    try {
      await writeFileAtomic(process.argv[1], [65, 66, 67, 68].map((byte) => Buffer.alloc(1000, byte)));
      console.log("saved");
    } catch (error) {
      console.log(error.message);
    }`;
  const call = fault.split(":")[0] ?? "";
  const inject = ["-qq", "-f", "-o", "/dev/null", "-e", `trace=${call}`, "-e", `inject=${fault}`];
  // With one pool thread, the n-th call of that thread is the n-th call of the save.
  const env = { ...process.env, UV_THREADPOOL_SIZE: "1" };
  const command = [...inject, process.execPath, "--input-type=module", "-e", program, path];
  const result = spawnSync("strace", command, { encoding: "utf8", env });
  return { output: result.stdout, killed: result.signal === "SIGKILL" || result.status === 137 };
}

const oldContent = "the old content";
const newContent = "A".repeat(1000) + "B".repeat(1000) + "C".repeat(1000) + "D".repeat(1000);

/** strace is not everywhere, and not every container lets it trace. */
const canInject = spawnSync("strace", ["-qq", "-o", "/dev/null", "true"]).status === 0;
const withFaults = canInject ? test : test.skip;
if (!canInject) {
  console.log("atomic.test: strace is missing or may not trace here; the tests that inject faults are skipped");
}

const failures: readonly [string, RegExp, string][] = [
  ["pwrite64:error=ENOSPC:when=3", /G092: cannot save ".*x": the disk is full \(ENOSPC\)/, oldContent],
  ["pwrite64:error=EIO:when=1", /G092: cannot save .* input\/output error \(EIO\)/, oldContent],
  ["fsync:error=EIO:when=1", /G092: cannot save .* input\/output error \(EIO\)/, oldContent],
  ["rename:error=EACCES:when=1", /G092: cannot save .* permission denied \(EACCES\)/, oldContent],
  ["fsync:error=EIO:when=2", /G092: saved, but could not make sure that it lasts/, newContent],
];

for (const [fault, message, content] of failures) {
  withFaults(`under ${fault} the error is said, the file is whole and no other is left`, async (t) => {
    await withFolder(async (folder) => {
      const path = await put(folder, "x", oldContent);
      t.regex(saveUnderFault(path, fault).output, message);
      t.is(await readFile(path, "utf8"), content);
      t.deepEqual(await readdir(folder), ["x"]);
    });
  });
}

for (const fault of [
  "pwrite64:signal=KILL:when=2",
  "fsync:signal=KILL:when=1",
  "rename:signal=KILL:when=1",
  "fsync:signal=KILL:when=2",
]) {
  withFaults(
    `under ${fault} the file is the whole old or the whole new one, and the next save cleans up`,
    async (t) => {
      await withFolder(async (folder) => {
        const path = await put(folder, "x", oldContent);
        const { output, killed } = saveUnderFault(path, fault);
        t.true(killed, output);
        const found = await readFile(path, "utf8");
        t.true(found === oldContent || found === newContent);
        // A save of another name leaves the killed one's temporary file alone, a save of the same name removes it.
        const before = await readdir(folder);
        await writeFileAtomic(join(folder, "y"), [Buffer.from("other")]);
        t.deepEqual(new Set(await readdir(folder)), new Set([...before, "y"]));
        await writeFileAtomic(path, [Buffer.from("next")]);
        t.deepEqual(new Set(await readdir(folder)), new Set(["x", "y"]));
      });
    },
  );
}

// Only Linux has /proc.
if (process.platform === "linux") {
  test("a folder that cannot be made is refused at once", async (t) => {
    const error = await t.throwsAsync(() => writeFileAtomic("/proc/nothing/here", [Buffer.from("x")]));
    t.regex(error?.message ?? "", /G092/);
  });
}
