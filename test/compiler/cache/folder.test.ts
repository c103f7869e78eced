import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import {
  cacheCapBytes,
  cacheCapEntries,
  cacheGet,
  cachePath,
  cachePut,
  configuredCacheFolder,
  evict,
  openCacheFolder,
} from "../../../compiler/cache/folder.js";

function freshFolder(): string {
  return join(mkdtempSync(join(tmpdir(), "graphc-test-")), "cache");
}

function entriesOf(path: string): readonly string[] {
  return readdirSync(path).filter((name) => !name.startsWith("."));
}

test("an entry comes back as it was put, and a missing one does not", (t) => {
  const folder = openCacheFolder(freshFolder());
  t.is(folder.warning, undefined);
  t.is(lstatSync(folder.path).mode & 0o777, 0o700);
  t.is(cacheGet("key", ".bin", folder), undefined);
  const path = cachePut("key", Buffer.from("content"), ".bin", folder);
  t.is(cacheGet("key", ".bin", folder)?.toString(), "content");
  t.is(cachePath("key", ".bin", folder), path);
  t.is(lstatSync(path).mode & 0o777, 0o600);
  cachePut("empty", new Uint8Array(0), ".bin", folder);
  t.is(cacheGet("empty", ".bin", folder)?.length, 0);
  t.deepEqual(
    readdirSync(folder.path).filter((name) => name.startsWith(".") && name !== ".swept"),
    [],
  );
});

test("keys never leave the folder", (t) => {
  const folder = openCacheFolder(freshFolder());
  for (const key of ["../escape", "/etc/passwd", "a\0b", "__proto__", ""]) {
    cachePut(key, Buffer.from(key), ".bin", folder);
    t.is(cacheGet(key, ".bin", folder)?.toString(), key);
  }
  t.is(entriesOf(folder.path).length, 5);
});

test("an entry that was cut short or altered is not used", (t) => {
  const folder = openCacheFolder(freshFolder());
  const content = Buffer.alloc(1000, 7);
  const path = cachePut("cut", content, ".so", folder);
  const whole = readFileSync(path).length;
  for (const length of [whole - 1, 999, 10, 0]) {
    cachePut("cut", content, ".so", folder);
    truncateSync(path, length);
    t.is(cacheGet("cut", ".so", folder), undefined, `${length} bytes`);
  }
  cachePut("cut", content, ".so", folder);
  const bytes = readFileSync(path);
  bytes[500] = 8;
  writeFileSync(path, bytes);
  t.is(cachePath("cut", ".so", folder), undefined);
});

test("a folder that others may write to, or a link, is not used", (t) => {
  const open = freshFolder();
  mkdirSync(open, { mode: 0o700 });
  chmodSync(open, 0o777);
  const instead = openCacheFolder(open);
  t.not(instead.path, open);
  t.regex(instead.warning ?? "", /others may write/);
  const real = freshFolder();
  mkdirSync(real, { mode: 0o700 });
  const link = `${real}-link`;
  symlinkSync(real, link);
  t.regex(openCacheFolder(link).warning ?? "", /symbolic link/);
  const file = freshFolder();
  writeFileSync(file, "");
  const replaced = openCacheFolder(file);
  t.truthy(replaced.warning);
  cachePut("works", Buffer.from("anyway"), ".bin", replaced);
  t.is(cacheGet("works", ".bin", replaced)?.toString(), "anyway");
});

test("entries used longest ago go first when the cache is full", (t) => {
  const folder = openCacheFolder(freshFolder());
  const paths = ["a", "b", "c", "d"].map((key) => cachePut(key, Buffer.alloc(1000), ".bin", folder));
  paths.forEach((path, index) => {
    utimesSync(path, 1000 + index, 1000 + index);
  });
  cacheGet("a", ".bin", folder); // a is used now
  evict(folder, 2500);
  t.deepEqual(
    ["a", "b", "c", "d"].map((key) => cacheGet(key, ".bin", folder) !== undefined),
    [true, false, false, true],
  );
  for (const path of [paths[0], paths[3]]) utimesSync(path ?? "", 1000, 1000);
  evict(folder, 0);
  t.is(entriesOf(folder.path).length, 1);
});

