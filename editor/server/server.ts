import type { Readable } from "node:stream";
import {
  CodeActionKind,
  type Connection,
  ErrorCodes,
  FileChangeType,
  type InitializeParams,
  type InitializeResult,
  type Location,
  LSPErrorCodes,
  type Position,
  ResponseError,
  type SemanticTokens,
  type SemanticTokensDelta,
  type TextDocumentPositionParams,
  TextDocumentSyncKind,
  TextDocuments,
  type TextEdit,
} from "vscode-languageserver";
import { TextDocument } from "vscode-languageserver-textdocument";
import type { Span } from "../../compiler/ir/span.js";
import { version } from "../../compiler/version.js";
import { inputRead } from "./after_input.js";
import type { Analysis } from "./analysis.js";
import { completionAt, resolveCompletion } from "./completion.js";
import { rangeIn } from "./diagnostics.js";
import { quickFixes } from "./fixes.js";
import { formatEdits } from "./formatting.js";
import { hoverAt } from "./hover.js";
import { importedFileAt } from "./imports.js";
import { inlayHints } from "./inlay_hints.js";
import { outlineOf } from "./outline.js";
import { fileOf, uriOf } from "./paths.js";
import { Publisher } from "./publisher.js";
import { rangeOf } from "./ranges.js";
import { Rehearsal } from "./rehearsal.js";
import { RenameRefusal, renamable, rename } from "./rename.js";
import { SemanticTokensSent, semanticTokensLegend } from "./semantic_tokens.js";
import { signatureHelpAt } from "./signature_help.js";
import { referencesTo, symbolAt } from "./symbols.js";
import { Workspace } from "./workspace.js";

export interface ServerOptions {
  /** Folders that imports may lead to, besides that of the importing file. */
  readonly allowPaths: readonly string[];
  /** What the editor says, to whom it matters when. */
  readonly input: Readable;
}

/** Speaks the language server protocol on a connection until that ends. */
export function serve(connection: Connection, { allowPaths, input }: ServerOptions): void {
  const workspace = new Workspace();
  workspace.allowPaths = allowPaths;
  const publisher = new Publisher(workspace, connection);
  const rehearsal = new Rehearsal(workspace);
  input.on("data", () => rehearsal.heard());
  const colours = new SemanticTokensSent();
  const documents = new TextDocuments(TextDocument);

  const client = { asksAgain: false };
  connection.onInitialize((parameters) => {
    client.asksAgain = parameters.capabilities.general?.staleRequestSupport?.cancel === true;
    return initialise(workspace, parameters);
  });
  connection.onDidChangeWatchedFiles(({ changes }) => {
    for (const { uri, type } of changes) {
      const file = fileOf(uri);
      workspace.touch(file);
      if (type === FileChangeType.Deleted || !workspace.isOpen(file)) publisher.changed(file);
    }
  });
  documents.onDidChangeContent(({ document }) => {
    const file = fileOf(document.uri);
    workspace.setText(file, document.getText());
    publisher.changed(file);
  });
  documents.onDidOpen(({ document }) => rehearsal.opened(document.getText()));
  documents.onDidClose(({ document }) => {
    const file = fileOf(document.uri);
    workspace.close(file);
    colours.forget(file);
    publisher.changed(file);
  });
  connection.onShutdown(() => {
    publisher.stop();
    rehearsal.stop();
  });
  answer(connection, workspace, colours, client);
  documents.listen(connection);
  connection.listen();
}

function initialise(workspace: Workspace, { workspaceFolders, rootUri }: InitializeParams): InitializeResult {
  const folders = workspaceFolders?.map(({ uri }) => uri) ?? (typeof rootUri === "string" ? [rootUri] : []);
  workspace.folders = folders.map(fileOf);
  return {
    serverInfo: { name: "graphc", version },
    capabilities: {
      textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental },
      hoverProvider: true,
      definitionProvider: true,
      referencesProvider: true,
      documentHighlightProvider: true,
      renameProvider: { prepareProvider: true },
      documentSymbolProvider: true,
      documentFormattingProvider: true,
      completionProvider: { triggerCharacters: [".", '"', ":", "="], resolveProvider: true },
      signatureHelpProvider: { triggerCharacters: ["(", ","] },
      inlayHintProvider: true,
      codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] },
      semanticTokensProvider: { legend: semanticTokensLegend, full: { delta: true } },
    },
  };
}

