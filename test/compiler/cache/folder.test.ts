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
    readdirSync(folder.path).filter((name) => name.startsWith(".")),
    [],
  );
});

test("keys never leave the folder", (t) => {
  const folder = openCacheFolder(freshFolder());
  for (const key of ["../escape", "/etc/passwd", "a\0b", "__proto__", ""]) {
    cachePut(key, Buffer.from(key), ".bin", folder);
    t.is(cacheGet(key, ".bin", folder)?.toString(), key);
  }
  t.is(readdirSync(folder.path).length, 5);
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
  t.is(readdirSync(folder.path).length, 1);
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
  t.is(readdirSync(folder.path).length, 2);
});
