import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { env, type TextDocument, Uri, ViewColumn, type WebviewPanel, window } from "vscode";
import type { GraphcProgram } from "./locate.js";
import { runToEnd } from "./run.js";

/** The pages of `graphc viz`, in panels beside the text and in the browser. */
export class Pictures {
  readonly #panels = new Map<string, WebviewPanel>();
  /** The number of each file, since two may have the same name. */
  readonly #files = new Map<string, number>();
  #folder: Promise<string> | undefined;

  /** Where pages are written; gone when the editor ends. */
  async #write(program: GraphcProgram, file: string): Promise<string> {
    this.#folder ??= mkdtemp(join(tmpdir(), "graphc-"));
    const number = this.#files.get(file) ?? this.#files.size;
    this.#files.set(file, number);
    const page = join(await this.#folder, `${number}-${basename(file)}.html`);
    await runToEnd(program, "viz", file, ["-o", page]);
    return page;
  }

  /** Shows the page of a file, in the panel that it has. */
  async show(program: GraphcProgram, { uri }: TextDocument): Promise<void> {
    const html = await readFile(await this.#write(program, uri.fsPath), "utf8");
    const known = this.#panels.get(uri.fsPath);
    const panel =
      known ??
      window.createWebviewPanel("graphc.graph", `Graph of ${basename(uri.fsPath)}`, ViewColumn.Beside, {
        enableScripts: true,
        // What is opened and selected in it is the page's own state.
        retainContextWhenHidden: true,
        localResourceRoots: [],
      });
    if (known === undefined) {
      this.#panels.set(uri.fsPath, panel);
      panel.onDidDispose(() => this.#panels.delete(uri.fsPath));
    } else panel.reveal(undefined, true);
    // The editor gives pages a margin; this one has its own.
    panel.webview.html = html.replace("</head>", "<style>body { padding: 0 }</style></head>");
  }

  isShown({ uri }: TextDocument): boolean {
    return this.#panels.has(uri.fsPath);
  }

  async openInBrowser(program: GraphcProgram, { uri }: TextDocument): Promise<void> {
    await env.openExternal(Uri.file(await this.#write(program, uri.fsPath)));
  }

  async dispose(): Promise<void> {
    for (const panel of this.#panels.values()) panel.dispose();
    if (this.#folder !== undefined) await rm(await this.#folder, { recursive: true, force: true });
  }
}
