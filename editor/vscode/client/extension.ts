import { commands, type ExtensionContext, type TextDocument, window, workspace } from "vscode";
import { type GraphcProgram, missingText } from "./locate.js";
import { tellFailure, tellMissing } from "./messages.js";
import { Pictures } from "./pictures.js";
import { runInTerminal } from "./run.js";
import { Server } from "./server.js";
import { locateGraphc } from "./settings.js";

let running: { readonly server: Server; readonly pictures: Pictures } | undefined;

export async function activate({ subscriptions }: ExtensionContext): Promise<void> {
  const output = window.createOutputChannel("graphc", { log: true });
  const server = new Server(output);
  const pictures = new Pictures();
  running = { server, pictures };

  /** What fails is the user's to know: with what graphc said. */
  const telling = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      output.error(text);
      tellFailure(`graphc: ${text.split("\n")[0]}`, output);
    }
  };
  const onFileInFront = (work: (program: GraphcProgram, document: TextDocument) => Promise<void>) => () =>
    telling(async () => {
      const document = await fileInFront();
      const program = document === undefined ? undefined : programToRun();
      if (document !== undefined && program !== undefined) await work(program, document);
    });

  subscriptions.push(
    output,
    commands.registerCommand("graphc.restartServer", () => server.start()),
    commands.registerCommand("graphc.showGraph", onFileInFront(pictures.show.bind(pictures))),
    commands.registerCommand("graphc.openGraphInBrowser", onFileInFront(pictures.openInBrowser.bind(pictures))),
    commands.registerCommand(
      "graphc.check",
      onFileInFront((program, { uri }) => runInTerminal(program, "check", uri.fsPath)),
    ),
    // A file that does not hold yet keeps its last picture: what is wrong with it is shown where it is written.
    workspace.onDidSaveTextDocument(async (document) => {
      const located = locateGraphc();
      if (!pictures.isShown(document) || located.kind !== "found") return;
      await pictures.show(located.program, document).catch((error: unknown) => output.warn(String(error)));
    }),
    workspace.onDidChangeConfiguration(async (change) => {
      if (change.affectsConfiguration("graphc.path") || change.affectsConfiguration("graphc.allowPaths"))
        await server.start();
      if (change.affectsConfiguration("graphc.inlayHints")) server.refreshInlayHints();
    }),
    workspace.onDidGrantWorkspaceTrust(() => server.start()),
  );
  await server.start();
}

export async function deactivate(): Promise<void> {
  await running?.server.dispose();
  await running?.pictures.dispose();
  running = undefined;
}

/** The file of the editor in front, saved; undefined, and told, where there is none. */
async function fileInFront(): Promise<TextDocument | undefined> {
  const document = window.activeTextEditor?.document;
  if (document?.languageId !== "graph" || document.uri.scheme !== "file") {
    window
      .showInformationMessage("graphc: this is for a .graph file that lies on the disk.")
      .then(undefined, () => undefined);
    return undefined;
  }
  return !document.isDirty || (await document.save()) ? document : undefined;
}

/** graphc, where the folder may bring it along and it is there. */
function programToRun(): GraphcProgram | undefined {
  if (!workspace.isTrusted) throw new Error("programs are run when the folder is trusted.");
  const located = locateGraphc();
  if (located.kind === "found") return located.program;
  tellMissing(missingText(located));
  return undefined;
}
