import { editorDiagnostic } from "./diagnostics.js";
import { inlayHints } from "./inlay_hints.js";
import { rehearsed } from "./rehearsed_text.js";
import { SemanticTokensSent } from "./semantic_tokens.js";
import { Workspace } from "./workspace.js";

/** How long the editor must have said nothing, in milliseconds. */
const restMilliseconds = 40;

/** What has come in is heard after so many milliseconds of work, and the keystroke that goes on then, which takes one or two. */
const sliceMilliseconds = 2;

/** How often all of the text is gone through: less leaves code slow, more makes it no quicker. */
const rounds = 3;

/** In a file that is shorter, a keystroke is quick even where its code was never run. */
const longText = 10_000;

/**
 * The code that a keystroke runs is slow as long as it was not run often. So when a long file was opened, and the editor says nothing,
 * keystrokes in a short text of its own are worked through, unseen, one at a time; a message ends that until the editor rests again. What is
 * answered does not rest on it.
 */
export class Rehearsal {
  readonly #workspace: Workspace;
  readonly #ended: () => void;
  #keystrokes: Iterator<undefined> | undefined;
  #isWanted = false;
  #count = 0;
  #timer: NodeJS.Timeout | undefined;
  #slice: NodeJS.Immediate | undefined;

  /** `workspace` is the editor's, which has read what it can of the library; `ended` is told when all is done. */
  constructor(workspace: Workspace, ended: () => void = () => undefined) {
    this.#workspace = workspace;
    this.#ended = ended;
  }

  /** How many keystrokes have been worked through. */
  get count(): number {
    return this.#count;
  }

  /** The editor has opened a file. */
  opened(text: string): void {
    if (text.length < longText || this.#keystrokes !== undefined) return;
    this.#keystrokes = keystrokes(this.#workspace.library);
    this.#isWanted = true;
    this.heard();
  }

  /** The editor has said something: that comes first. */
  heard(): void {
    if (!this.#isWanted) return;
    clearImmediate(this.#slice);
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#begin(), restMilliseconds).unref();
    else this.#timer.refresh();
  }

  stop(): void {
    this.#isWanted = false;
    clearTimeout(this.#timer);
    clearImmediate(this.#slice);
  }

  /** What has been said meanwhile, while something else was worked out, is read first. */
  #begin(): void {
    this.#slice = setImmediate(() => {
      this.#slice = setImmediate(() => this.#work());
    });
  }

  #work(): void {
    const start = performance.now();
    while (performance.now() - start < sliceMilliseconds) {
      if (this.#keystrokes?.next().done === true) {
        this.stop();
        this.#ended();
        return;
      }
      this.#count++;
    }
    this.#slice = setImmediate(() => this.#work());
  }
}

/** Types at the ends of some lines, and deletes that again; a step is a keystroke, with all that an editor asks then. */
function* keystrokes(library: Workspace["library"]): Generator<undefined> {
  const workspace = new Workspace(library);
  const colours = new SemanticTokensSent();
  for (let round = 0; round < rounds; round++) {
    for (const { text, at, typed } of rehearsed) {
      // Never on a disk.
      const file = `/rehearsal/${text.length}.graph`;
      for (let k = 0; k <= 2 * typed.length; k++) {
        const written = typed.slice(0, typed.length - Math.abs(typed.length - k));
        show(workspace, colours, file, text.slice(0, at) + written + text.slice(at));
        yield;
      }
    }
  }
}

/** Works out what is told of a text. */
function show(workspace: Workspace, colours: SemanticTokensSent, file: string, text: string): void {
  workspace.setText(file, text);
  const analysis = workspace.analysis(file);
  if (analysis === undefined) return;
  for (const diagnostic of analysis.loaded.diagnostics) editorDiagnostic(workspace, diagnostic);
  const before = colours.all(analysis).resultId;
  if (before !== undefined) colours.since(before, analysis);
  inlayHints(analysis, 0, text.length);
}
