import { Transform, type TransformCallback } from "node:stream";

/** What came in is no message of the protocol. */
export class NoMessage extends Error {
  override readonly name = "NoMessage";
}

/** A header is shorter than this. */
const longestHeader = 4096;

const headerLine = /^content-(?:length|type):/i;

/** Hands on what an editor says, and fails where that is no `Content-Length` with so many bytes behind it. */
export class Frames extends Transform {
  /** The header, as far as it has come. */
  #header = "";
  /** How much of a message's content is still to come. */
  #missing = 0;
  #messages = 0;

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    try {
      this.#read(chunk);
      done(null, chunk);
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  }

  override _flush(done: TransformCallback): void {
    if (this.#header !== "") done(refused(this.#header));
    else if (this.#messages === 0) done(new NoMessage("standard input ended without a message"));
    else done();
  }

  #read(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#missing > 0) {
        const taken = Math.min(this.#missing, chunk.length - at);
        this.#missing -= taken;
        at += taken;
        continue;
      }
      const end = chunk.indexOf(0x0a, at);
      const behind = end < 0 ? chunk.length : end + 1;
      this.#header += chunk.toString("latin1", at, behind);
      at = behind;
      if (this.#header.length > longestHeader || !startsWell(this.#header)) throw refused(this.#header);
      if (this.#header.endsWith("\r\n\r\n")) this.#begin();
    }
  }

  /** The content of a message follows. */
  #begin(): void {
    const length = /^content-length: *(\d{1,12})\r$/im.exec(this.#header)?.[1];
    if (length === undefined) throw refused(this.#header);
    this.#header = "";
    this.#missing = Number(length);
    this.#messages++;
  }
}

/** Whether what has come can be the beginning of a header. */
function startsWell(header: string): boolean {
  const lines = header.split("\r\n");
  return lines.every((line, i) => {
    const isLast = i === lines.length - 1;
    // The end of a header is an empty line, of which the first half may have come.
    if (line === "" || (isLast && line === "\r")) return i > 0;
    return (
      headerLine.test(line) ||
      (isLast && ["content-length:", "content-type:"].some((one) => one.startsWith(line.toLowerCase())))
    );
  });
}

function refused(text: string): NoMessage {
  const shown = JSON.stringify(text.length > 40 ? `${text.slice(0, 37)}...` : text);
  return new NoMessage(
    `standard input has ${shown} where a message begins with \`Content-Length: \` and its number of bytes`,
  );
}
