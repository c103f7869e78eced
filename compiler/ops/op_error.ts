import type { Code } from "../ir/codes.js";

/**
 * A shape or dtype rule that an application breaks. The front end adds the places: `operand` names the input that is at
 * fault, `against` the one that it disagrees with.
 */
export class OpError extends Error {
  override readonly name = "OpError";
  readonly code: Code;
  readonly operand: number | undefined;
  readonly against: number | undefined;
  readonly hint: string | undefined;
  /** It is not known whether anything is wrong: other sizes in place of the symbolic ones would tell. */
  readonly undecided: boolean;

  constructor(
    code: Code,
    message: string,
    places: {
      readonly operand?: number;
      readonly against?: number;
      readonly hint?: string;
      readonly undecided?: boolean;
    } = {},
  ) {
    super(message);
    this.code = code;
    this.operand = places.operand;
    this.against = places.against;
    this.hint = places.hint;
    this.undecided = places.undecided ?? false;
  }
}