/** What is asked of one file. */
function answer(
  connection: Connection,
  workspace: Workspace,
  colours: SemanticTokensSent,
  /** Whether the editor asks again where it is told that the text has changed. */
  client: { readonly asksAgain: boolean },
): void {
  const analysisOf = (uri: string): Analysis | undefined => workspace.analysis(fileOf(uri));
  const sourceOf = (uri: string) => workspace.source(fileOf(uri));
  const at = <T>(
    { textDocument, position }: TextDocumentPositionParams,
    give: (analysis: Analysis, offset: number) => T | undefined,
  ): T | null => {
    const analysis = analysisOf(textDocument.uri);
    if (analysis === undefined) return null;
    return give(analysis, offsetOf(analysis, position)) ?? null;
  };
  const location = (span: Span): readonly Location[] => {
    const range = rangeIn(workspace, span);
    return range === undefined ? [] : [{ uri: uriOf(span.file), range }];
  };
  const references = (analysis: Analysis, offset: number): readonly Span[] => {
    const found = symbolAt(analysis, offset);
    return found === undefined ? [] : referencesTo(workspace, found.symbol, analysis);
  };

  connection.onHover((parameters) => at(parameters, (analysis, offset) => hoverAt(workspace, analysis, offset)));
  connection.onDefinition((parameters) =>
    at(parameters, (analysis, offset) => {
      const span = importedFileAt(workspace, analysis, offset) ?? symbolAt(analysis, offset)?.symbol.span;
      return span === undefined ? undefined : [...location(span)];
    }),
  );
  connection.onReferences((parameters) =>
    at(parameters, (analysis, offset) => {
      const target = symbolAt(analysis, offset)?.symbol.span;
      const isTarget = ({ file, start }: Span): boolean => file === target?.file && start === target.start;
      const { includeDeclaration } = parameters.context;
      return references(analysis, offset)
        .filter((span) => includeDeclaration || !isTarget(span))
        .flatMap(location);
    }),
  );
  connection.onDocumentHighlight((parameters) =>
    at(parameters, (analysis, offset) =>
      references(analysis, offset)
        .filter(({ file }) => file === analysis.source.file)
        .map((span) => ({ range: rangeOf(analysis.source.document, span) })),
    ),
  );
  connection.onPrepareRename((parameters) =>
    at(parameters, (analysis, offset) =>
      refusing(() => rangeOf(analysis.source.document, renamable(analysis, offset).word)),
    ),
  );
  connection.onRenameRequest((parameters) =>
    at(parameters, (analysis, offset) =>
      refusing(() => {
        const changes: Record<string, TextEdit[]> = {};
        for (const span of rename(workspace, analysis, offset, parameters.newName)) {
          const range = rangeIn(workspace, span);
          const uri = uriOf(span.file);
          const edits = changes[uri] ?? [];
          changes[uri] = edits;
          if (range !== undefined) edits.push({ range, newText: parameters.newName });
        }
        return { changes };
      }),
    ),
  );
  connection.onDocumentSymbol(({ textDocument }) => {
    const source = sourceOf(textDocument.uri);
    return source === undefined ? null : [...outlineOf(source)];
  });
  connection.onDocumentFormatting(({ textDocument }) => {
    const source = sourceOf(textDocument.uri);
    return source === undefined ? null : [...formatEdits(source)];
  });
  connection.onCompletion((parameters) =>
    at(parameters, (analysis, offset) => [...completionAt(workspace, analysis, offset)]),
  );
  connection.onCompletionResolve(resolveCompletion);
  connection.onSignatureHelp((parameters) =>
    at(parameters, ({ source }, offset) => signatureHelpAt(workspace, source, offset)),
  );
  /** What editors ask anew after each change: of a text that has changed meanwhile it need not be known. */
  const ofLatest = async <T>(uri: string, nothing: T, give: (analysis: Analysis) => T): Promise<T | ResponseError> => {
    const { changes } = workspace;
    if (client.asksAgain) await inputRead();
    if (changes !== workspace.changes) return new ResponseError(LSPErrorCodes.ContentModified, "the text has changed");
    const analysis = analysisOf(uri);
    return analysis === undefined ? nothing : give(analysis);
  };
  connection.languages.inlayHint.on(({ textDocument, range }) =>
    ofLatest(textDocument.uri, [], (analysis) => [
      ...inlayHints(analysis, offsetOf(analysis, range.start), offsetOf(analysis, range.end)),
    ]),
  );
  connection.languages.semanticTokens.on(({ textDocument }) =>
    ofLatest(textDocument.uri, { data: [] }, (analysis) => colours.all(analysis)),
  );
  connection.languages.semanticTokens.onDelta(({ textDocument, previousResultId }) =>
    ofLatest<SemanticTokens | SemanticTokensDelta>(textDocument.uri, { data: [] }, (analysis) =>
      colours.since(previousResultId, analysis),
    ),
  );
  connection.onCodeAction(({ textDocument, range }) => {
    const analysis = analysisOf(textDocument.uri);
    if (analysis === undefined) return [];
    const [start, end] = [offsetOf(analysis, range.start), offsetOf(analysis, range.end)];
    return analysis.loaded.diagnostics
      .filter(({ span }) => span?.file === analysis.source.file && span.start <= end && start <= span.end)
      .flatMap((diagnostic) => quickFixes(workspace, diagnostic));
  });
}

function offsetOf({ source }: Analysis, position: Position): number {
  return source.document.offsetAt(position);
}

/** What cannot be renamed is the user's to know, and no failure of the server. */
function refusing<T>(work: () => T): T | ResponseError {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof RenameRefusal)) throw error;
    return new ResponseError(ErrorCodes.InvalidRequest, error.message);
  }
}
