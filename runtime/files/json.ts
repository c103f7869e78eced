/** A JSON value whose objects are Maps: names come from files, and `__proto__` is a name like any other. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | ReadonlyMap<string, JsonValue>;

/** The text is not the JSON that is accepted here; `offset` counts characters. */
export class JsonError extends Error {
  override readonly name = "JsonError";
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

const deepest = 32;

/**
 * Parses JSON strictly: a key that stands twice in one object is refused (JSON.parse keeps the last in silence, so that
 * two readers could see two different files), and so is deep nesting.
 * @throws JsonError.
 */
export function parseStrictJson(text: string): JsonValue {
  let position = 0;
  const fail = (message: string): never => {
    throw new JsonError(message, position);
  };
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = position;
    const found = pattern.exec(text);
    if (found === null) {
      return undefined;
    }
    position += found[0].length;
    return found[0];
  };
  const skipSpace = (): void => {
    match(/[ \t\n\r]*/y);
  };
  const accept = (character: string): boolean => {
    skipSpace();
    if (text[position] !== character) {
      return false;
    }
    position += 1;
    return true;
  };
  const expect = (character: string): void => {
    if (!accept(character)) {
      fail(`expected ${character}`);
    }
  };
  const parseString = (): string => {
    skipSpace();
    const start = position;
    if (text[position] !== '"') {
      return fail("expected a string");
    }
    position += 1;
    while (position < text.length && text[position] !== '"') {
      position += text[position] === "\\" ? 2 : 1;
    }
    position += 1;
    try {
      const value: unknown = JSON.parse(text.slice(start, position));
      return typeof value === "string" ? value : fail("expected a string");
    } catch {
      position = start;
      return fail("the string is not well formed");
    }
  };
  const parseObject = (depth: number): ReadonlyMap<string, JsonValue> => {
    const members = new Map<string, JsonValue>();
    if (accept("}")) {
      return members;
    }
    do {
      const key = parseString();
      if (members.has(key)) {
        fail(`the key ${JSON.stringify(key.slice(0, 100))} stands twice`);
      }
      expect(":");
      members.set(key, parseValue(depth + 1));
    } while (accept(","));
    expect("}");
    return members;
  };
  const parseArray = (depth: number): readonly JsonValue[] => {
    const elements: JsonValue[] = [];
    if (accept("]")) {
      return elements;
    }
    do {
      elements.push(parseValue(depth + 1));
    } while (accept(","));
    expect("]");
    return elements;
  };
  const parseValue = (depth: number): JsonValue => {
    if (depth > deepest) {
      fail("the nesting is too deep");
    }
    if (accept("{")) {
      return parseObject(depth);
    }
    if (accept("[")) {
      return parseArray(depth);
    }
    if (text[position] === '"') {
      return parseString();
    }
    const word = match(/true|false|null/y);
    if (word !== undefined) {
      return word === "null" ? null : word === "true";
    }
    const digits = match(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y);
    return digits === undefined ? fail("expected a value") : Number(digits);
  };
  const value = parseValue(0);
  skipSpace();
  return position === text.length ? value : fail("the text goes on after the value");
}