test("entries used longest ago go first when there are too many", (t) => {
  const folder = openCacheFolder(freshFolder());
  const paths = ["a", "b", "c", "d"].map((key) => cachePut(key, Buffer.alloc(10), ".bin", folder));
  paths.forEach((path, index) => {
    utimesSync(path, 1000 + index, 1000 + index);
  });
  cacheGet("b", ".bin", folder);
  evict(folder, 2 ** 20, 2);
  t.deepEqual(
    ["a", "b", "c", "d"].map((key) => cacheGet(key, ".bin", folder) !== undefined),
    [false, true, false, true],
  );
  t.is(cacheCapEntries(512 * 2 ** 20), 16_384);
  t.is(cacheCapEntries(0), 256);
});

test("the environment chooses folder and size", (t) => {
  t.is(configuredCacheFolder({ GRAPHC_CACHE_DIR: "/a/b" }), "/a/b");
  t.is(configuredCacheFolder({ XDG_CACHE_HOME: "/x" }), "/x/graphc");
  t.regex(configuredCacheFolder({ XDG_CACHE_HOME: "relative" }), /\.cache\/graphc$/);
  t.is(cacheCapBytes({}), 512 * 1024 * 1024);
  t.is(cacheCapBytes({ GRAPHC_CACHE_MB: "3" }), 3 * 1024 * 1024);
  t.is(cacheCapBytes({ GRAPHC_CACHE_MB: "many" }), 512 * 1024 * 1024);
});

test("what was just used is not evicted, however small the cap: it is about to be loaded", (t) => {
  const folder = openCacheFolder(freshFolder());
  cachePut("library", Buffer.alloc(1000), ".so", folder);
  cachePut("name", Buffer.alloc(64), ".key", folder);
  evict(folder, 0);
  t.is(entriesOf(folder.path).length, 2);
});

/** An entry that another process put there long ago. */
function plant(folder: string, name: string, bytes: number): void {
  const path = join(folder, `${name.repeat(64)}.bin`);
  writeFileSync(path, Buffer.alloc(bytes));
  utimesSync(path, 1000, 1000);
}

test.serial("the cap is kept from time to time, and at once by who writes much", (t) => {
  process.env["GRAPHC_CACHE_MB"] = "1";
  t.teardown(() => {
    delete process.env["GRAPHC_CACHE_MB"];
  });
  const folder = openCacheFolder(freshFolder());
  const put = (key: string, bytes: number): number => {
    cachePut(key, Buffer.alloc(bytes), ".bin", folder);
    return entriesOf(folder.path).length;
  };
  plant(folder.path, "a", 2 ** 21);
  t.is(put("first", 10), 1, "nobody has looked yet");
  plant(folder.path, "b", 2 ** 21);
  t.is(put("second", 10), 3, "it is not long ago");
  utimesSync(join(folder.path, ".swept"), 1000, 1000);
  t.is(put("third", 10), 3, "it is long ago");
  plant(folder.path, "c", 2 ** 21);
  t.is(put("fourth", 10), 5);
  t.is(put("large", 2 ** 16), 5, "a sixteenth of the cap");
  t.is(put("fifth", 10), 6);
});

test.serial("who writes many entries keeps their number, however small they are", (t) => {
  process.env["GRAPHC_CACHE_MB"] = "1";
  t.teardown(() => {
    delete process.env["GRAPHC_CACHE_MB"];
  });
  const folder = openCacheFolder(freshFolder());
  const put = (key: string): number => {
    cachePut(key, Buffer.alloc(1), ".bin", folder, { sync: false });
    return entriesOf(folder.path).length;
  };
  put("first");
  for (let i = 0; i < 300; i++) plant(folder.path, String.fromCharCode(0x100 + i), 1);
  for (let i = 0; i < 15; i++) t.is(put(`${i}`), 302 + i);
  t.is(put("sixteenth"), 256);
  t.not(cacheGet("first", ".bin", folder), undefined);
});
