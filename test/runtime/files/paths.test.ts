import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { resolveDataPath, resolveOutputPath } from "../../../runtime/files/paths.js";
import { failsWith, put, withFolder } from "../support.js";

test("a path in a file is looked for in --data-dir, the file's folder, its data folder, then further folders", async (t) => {
  await withFolder(async (folder) => {
    for (const name of ["given", "base/data", "more"]) {
      await mkdir(join(folder, name), { recursive: true });
      await put(folder, `${name}/x`, "");
    }
    const baseDir = join(folder, "base");
    const searchDirs = [join(folder, "more")];
    const find = (context: { readonly dataDir?: string }, path = "x") =>
      resolveDataPath(path, { origin: "file", baseDir, searchDirs, ...context }, ["", ".gz"]);
    t.is(await find({ dataDir: join(folder, "given") }), join(folder, "given/x"));
    t.is(await find({}), join(folder, "base/data/x"));
    await put(folder, "base/x", "");
    t.is(await find({}), join(folder, "base/x"));
    await put(folder, "more/y.gz", "");
    t.is(await find({}, "y"), join(folder, "more/y.gz"));
    await put(folder, "more/y", "");
    t.is(await find({}, "y"), join(folder, "more/y"));
    const error = await failsWith(t, () => find({}, "z"), "G070", /no data file "z"; looked in/);
    t.true([baseDir, join(baseDir, "data"), join(folder, "more")].every((place) => error?.message.includes(place)));
  });
});

test("a path in a file does not leave its folder unless the place is allowed", async (t) => {
  await withFolder(async (folder) => {
    const baseDir = join(folder, "base");
    await mkdir(baseDir);
    await mkdir(join(folder, "outside"));
    const secret = await put(folder, "outside/secret", "");
    await symlink(secret, join(baseDir, "link"));
    await symlink(join(folder, "outside"), join(baseDir, "folder"));
    await put(folder, "base/own", "");
    await symlink(join(baseDir, "own"), join(baseDir, "inner"));
    const escapes: readonly [string, RegExp][] = [
      [secret, /leads out of the folder/],
      ["../outside/secret", /leads out of the folder/],
      ["a/../../outside/secret", /leads out of the folder/],
      ["..\\outside\\secret", /leads out of the folder/],
      ["C:\\secret", /leads out of the folder/],
      ["link", /through a symbolic link/],
      ["folder/secret", /through a symbolic link/],
      ["own\0", /is not a path/],
      ["", /is not a path/],
    ];
    for (const [path, message] of escapes) {
      for (const resolve of [resolveDataPath, resolveOutputPath]) {
        const error = await failsWith(t, () => resolve(path, { origin: "file", baseDir }), "G063", message);
        t.regex(error?.diagnostics[0]?.hint ?? "--allow-path", /--allow-path/);
      }
    }
    const allowed = { origin: "file", baseDir, allow: [join(folder, "outside")] } as const;
    for (const path of [secret, "../outside/secret", "link", "folder/secret"]) {
      t.regex(await resolveDataPath(path, allowed), /secret$|link$/);
    }
    t.is(await resolveDataPath("inner", { origin: "file", baseDir }), join(baseDir, "inner"));
    // A link inside the allowed place that leads out of it again.
    await put(folder, "elsewhere", "");
    await symlink(join(folder, "elsewhere"), join(folder, "outside/out"));
    await failsWith(t, () => resolveDataPath("../outside/out", allowed), "G063", /leads out/);
    // An allowed /a/outside does not allow /a/outside2.
    await failsWith(t, () => resolveDataPath("../outside2", allowed), "G063", /leads out/);
  });
});

test("a user's paths go anywhere and start at the working directory", async (t) => {
  await withFolder(async (folder) => {
    await mkdir(join(folder, "work"));
    const file = await put(folder, "x", "");
    const workingDir = join(folder, "work");
    t.is(await resolveDataPath(file, { origin: "user", workingDir }), file);
    t.is(await resolveDataPath("../x", { origin: "user", workingDir }), file);
    t.is(await resolveOutputPath("../new/y", { origin: "user", workingDir }), join(folder, "new/y"));
    t.is(await resolveOutputPath("ckpt/y", { origin: "file", baseDir: workingDir }), join(workingDir, "ckpt/y"));
  });
});
