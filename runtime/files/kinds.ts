/** How files of other kinds begin. */
const beginnings: readonly (readonly [string, string])[] = [
  ["\x93NUMPY", "an array of NumPy's (.npy)"],
  ["PK\x03\x04", "a zip archive, as .npz files and those of PyTorch are"],
  ["\x89HDF", "an HDF5 file, as of Keras"],
  ["\x1f\x8b", "compressed with gzip"],
  ["\x80\x02", "a pickle of Python's"],
  ["\x89PNG", "a picture"],
];

/** What a file seems to be, by its first bytes; undefined where these say nothing. */
export function kindOf(bytes: Uint8Array): string | undefined {
  const text = String.fromCharCode(...bytes);
  const known = beginnings.find(([beginning]) => text.startsWith(beginning));
  if (known !== undefined) return known[1];
  // A character may be cut in two at the end.
  const decoded = new TextDecoder().decode(bytes).replace(/\uFFFD$/, "");
  if (/[^\P{Cc}\t\r\n]|\uFFFD/u.test(decoded)) return undefined;
  const line = decoded.split(/[\r\n]/, 1)[0] ?? "";
  return `text that begins with ${JSON.stringify(line.length > 40 ? `${line.slice(0, 40)}...` : line)}`;
}
