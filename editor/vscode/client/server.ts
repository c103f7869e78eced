import { type LogOutputChannel, workspace } from "vscode";
import {
  InlayHintRequest,
  LanguageClient,
  type LanguageClientOptions,
  TransportKind,
} from "vscode-languageclient/node";
import { argumentsOf, missingText } from "./locate.js";
import { tellFailure, tellMissing } from "./messages.js";
import { allowPathOptions, locateGraphc, showsInlayHints, startFolder } from "./settings.js";

/** The language server of this window: `graphc lsp`, where there is one to start. */
export class Server {
  readonly #output: LogOutputChannel;
  readonly #watcher = workspace.createFileSystemWatcher("**/*.graph");
  #client: LanguageClient | undefined;
  /** Starts and stops follow one another. */
  #last: Promise<void> = Promise.resolve();

  constructor(output: LogOutputChannel) {
    this.#output = output;
  }

  /** Starts it, anew where it runs. */
  start(): Promise<void> {
    return this.#after(async () => {
      await this.#stop();
      await this.#start();
    });
  }

  async dispose(): Promise<void> {
    await this.#after(() => this.#stop());
    this.#watcher.dispose();
  }

  #after(work: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(work);
    return this.#last;
  }

  async #start(): Promise<void> {
    if (!workspace.isTrusted) return;
    const located = locateGraphc();
    if (located.kind !== "found") {
      this.#output.warn(missingText(located));
      tellMissing(missingText(located));
      return;
    }
    const { program, path } = located;
    this.#output.info(`starts ${path} lsp`);
    const executable = {
      command: program.command,
      args: argumentsOf(program, ["lsp", ...allowPathOptions()]),
      transport: TransportKind.stdio,
      options: { shell: program.shell, cwd: startFolder() },
    };
    const client = new LanguageClient("graphc", "graphc", executable, this.#options());
    try {
      await client.start();
      this.#client = client;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      tellFailure(`graphc: the language server ${path} did not start: ${reason}`, this.#output);
    }
  }

  #options(): LanguageClientOptions {
    return {
      documentSelector: [
        { language: "graph", scheme: "file" },
        { language: "graph", scheme: "untitled" },
      ],
      synchronize: { fileEvents: this.#watcher },
      outputChannel: this.#output,
      // What went wrong is told where the server is started.
      initializationFailedHandler: () => false,
      middleware: {
        provideInlayHints: (document, range, token, next) =>
          showsInlayHints(document.uri) ? next(document, range, token) : [],
      },
    };
  }

  async #stop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    // One that does not answer is ended all the same.
    await client?.dispose().catch((error: unknown) => this.#output.warn(String(error)));
  }

  /** The editor asks again for the hints of what is open. */
  refreshInlayHints(): void {
    const feature = this.#client?.getFeature(InlayHintRequest.method);
    for (const document of workspace.textDocuments)
      if (document.languageId === "graph") feature?.getProvider(document)?.onDidChangeInlayHints.fire();
  }
}
