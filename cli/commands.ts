import { Command, Option } from "commander";
import { version } from "../compiler/version.js";
import { viewKinds } from "../viewer/model.js";
import type { CommonOptions } from "./console.js";
import { Console } from "./console.js";
import { type ExitCode, exitCodes } from "./failure.js";
import {
  allowPathOption,
  commonOptions,
  deviceOption,
  dimOption,
  namedTexts,
  nameList,
  portNumber,
  profileOption,
  seedNumber,
  targetOption,
  wholeNumber,
} from "./options.js";
import { plotRequests } from "./plot_option.js";

/** Where a command leaves its exit code, and on which console its failures are told. */
export interface Outcome {
  code: ExitCode;
  console: Console;
  command: string;
}

/** A handler gives the exit code, or throws. Each command's code is loaded when it is called, so that all start fast. */
type Handler = (console: Console) => Promise<ExitCode>;

/** All commands, with their options and examples. `outcome` receives what the one that runs gives. */
export function commandLine(outcome: Outcome): Command {
  const program = new Command("graphc");
  program
    .description("Compiles .graph files to native code, trains them and runs them.")
    .version(`graphc ${version}`, "--version", "print the version")
    .helpOption("--help", "print this help")
    .helpCommand("help [command]", "print the help of a command")
    .configureHelp({ sortSubcommands: false })
    .addHelpText("after", examples("graphc train mnist.graph --save mnist.safetensors"))
    .addHelpText("after", "\n`graphc help COMMAND` has the options of a command, and an example of it.");

  const run = async (command: string, options: CommonOptions, handler: Handler): Promise<void> => {
    outcome.console = new Console(options);
    outcome.command = command;
    outcome.code = await handler(outcome.console);
  };
  const add = (usage: string, description: string, ...lines: readonly string[]): Command => {
    const command = program.command(usage).description(description).helpOption("--help", "print this help");
    return command.addHelpText("after", examples(...lines));
  };

  add("check", "types, shapes, signatures and peak memory; all problems of the files", "graphc check mnist.graph")
    .argument("<file...>", ".graph files")
    .addOption(dimOption())
    .addOption(allowPathOption())
    .action((files: string[], options) =>
      run("check", options, async (console) => (await import("./check.js")).check(console, files, options)),
    );

  add("fmt", "rewrite files in the canonical layout", "graphc fmt mnist.graph layers.graph")
    .argument("<file...>", ".graph files")
    .option("--check", "write nothing; list the files that would change and exit with 1")
    .action((files: string[], options) =>
      run("fmt", options, async (console) => (await import("./fmt.js")).fmt(console, files, options)),
    );

  add("compile", "compile signatures ahead of time, into the cache", "graphc compile mnist.graph --dim N=32")
    .argument("<file>", "a .graph file")
    .option("--signature <S>", "this signature only")
    .addOption(dimOption())
    .addOption(new Option("--target <name>", "what to compile for").choices(["cpu", "gpu"]))
    .addOption(deviceOption())
    .addOption(allowPathOption())
    .action((file: string, options) =>
      run("compile", options, async (console) => (await import("./compile.js")).compile(console, file, options)),
    );

  add(
    "train",
    "train as the file's `train` block says; flags override it",
    "graphc train mnist.graph --epochs 5 --seed 7 --save mnist.safetensors",
    "graphc train mnist.graph --resume mnist.safetensors --epochs 10 --save mnist.safetensors",
  )
    .argument("<file>", "a .graph file")
    .addOption(dataOption("train on these rows instead of the file's (repeatable)"))
    .option("--data-dir <DIR>", "where the file's data lie")
    .option("--batch <N>", "rows of a step", wholeNumber(1))
    .addOption(
      new Option("--steps <N>", "steps in all, counted from the first, also with --resume")
        .argParser(wholeNumber(0))
        .conflicts("epochs"),
    )
    .addOption(new Option("--epochs <N>", "passes over the data in all").argParser(wholeNumber(0)))
    .addOption(
      new Option("--seed <N>", "the seed of all randomness, instead of the file's")
        .argParser(seedNumber)
        .conflicts("resume"),
    )
    .option("--save <PATH>", "where the trained state goes (safetensors)")
    .option("--resume <PATH>", "go on from this checkpoint, bit for bit")
    .addOption(
      new Option(
        "--weights <PATH>",
        "begin with the variables that this file has under the same paths, as for fine-tuning",
      ).conflicts("resume"),
    )
    .addOption(
      new Option("--report <NAME>", "a scalar to report (repeatable); without it the file's").argParser(nameList),
    )
    .option("--every <N>", "report each so many steps, and the last one", wholeNumber(1))
    .addOption(
      new Option(
        "--watch [PORT]",
        "serve a page on this machine with live curves and buttons to pause, stop and save",
      ).argParser(portNumber),
    )
    .option("--events <DIR>", "write TensorBoard's event files there: scalars of each report, and the graph")
    .addOption(
      new Option(
        "--histograms <NAME,...>",
        "with --events: `variables`, `gradients` or edges, at each report",
      ).argParser(nameList),
    )
    .addOption(
      new Option("--images <NAME,...>", "with --events: edges that are images, at each report").argParser(nameList),
    )
    .option("--check-numerics", "end at the first NaN or infinity, and name the op that made it")
    .addOption(profileOption())
    .addOption(allowPathOption())
    .addOption(targetOption())
    .addOption(deviceOption())
    .action((file: string, options) =>
      run("train", options, async (console) => (await import("./train.js")).train(console, file, options)),
    );

  add(
    "run",
    "run a signature, or compute any names",
    "graphc run mnist.graph predict --weights mnist.safetensors --feed image=t10k-images-idx3-ubyte[0:10]",
    "graphc run mnist.graph evaluate --weights mnist.safetensors --data image=t10k-images-idx3-ubyte --data label=t10k-labels-idx1-ubyte",
    "graphc run mnist.graph predict --weights mnist.safetensors --data image=t10k-images-idx3-ubyte --batch 100 -o probs=probs.npy",
    "graphc run hello.graph --fetch greeting",
  )
    .argument("<file>", "a .graph file")
    .argument("[signature]", "what to run")
    .addOption(new Option("--fetch <NAME,...>", "compute these names instead of a signature").argParser(nameList))
    .addOption(
      new Option(
        "--feed <NAME=VALUE>",
        "a placeholder's value: numbers as [[1, 2], [3, 4]], or a data file (repeatable)",
      ).argParser(namedTexts("VALUE")),
    )
    .addOption(dataOption("evaluate over all these rows, in batches, for means and the files of -o (repeatable)"))
    .option("--batch <N>", "rows of a batch with --data; without it the train block's", wholeNumber(1))
    .option("--weights <PATH>", "variables from this safetensors file")
    .addOption(
      new Option(
        "-o, --output <NAME=PATH>",
        "write a result to a .npy, .safetensors or .csv file; with --data the values of all rows (repeatable)",
      ).argParser(namedTexts("PATH")),
    )
    .addOption(
      new Option(
        "--plot <KIND=NAME,...:PATH>",
        "draw results: confusion=A,B:OUT.svg, images=A:OUT.png, line=A,...:OUT.svg, scatter=X,Y[,CLASS]:OUT.svg, scatter=XY[,CLASS]:OUT.svg (repeatable)",
      ).argParser(plotRequests),
    )
    .addOption(new Option("--seed <N>", "the seed of all randomness, instead of the file's").argParser(seedNumber))
    .option("--check-numerics", "fail at the first NaN or infinity, and name the op that made it")
    .addOption(profileOption())
    .addOption(allowPathOption())
    .addOption(targetOption())
    .addOption(deviceOption())
    .action((file: string, signature: string | undefined, options) =>
      run("run", options, async (console) => (await import("./run.js")).run(console, file, signature, options)),
    );

  add(
    "bench",
    "how fast a signature runs here, beside what one core can do",
    "graphc bench mnist.graph fit --dim N=100",
    "graphc bench mnist.graph predict --feed image=t10k-images-idx3-ubyte[0:10] --json",
    "graphc bench mnist.graph fit --data image=train-images-idx3-ubyte --data label=train-labels-idx1-ubyte",
  )
    .argument("<file>", "a .graph file")
    .argument("<signature>", "what to run")
    .addOption(
      new Option(
        "--feed <NAME=VALUE>",
        "a placeholder's value: numbers, or a data file (repeatable); without it values are made up",
      ).argParser(namedTexts("VALUE")),
    )
    .addOption(dataOption("the first batch of these rows (repeatable)"))
    .option("--batch <N>", "rows of the batch with --data; without it the train block's", wholeNumber(1))
    .addOption(dimOption())
    .option("--weights <PATH>", "variables from this safetensors file")
    .addOption(new Option("--seed <N>", "the seed of all randomness, instead of the file's").argParser(seedNumber))
    .option(
      "--samples <N>",
      "samples to take; without it as many as three seconds hold, from 5 to 50",
      wholeNumber(1, 100_000),
    )
    .addOption(allowPathOption())
    .addOption(targetOption())
    .addOption(deviceOption())
    .action((file: string, signature: string, options) =>
      run("bench", options, async (console) => (await import("./bench.js")).bench(console, file, signature, options)),
    );

  add(
    "inspect",
    "print the form that a stage of the compiler gives",
    "graphc inspect mnist.graph --stage kernels --signature predict --dim N=32",
  )
    .argument("<file>", "a .graph file")
    .addOption(
      new Option("--stage <stage>", "which form")
        .choices(["ast", "graph", "gradients", "optimized", "kernels", "llvm", "asm", "gpu"])
        .makeOptionMandatory(),
    )
    .option("--signature <S>", "this signature only")
    .addOption(dimOption())
    .addOption(
      new Option("--target <name>", "the form with which it runs on this target, instead of without one").choices([
        "cpu",
        "gpu",
      ]),
    )
    .addOption(allowPathOption())
    .action((file: string, options) =>
      run("inspect", options, async (console) => (await import("./inspect.js")).inspect(console, file, options)),
    );

  add(
    "explain",
    "what became of an edge, a variable or an update: its line, type and kernels, their code, and why they are what they are",
    "graphc explain mnist.graph hidden --signature fit --measure",
    "graphc explain mnist.graph hidden/dense/w --kernel hidden_dense_w_update",
    "graphc explain mnist.graph 'hidden/dense/w :='",
    "graphc explain mnist.graph mnist.graph:23",
  )
    .argument("<file>", "a .graph file")
    .argument(
      "<name>",
      "a binding, an edge inside a call (`hidden/dense/y`), a variable, what it is given (`w :=`), an update, or a line (`mnist.graph:16`, `:16`)",
    )
    .option("--signature <S>", "in this signature, instead of the first that needs it")
    .option("--kernel <K>", "the code of this kernel, of several that have to do with it")
    .option("--measure", "run it a few times on zeros, and tell what the kernels took")
    .option("--profile <FILE>", "tell what the kernels took when `train` or `run` measured them with --profile FILE")
    .addOption(dimOption())
    .addOption(
      new Option("--target <name>", "as it runs there; kernels of gpu with their gpu.js source").choices([
        "cpu",
        "gpu",
      ]),
    )
    .addOption(
      deviceOption(
        "what the gpu is called in the text (webgpu, headlessgl, webasm or cpu); nothing runs, so it need not be there",
      ),
    )
    .addOption(allowPathOption())
    .action((file: string, name: string, options) =>
      run("explain", options, async (console) => (await import("./explain.js")).explain(console, file, name, options)),
    );

  add(
    "diff",
    "what differs between two graphs, and whether a checkpoint of the first fits the second",
    "graphc diff mnist.graph wider.graph",
  )
    .argument("<before>", "a .graph file")
    .argument("<after>", "a .graph file")
    .addOption(allowPathOption())
    .action((before: string, after: string, options) =>
      run("diff", options, async (console) => (await import("./diff.js")).diff(console, before, after, options)),
    );

  add(
    "viz",
    "draw the graph: a page to look around in, or a picture",
    "graphc viz mnist.graph -o mnist.html",
    "graphc viz mnist.graph -o kernels.svg --view kernels --signature fit --dim N=100",
  )
    .argument("<file>", "a .graph file")
    .addOption(
      new Option(
        "-o, --output <PATH>",
        "a page (.html), a picture (.svg, .png), or .dot for Graphviz",
      ).makeOptionMandatory(),
    )
    .option("--signature <S>", "this signature; without it the one that trains, else the first")
    .addOption(
      new Option("--view <view>", "the graph as it is written, with its gradients, or as kernels after fusion")
        .choices(viewKinds)
        .default("source"),
    )
    .addOption(
      new Option("--expand <NAME,...>", "open these calls, scopes or kernels; `all` opens all").argParser(nameList),
    )
    .option("--profile <FILE>", "colour kernels by the times that `train` or `run` measured with --profile FILE")
    .addOption(
      new Option("--target <name>", "kernels of this target; those of gpu with their gpu.js source").choices([
        "cpu",
        "gpu",
      ]),
    )
    .addOption(
      deviceOption(
        "what the gpu is called in the picture (webgpu, headlessgl, webasm or cpu); nothing runs, so it need not be there",
      ),
    )
    .option("--no-code", "do not compile the kernels for the page's panel")
    .addOption(new Option("--direction <direction>", "where data flow to").choices(["down", "right"]).default("down"))
    .addOption(dimOption())
    .addOption(allowPathOption())
    .action((file: string, options) =>
      run("viz", options, async (console) => (await import("./viz.js")).viz(console, file, options)),
    );

  add(
    "types",
    "write what TypeScript has to know of a file: a wrong feed is then a compile error",
    "graphc types mnist.graph",
  )
    .argument("<file>", "a .graph file")
    .option(
      "-o, --output <OUT>",
      "where it goes; without it beside the file, as mnist.d.graph.ts, where an import of ./mnist.graph finds it",
    )
    .addOption(allowPathOption())
    .action((file: string, options) =>
      run("types", options, async (console) => (await import("./types.js")).types(console, file, options)),
    );

  add(
    "build",
    "write the model as a module for web pages, with its types",
    "graphc build mnist.graph -o page --target web --weights mnist.safetensors",
  )
    .argument("<file>", "a .graph file")
    .addOption(new Option("-o, --output <DIR>", "the folder that it is written to").makeOptionMandatory())
    .addOption(new Option("--to, --target <target>", "what it is for").choices(["web"]).makeOptionMandatory())
    .option("--weights <PATH>", "weights that the page begins with, from `train --save`")
    .addOption(allowPathOption())
    .action((file: string, options) =>
      run("build", options, async (console) => (await import("./build.js")).build(console, file, options)),
    );

  add("lsp", "a language server on standard input and output, which editors start", "graphc lsp")
    .option("--stdio", "as editors say it; there is no other way to talk to it")
    .addOption(allowPathOption())
    .action((options) => run("lsp", options, async (console) => (await import("./lsp.js")).lsp(console, options)));

  add("doctor", "what this machine has and lacks for native code, and how to mend it", "graphc doctor").action(
    (options) => run("doctor", options, async (console) => (await import("./doctor.js")).doctor(console)),
  );

  for (const command of program.commands) for (const option of commonOptions()) command.addOption(option);
  return program;
}

function dataOption(description: string): Option {
  return new Option("--data <NAME=PATH[a:b]:COLUMN,...>", `${description}; rows and columns may be left out`).argParser(
    namedTexts("PATH[a:b]"),
  );
}

function examples(...lines: readonly string[]): string {
  return `\nExample${lines.length === 1 ? "" : "s"}:\n${lines.map((line) => `  $ ${line}`).join("\n")}`;
}

/** An outcome to start from. */
export function newOutcome(): Outcome {
  return { code: exitCodes.fine, console: new Console(), command: "" };
}
