/** Parts of the printed form that stand for one thing: names, dims, types, attributes, constants. All bounded. */
import type { Code } from "./codes.js";
import { type Condition, compareDims, relationSigns, relations } from "./condition.js";
import { addDims, type Dim, floorDivideDims, isSymbolic, multiplyDims, subtractDims, symbol } from "./dim.js";
import { byteSize, isDType, type NumericDType } from "./dtype.js";
import { encodeBF16, encodeF16 } from "./half.js";
import { Lexer, type Token, type TokenKind } from "./lexer.js";
import type { Attribute } from "./node.js";
import { bitsOf, canonicalNaN } from "./printer-literal.js";
import { allocate, type Tensor, type TensorData } from "./tensor.js";
import { type TensorType, tensorType } from "./type.js";

/** How deep lists, parentheses and regions nest; how many bytes constants take together; how many terms a dim has. */
const maximumDepth = 100;
const maximumLiteralBytes = 2 ** 30;
const maximumTerms = 1000;

/** A cursor over the tokens, with the parsers of single things. Throws GraphError at the first problem. */
export class ValueParser {
  readonly lexer: Lexer;
  token: Token;
  #depth = 0;
  #literalBytes = 0;

  constructor(text: string, file: string) {
    this.lexer = new Lexer(text, file);
    this.token = this.lexer.next();
  }

  // Tokens.

  advance(): Token {
    const { token } = this;
    this.token = this.lexer.next();
    return token;
  }

  /** Takes the sign or word if it is next. */
  take(text: string): boolean {
    const found = this.isAt(text);
    if (found) this.advance();
    return found;
  }

  isAt(text: string): boolean {
    return (this.token.kind === "sign" || this.token.kind === "word") && this.token.text === text;
  }

  expect(text: string): Token {
    return this.isAt(text) ? this.advance() : this.unexpected(`\`${text}\``);
  }

  expectKind(kind: TokenKind, label: string): Token {
    return this.token.kind === kind ? this.advance() : this.unexpected(label);
  }

  unexpected(label: string): never {
    const found = this.token.kind === "end" ? this.token.text : `\`${this.token.text.slice(0, 40)}\``;
    return this.fail("G002", this.token, `expected ${label}, found ${found}`);
  }

  fail(code: Code, place: { readonly start: number; readonly end: number }, message: string, hint?: string): never {
    return this.lexer.fail(code, place, message, hint);
  }

  nested<T>(parse: () => T): T {
    if (this.#depth >= maximumDepth) this.fail("G101", this.token, `brackets nest more than ${maximumDepth} deep`);
    this.#depth++;
    const result = parse();
    this.#depth--;
    return result;
  }

  /** Items between commas up to `close`, which is taken. */
  list<T>(close: string, parseItem: () => T): readonly T[] {
    const items: T[] = [];
    if (this.take(close)) return items;
    do items.push(parseItem());
    while (this.take(","));
    this.expect(close);
    return items;
  }

  // Names and numbers.

  name(): string {
    if (this.token.kind === "word" || this.token.kind === "string") return this.advance().text;
    return this.unexpected("a name");
  }

  string(): string {
    return this.expectKind("string", "a string in double quotes").text;
  }

  integer(): bigint {
    const negative = this.take("-");
    const token = this.expectKind("number", "an integer");
    if (!/^[0-9]{1,40}$/.test(token.text)) this.fail("G007", token, `\`${token.text.slice(0, 40)}\` is no integer`);
    return negative ? -BigInt(token.text) : BigInt(token.text);
  }

  size(): number {
    const token = this.token;
    const size = Number(this.integer());
    return Number.isSafeInteger(size) ? size : this.fail("G007", token, "the number is too large");
  }

  // Dims and types.

  type(): TensorType {
    const token = this.expectKind("word", "a dtype");
    if (!isDType(token.text)) return this.fail("G002", token, `expected a dtype, found \`${token.text}\``);
    return tensorType(token.text, this.take("[") ? this.list("]", () => this.dim()) : []);
  }

  /** `28*N + 1`, `((N + 1) // 2)`: sums of products, with `*` and `//` of one precedence, from the left. */
  dim(): Dim {
    return this.nested(() => {
      let sum = this.#product();
      for (;;) {
        const at = this.token;
        if (this.take("+")) sum = this.#checked(at, addDims(sum, this.#product()));
        else if (this.take("-")) sum = this.#checked(at, subtractDims(sum, this.#product()));
        else return sum;
      }
    });
  }

  #product(): Dim {
    let product = this.#factor();
    for (;;) {
      const at = this.token;
      if (this.take("*")) {
        const factor = this.#factor();
        if (termCount(product) * termCount(factor) > maximumTerms) this.#tooManyTerms(at);
        product = this.#checked(at, multiplyDims(product, factor));
      } else if (this.take("//")) {
        const divisor = this.#factor();
        if (divisor === 0) this.fail("G002", at, "a dim is divided by zero");
        product = this.#checked(at, floorDivideDims(product, divisor));
      } else return product;
    }
  }

