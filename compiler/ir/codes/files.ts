import type { CodeRow } from "./row.js";

/** G06x: imports and source files. */
export const importCodes = [
  {
    code: "G060",
    title: "import not found",
    explain: 'A file is imported by its path from the importing file\'s folder; the standard library by "std/NAME".',
    example: 'import { dense } from "std/layerz"\n\ngraph g {\n}\n',
  },
  {
    code: "G061",
    title: "import cycle",
    explain: "Files cannot import each other in a circle. The notes show the way round.",
    example: 'import { f } from "self.graph"\n\ngraph g {\n}\n',
  },
  {
    code: "G062",
    title: "file does not export this name",
    explain: "The imported file has no fn, optimizer or constant of this name. The hint names the nearest.",
    example: 'import { dens } from "std/layers"\n\ngraph g {\n}\n',
  },
  {
    code: "G063",
    title: "path leaves the allowed folders",
    explain:
      "Imports stay in the folder of the main file, those of a library that is checked by itself in its project (the nearest folder with a package.json or .git), data and checkpoints in that of the file that names them. Absolute paths, and `..` and links that lead out, are refused unless `--allow-path DIR` names the place.",
    example: 'import { f } from "../secret.graph"\n\ngraph g {\n}\n',
  },
  {
    code: "G064",
    title: "file cannot be read",
    explain: "The file is missing, is not a regular file, or may not be read. The message has the system's reason.",
    example: "$ graphc check missing.graph",
  },
  {
    code: "G065",
    title: "wrong number of graphs",
    explain: "A main file holds exactly one graph; a library holds none.",
    example: "graph a {\n}\n\ngraph b {\n}\n",
  },
] as const satisfies readonly CodeRow[];

/** G07x: data files. */
export const dataCodes = [
  {
    code: "G070",
    title: "data file not found",
    explain:
      "Paths in a file resolve from its folder, `--data-dir` says where data lies, flags resolve from the working directory.",
    example: "$ graphc train mnist.graph --data image=nowhere.idx",
  },
  {
    code: "G071",
    title: "data file is of another format",
    explain: "The file does not start as its reader expects (IDX, .npy, .npz, CSV, safetensors).",
    example: "$ graphc train mnist.graph --data image=README.md",
  },
  {
    code: "G072",
    title: "data file is truncated",
    explain: "The header promises more bytes than the file has, or fewer. Fetch it again.",
    example: "$ graphc train mnist.graph --data image=half-a-file.idx",
  },
  {
    code: "G073",
    title: "data columns differ in length",
    explain: "All columns of one data set have the same number of rows. The notes give each.",
    example: "$ graphc train mnist.graph --data label=t10k-labels-idx1-ubyte",
  },
  {
    code: "G074",
    title: "data do not fit the placeholder",
    explain: "The dtype and the shape of a row equal the placeholder's.",
    example: "$ graphc train mnist.graph --data image=train-labels-idx1-ubyte",
  },
  {
    code: "G075",
    title: "data slice is out of range",
    explain: "A slice `[a:b]` lies within the rows of the file.",
    example: "$ graphc train mnist.graph --data image=train-images-idx3-ubyte[0:99999]",
  },
  {
    code: "G076",
    title: "unreadable value in a text file",
    explain:
      "A field of the CSV file is not a number, or a row has another number of fields. The message names row and column.",
    example: "$ graphc train table.graph --data x=table.csv",
  },
  {
    code: "G077",
    title: "element type of a data file is not supported",
    explain:
      "The file stores its elements as a type that graphc does not have, such as complex numbers, text or u64. Convert them first.",
    example: "$ graphc train mnist.graph --data image=complex.npy",
  },
  {
    code: "G078",
    title: "compressed data is damaged",
    explain: "A .gz or .npz file does not unpack, or its checksum differs. Fetch it again.",
    example: "$ graphc train mnist.graph --data image=damaged.gz",
  },
  {
    code: "G079",
    title: "no such column in the data file",
    explain:
      "A file of several columns (.npz, CSV, safetensors) is read by the name of one; without a name, by the placeholder's.",
    example: "$ graphc train mnist.graph --data image=table.npz",
  },
] as const satisfies readonly CodeRow[];
