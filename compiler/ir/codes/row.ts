/** One row of the catalogue of diagnostics; `docs/errors.md` is generated from these. */
export interface CodeRow {
  /** `G` and three digits; a code never changes its meaning and is never used again. */
  readonly code: `G${number}`;
  readonly title: string;
  /** Why it is refused and how to mend it, in a sentence or two of plain text. */
  readonly explain: string;
  /** A `.graph` text that gives the error, or, where none can, a command line that starts with `$ `. */
  readonly example: string;
}