  #factor(): Dim {
    if (this.take("-")) return this.nested(() => multiplyDims(-1, this.#factor()));
    if (this.take("(")) {
      const inner = this.dim();
      this.expect(")");
      return inner;
    }
    if (this.token.kind === "word") return symbol(this.advance().text);
    return this.size();
  }

  /** `N <= 8`, `every(N != 0, some(M == 1, M == N))`. */
  condition(): Condition {
    const kind = this.token.text;
    if (this.token.kind === "word" && (kind === "every" || kind === "some") && this.#peek().text === "(") {
      this.advance();
      this.advance();
      return this.nested(() => ({ kind, conditions: this.list(")", () => this.condition()) }));
    }
    const left = this.dim();
    for (const relation of relations) {
      if (this.take(relationSigns[relation])) return compareDims(left, relation, this.dim());
    }
    return this.unexpected("a comparison");
  }

  #checked(place: Token, dim: Dim): Dim {
    const coefficients = isSymbolic(dim) ? dim.terms.map((term) => term.coefficient) : [dim];
    if (!coefficients.every(Number.isSafeInteger)) this.fail("G007", place, "the size is too large");
    if (coefficients.length > maximumTerms) this.#tooManyTerms(place);
    return dim;
  }

  #tooManyTerms(place: Token): never {
    return this.fail("G102", place, `the dim has more than ${maximumTerms} terms`);
  }

  // Attributes.

  attribute(): Attribute {
    const { token } = this;
    if (token.kind === "string") return this.string();
    if (this.take("[")) return this.nested(() => this.list("]", () => this.attribute()));
    if (this.take("true")) return true;
    if (this.take("false")) return false;
    if (token.kind === "word" && isDType(token.text)) return this.#literal();
    return this.#number();
  }

  /** A float, an integer, a bigint with `n`, or a symbolic dim. */
  #number(): Attribute {
    const { token } = this;
    if (token.kind === "number") {
      if (token.text.endsWith("n")) return this.#bigint(1n);
      if (/[.eE]/.test(token.text)) return Number(this.advance().text);
      return this.#integerOrDim();
    }
    if (token.kind === "word" && (token.text === "nan" || token.text === "inf")) return this.#float();
    if (this.isAt("-")) {
      // One token is not enough to tell -1.5 and -inf from -N.
      const ahead = this.#peek();
      if (ahead.kind === "word" && ahead.text === "inf") return this.#float();
      if (ahead.kind === "number" && ahead.text.endsWith("n")) {
        this.advance();
        return this.#bigint(-1n);
      }
      const magnitude = Number(ahead.text);
      const whole = /^[0-9]+$/.test(ahead.text) && Number.isSafeInteger(magnitude) && magnitude > 0;
      if (ahead.kind === "number" && !whole) return this.#float();
    }
    return this.dim();
  }

  /** An integer beyond 2^53 is a float that has no fraction; otherwise sizes, so that `28*N` may follow. */
  #integerOrDim(): Attribute {
    return Number.isSafeInteger(Number(this.token.text)) ? this.dim() : Number(this.advance().text);
  }

  #bigint(sign: bigint): bigint {
    const token = this.advance();
    const digits = token.text.slice(0, -1);
    if (!/^[0-9]{1,20}$/.test(digits)) this.fail("G007", token, `\`${token.text.slice(0, 40)}\` is no integer`);
    return sign * BigInt(digits);
  }

  /** A decimal, `inf` or `nan`, with a sign. */
  #float(): number {
    const sign = this.take("-") ? -1 : 1;
    if (this.take("inf")) return sign * Number.POSITIVE_INFINITY;
    if (this.take("nan")) return Number.NaN;
    const token = this.expectKind("number", "a number");
    const magnitude = Number(token.text);
    return Number.isNaN(magnitude) ? this.fail("G007", token, `\`${token.text}\` is no decimal`) : sign * magnitude;
  }

  #peek(): Token {
    const { token } = this;
    const ahead = new Lexer(this.lexer.text.slice(token.end, token.end + 400), this.lexer.file);
    return ahead.next();
  }

  // Constants.

  /** `f32[2](0.5, 1)`, `f32[784, 10] splat 0`. */
  #literal(): Tensor {
    const start = this.token;
    const { dtype, shape } = this.type();
    if (dtype === "string") return this.fail("G024", start, "a string is no tensor");
    const sizes = shape.map((dim) =>
      typeof dim === "number" && dim >= 0 ? dim : this.fail("G023", start, "a constant has sizes that are numbers"),
    );
    const count = sizes.reduce((product, size) => product * size, 1);
    this.#literalBytes += count * byteSize(dtype);
    if (!(this.#literalBytes <= maximumLiteralBytes)) this.fail("G102", start, "the constants take more than 1 GiB");
    const data = allocate(dtype, count);
    if (this.take("splat")) {
      const first = allocate(dtype, 1);
      this.#element(dtype, first, 0);
      // By bits, because a NaN loses its payload as a number.
      fillBits(bitsOf(data), bitsOf(first));
      return { dtype, shape: sizes, data };
    }
    this.expect("(");
    for (let i = 0; i < count; i++) {
      if (i > 0) this.expect(",");
      if (this.isAt("..."))
        this.fail("G002", this.token, "the constant was shortened when it was printed", "print it without eliding");
      this.#element(dtype, data, i);
    }
    this.expect(")");
    return { dtype, shape: sizes, data };
  }

  #element(dtype: NumericDType, data: TensorData, index: number): void {
    const { token } = this;
    switch (dtype) {
      case "bool":
        if (this.take("true")) data[index] = 1;
        else if (!this.take("false")) this.unexpected("true or false");
        return;
      case "i64":
      case "i32":
      case "i8":
      case "u8": {
        const integer = this.integer();
        if (data instanceof BigInt64Array) data[index] = integer;
        else data[index] = Number(integer);
        if (BigInt(data[index] as number | bigint) !== integer) this.fail("G028", token, `${integer} is no ${dtype}`);
        return;
      }
      default: {
        const number = this.#float();
        if (Number.isNaN(number)) bitsOf(data)[index] = this.#nanBits(dtype, data.BYTES_PER_ELEMENT) as never;
        else data[index] = dtype === "f16" ? encodeF16(number) : dtype === "bf16" ? encodeBF16(number) : number;
      }
    }
  }

  /** `nan`, or `nan:0x7fc00001` with the bits of another NaN. */
  #nanBits(dtype: NumericDType, bytes: number): number | bigint {
    let pattern = canonicalNaN.get(dtype) ?? 0n;
    if (this.take(":")) {
      const token = this.expectKind("bits", "the bits of a NaN");
      if (token.text.length > 2 + 2 * bytes)
        this.fail("G007", token, `${token.text.slice(0, 40)} has more bits than ${dtype}`);
      pattern = BigInt(token.text);
    }
    return bytes === 8 ? pattern : Number(pattern);
  }
}

function fillBits(target: ReturnType<typeof bitsOf>, source: ReturnType<typeof bitsOf>): void {
  target.fill(source[0] as never);
}

function termCount(dim: Dim): number {
  return isSymbolic(dim) ? dim.terms.length : 1;
}
