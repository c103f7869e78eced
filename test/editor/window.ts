import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter as NodeEmitter, once } from "node:events";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename } from "node:path";
import { Script } from "node:vm";
import { TextDocument } from "vscode-languageserver-textdocument";
import { URI } from "vscode-uri";

/**
 * A window of VS Code as an extension sees it: as much of the module `vscode` as a language client asks for when it starts, hears of
 * files, and shows problems, hovers and inlay hints. What the extension registers is kept, and asked as the editor asks it.
 */

class Disposable {
  readonly #work: () => unknown;
  constructor(work: () => unknown = () => undefined) {
    this.#work = work;
  }
  static from(...all: readonly { dispose(): unknown }[]): Disposable {
    return new Disposable(() => {
      for (const one of all) one.dispose();
    });
  }
  dispose(): void {
    this.#work();
  }
}

class Emitter<T = unknown> {
  readonly #listeners = new Set<(value: T) => unknown>();
  readonly event = (listener: (value: T) => unknown, self?: unknown): Disposable => {
    const bound = listener.bind(self);
    this.#listeners.add(bound);
    return new Disposable(() => this.#listeners.delete(bound));
  };
  fire(value: T): void {
    for (const listener of [...this.#listeners]) listener(value);
  }
  dispose(): void {
    this.#listeners.clear();
  }
}

class Position {
  readonly line: number;
  readonly character: number;
  constructor(line: number, character: number) {
    this.line = line;
    this.character = character;
  }
}

class Range {
  readonly start: Position;
  readonly end: Position;
  constructor(a: number | Position, b: number | Position, c = 0, d = 0) {
    this.start = typeof a === "number" ? new Position(a, Number(b)) : a;
    this.end = typeof b === "number" ? new Position(c, d) : b;
  }
}

/** A class whose instances hold what they are made with, under these names. */
function record(...names: readonly string[]) {
  return class {
    constructor(...values: readonly unknown[]) {
      for (const [index, name] of names.entries()) Reflect.set(this, name, values[index]);
    }
  };
}

class CancellationTokenSource {
  readonly token = { isCancellationRequested: false, onCancellationRequested: new Emitter().event };
  cancel(): void {}
  dispose(): void {}
}

export interface Problem {
  readonly code: unknown;
  readonly message: string;
  readonly range: Range;
}

/** A message of the window, and the words on its buttons. */
export interface Message {
  readonly text: string;
  readonly buttons: readonly string[];
}

interface Extension {
  activate(context: { readonly subscriptions: { dispose(): unknown }[] }): Promise<void>;
  deactivate(): Promise<void>;
}

function isExtension(value: unknown): value is Extension {
  return typeof value === "object" && value !== null && "activate" in value && "deactivate" in value;
}

type Provider = Readonly<Record<string, (...parameters: readonly unknown[]) => unknown>>;

interface Opened {
  readonly uri: URI;
  readonly languageId: string;
  readonly version: number;
  readonly isDirty: boolean;
  readonly fileName: string;
  getText(): string;
}

function opened(path: string, version: number, text: string): Opened {
  const uri = URI.file(path);
  return { uri, languageId: "graph", version, isDirty: false, fileName: path, getText: () => text };
}

export class Window {
  readonly context: { readonly subscriptions: { dispose(): unknown }[] } = { subscriptions: [] };
  readonly messages: Message[] = [];
  /** The processes that the extension started. */
  readonly started: ChildProcess[] = [];
  readonly executed: (readonly unknown[])[] = [];
  /** The pages that it shows, by their titles. */
  readonly pages = new Map<string, string>();
  readonly #folders: readonly string[];
  readonly #settings: Map<string, unknown>;
  #trusted: boolean;
  /** What a user presses when a message shows. */
  readonly #press: string | undefined;
  #documents: readonly Opened[] = [];
  readonly #problems = new Map<string, readonly Problem[]>();
  readonly #published = new NodeEmitter();
  readonly #providers = new Map<string, Provider>();
  readonly #commands = new Map<string, (...parameters: readonly unknown[]) => unknown>();
  readonly #changedText = new Emitter<unknown>();
  readonly #changedSettings = new Emitter<unknown>();
  readonly #trustedNow = new Emitter<void>();

  constructor({
    folders,
    settings = {},
    trusted = true,
    press,
  }: {
    readonly folders: readonly string[];
    readonly settings?: Readonly<Record<string, unknown>>;
    readonly trusted?: boolean;
    readonly press?: string;
  }) {
    this.#folders = folders;
    this.#settings = new Map(Object.entries(settings));
    this.#trusted = trusted;
    this.#press = press;
  }

  /** The extension in a bundle, with this window for its module `vscode`. */
  load(path: string): Extension {
    const vscode = this.#vscode();
    const real = createRequire(path);
    const processes = { ...real("node:child_process"), spawn: this.#spawn.bind(this) };
    const request = (name: string): unknown => {
      if (name === "vscode") return vscode;
      return /^(?:node:)?child_process$/.test(name) ? processes : real(name);
    };
    const holder: { exports: unknown } = { exports: {} };
    const run = new Script(`(function (require, module, exports) { ${readFileSync(path, "utf8")}\n})`, {
      filename: path,
    }).runInThisContext();
    run(request, holder, holder.exports);
    if (!isExtension(holder.exports)) throw new Error(`${path} is no extension`);
    return holder.exports;
  }

  #spawn(...parameters: Parameters<typeof spawn>): ChildProcess {
    const child = spawn(...parameters);
    this.started.push(child);
    return child;
  }

  open(path: string): void {
    this.#documents = [...this.#documents, opened(path, 1, readFileSync(path, "utf8"))];
  }

  /** Writes a whole new text into what is open, as one keystroke. */
  change(path: string, text: string): void {
    const old = this.#opened(path);
    const before = TextDocument.create(path, "graph", 0, old.getText());
    const end = before.positionAt(old.getText().length);
    const document = opened(path, old.version + 1, text);
    this.#documents = this.#documents.map((one) => (one === old ? document : one));
    this.#problems.delete(document.uri.toString());
    const range = new Range(0, 0, end.line, end.character);
    const contentChanges = [{ range, rangeOffset: 0, rangeLength: old.getText().length, text }];
    this.#changedText.fire({ document, contentChanges, reason: undefined });
  }

  #opened(path: string): Opened {
    const found = this.#documents.find(({ fileName }) => fileName === path);
    if (found === undefined) throw new Error(`${path} is not open`);
    return found;
  }

  /** What is shown to be wrong with a file, once it is shown. */
  async problems(path: string): Promise<readonly Problem[]> {
    const uri = URI.file(path).toString();
    while (!this.#problems.has(uri)) await once(this.#published, "problems");
    return this.#problems.get(uri) ?? [];
  }

  #ask(what: string, method: string, path: string, ...parameters: readonly unknown[]): unknown {
    const provider = this.#providers.get(what);
    if (provider === undefined) throw new Error(`nothing gives ${what}`);
    return provider[method]?.(this.#opened(path), ...parameters, new CancellationTokenSource().token);
  }

  async hover(path: string, line: number, character: number): Promise<string> {
    return JSON.stringify(await this.#ask("Hover", "provideHover", path, new Position(line, character)));
  }

  async inlayHints(path: string): Promise<readonly unknown[]> {
    const hints = await this.#ask("InlayHints", "provideInlayHints", path, new Range(0, 0, 1000, 0));
    if (!Array.isArray(hints)) throw new Error("no list of hints");
    return hints.map(({ label }: { readonly label: unknown }) => label);
  }

  async command(name: string): Promise<void> {
    await this.#commands.get(name)?.();
  }

  get commands(): readonly string[] {
    return [...this.#commands.keys()];
  }

  configure(name: string, value: unknown): void {
    this.#settings.set(name, value);
    const affectsConfiguration = (section: string): boolean => `graphc.${name}`.startsWith(section);
    this.#changedSettings.fire({ affectsConfiguration });
  }

  trust(): void {
    this.#trusted = true;
    this.#trustedNow.fire();
  }

  #vscode(): unknown {
    const never = new Emitter().event;
    const message = async (text: string, ...buttons: readonly unknown[]): Promise<unknown> => {
      this.messages.push({ text, buttons: buttons.filter((one) => typeof one === "string") });
      return this.#press !== undefined && buttons.includes(this.#press) ? this.#press : undefined;
    };
    const quiet = (): undefined => undefined;
    const output = {
      ...{ name: "graphc", logLevel: 3, onDidChangeLogLevel: never, append: quiet, appendLine: quiet, replace: quiet },
      ...{ clear: quiet, show: quiet, hide: quiet, dispose: quiet },
      ...{ trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet },
    };
    const settings = this.#settings;
    const workspace = {
      isTrusted: this.#trusted,
      workspaceFolders: this.#folders.map((path, index) => ({ uri: URI.file(path), name: basename(path), index })),
      notebookDocuments: [],
      fs: { isWritableFileSystem: () => true },
      getConfiguration: () => ({ get: (name: string, otherwise: unknown) => settings.get(name) ?? otherwise }),
      createFileSystemWatcher: () => ({
        ...{ onDidCreate: never, onDidChange: never, onDidDelete: never },
        dispose: quiet,
      }),
      onDidChangeTextDocument: this.#changedText.event,
      onDidChangeConfiguration: this.#changedSettings.event,
      onDidGrantWorkspaceTrust: this.#trustedNow.event,
    };
    Object.defineProperty(workspace, "isTrusted", { get: () => this.#trusted });
    Object.defineProperty(workspace, "textDocuments", { get: () => this.#documents });
    const window = {
      tabGroups: { all: [], onDidChangeTabs: never, onDidChangeTabGroups: never },
      visibleTextEditors: [],
      createOutputChannel: () => output,
      showErrorMessage: message,
      showInformationMessage: message,
      showWarningMessage: message,
      createWebviewPanel: (_kind: string, title: string) => this.#panel(title),
    };
    Object.defineProperty(window, "activeTextEditor", {
      get: () => (this.#documents[0] === undefined ? undefined : { document: this.#documents[0] }),
    });
    const languages = {
      match: (_selector: unknown, { languageId }: { readonly languageId: string }) => (languageId === "graph" ? 10 : 0),
      createDiagnosticCollection: () => ({
        set: (uri: URI, problems: readonly Problem[] = []) => {
          this.#problems.set(uri.toString(), problems);
          this.#published.emit("problems");
        },
        ...{ clear: quiet, delete: quiet, dispose: quiet, has: () => false, get: () => [] },
      }),
    };
    return {
      ...{ version: "1.91.0", Uri: URI, Position, Range, Disposable, EventEmitter: Emitter, CancellationTokenSource },
      CancellationError: class extends Error {},
      Diagnostic: record("range", "message", "severity"),
      DiagnosticRelatedInformation: record("location", "message"),
      Hover: record("contents", "range"),
      MarkdownString: record("value"),
      InlayHint: record("position", "label", "kind"),
      Location: record("uri", "range"),
      RelativePattern: record("base", "pattern"),
      Task: record("definition", "scope", "name", "source", "execution"),
      ProcessExecution: record("process", "args", "options"),
      ...Object.fromEntries(extended.map((name) => [name, record("first", "second", "third")])),
      ...Object.fromEntries(enumerations.map((name) => [name, numbering()])),
      CodeActionKind: kinds(),
      workspace: withEvents(workspace, never),
      window: withEvents(window, never),
      languages: this.#registering(languages),
      env: {
        language: "en",
        appName: "a stand-in",
        openExternal: async (...all: unknown[]) => this.executed.push(all),
      },
      tasks: { executeTask: async (task: unknown) => this.executed.push([task]) },
      commands: {
        registerCommand: (name: string, work: () => unknown) => {
          this.#commands.set(name, work);
          return new Disposable(() => this.#commands.delete(name));
        },
        executeCommand: async (...all: readonly unknown[]) => this.executed.push(all),
      },
    };
  }

  #panel(title: string) {
    const set = (html: string): Map<string, string> => this.pages.set(title, html);
    return {
      webview: {
        set html(html: string) {
          set(html);
        },
      },
      onDidDispose: () => new Disposable(),
      reveal: () => undefined,
      dispose: () => this.pages.delete(title),
    };
  }

  /** `registerHoverProvider(selector, provider)` and its like. */
  #registering(languages: object): object {
    return new Proxy(languages, {
      get: (target, name) => {
        const what = /^register(\w+?)Provider$/.exec(String(name))?.[1];
        if (what === undefined) return Reflect.get(target, name);
        return (_selector: unknown, provider: Provider) => {
          this.#providers.set(what, provider);
          return new Disposable(() => this.#providers.delete(what));
        };
      },
    });
  }
}

/** Events that this window never fires. */
function withEvents(target: object, never: unknown): object {
  return new Proxy(target, {
    get: (from, name) => Reflect.get(from, name) ?? (/^on(?:Did|Will)/.test(String(name)) ? never : undefined),
  });
}

/** Classes that a language client extends. */
const extended = [
  ...["CompletionItem", "CodeLens", "DocumentLink", "CodeAction", "CallHierarchyItem", "TypeHierarchyItem"],
  ...["SymbolInformation", "TabInputText", "TabInputTextDiff", "TabInputCustom", "TabInputNotebook"],
];

const enumerations = [
  ...["DiagnosticSeverity", "DiagnosticTag", "CompletionItemKind", "CompletionItemTag", "SymbolKind", "SymbolTag"],
  ...["LogLevel", "ProgressLocation", "ViewColumn", "TaskScope", "TaskRevealKind", "ShellQuoting", "FoldingRangeKind"],
  ...["DocumentHighlightKind", "FileType", "NotebookCellKind", "TextDocumentSaveReason", "SignatureHelpTriggerKind"],
  ...["CompletionTriggerKind", "CodeActionTriggerKind", "InlineCompletionTriggerKind", "InlayHintKind"],
];

/** A number for each name that is asked for. */
function numbering(): object {
  const numbers = new Map<PropertyKey, number>();
  return new Proxy(numbers, {
    get: (_, name) => {
      const number = numbers.get(name) ?? numbers.size;
      numbers.set(name, number);
      return number;
    },
  });
}

function kinds(): object {
  return new Proxy({}, { get: (_, name) => ({ value: String(name), append: kinds }) });
}
