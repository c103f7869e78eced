import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { systemFailure } from "../files/errors.js";
import { makeFolder } from "../files/folders.js";
import { type EventContent, eventMessage } from "./messages.js";
import { record } from "./record.js";

let files = 0;

/** One event file. What is written is in the file when `write` returns, so that TensorBoard sees it while training goes on. */
export class EventWriter {
  readonly path: string;
  readonly #descriptor: number;
  /** Bytes of whole records. */
  #length = 0;
  #open = true;

  private constructor(path: string, descriptor: number) {
    this.path = path;
    this.#descriptor = descriptor;
    this.write({ kind: "version" });
  }

  /** Makes the folder where it is not there. Throws GraphError G092 with the system's reason. */
  static async create(folder: string, now: number = Date.now()): Promise<EventWriter> {
    // TensorFlow's name, so that readers find it; process and number keep two of one second apart.
    const seconds = String(Math.floor(now / 1000)).padStart(10, "0");
    const host = hostname().replace(/[^A-Za-z0-9_.-]/g, "_");
    const path = join(folder, `events.out.tfevents.${seconds}.${host}.${process.pid}.${files++}`);
    let descriptor: number;
    try {
      await makeFolder(folder);
      descriptor = openSync(path, "wx", 0o644);
    } catch (error) {
      throw systemFailure("G092", "cannot write events to", folder, error);
    }
    return new EventWriter(path, descriptor);
  }

  write(content: EventContent): void {
    const bytes = record(eventMessage(Date.now() / 1000, content));
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#descriptor, bytes, done);
      this.#length += bytes.length;
    } catch (error) {
      this.#cut();
      const hint = "what is in the file stays readable; free some space, or leave --events out";
      throw systemFailure("G092", "cannot write events to", this.path, error, hint);
    }
  }

  /** Half a record would make the file damaged to some readers. */
  #cut(): void {
    try {
      ftruncateSync(this.#descriptor, this.#length);
    } catch {
      // Then the half stays: what was whole can be read.
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#descriptor);
  }
}
