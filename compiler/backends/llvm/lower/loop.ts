import { InternalError } from "../../../ir/diagnostic.js";
import { isUnbounded } from "../../../kernels/access.js";
import type { Buffer, KernelProgram, ProgramOutput } from "../../../kernels/form.js";
import { shuffleDomain } from "../../shuffle.js";
import type { Builder } from "../builder.js";
import type { FunctionRef } from "../module.js";
import { i32, i64, ptr, typeOf } from "../types.js";
import type { Value } from "../value.js";
import { blockWords, placeholderWord, placeholderWords, scalarOutputs, variableWord } from "./block.js";
import type { Layout } from "./layout.js";
import { emitThreefry, emitWords, type Pair } from "./random.js";

/**
 * n steps: each picks its rows, runs the kernels, and counts; a report every so many steps. Ends early when asked to, when a
 * check fails, when the report room is full, and, if wanted, at the end of an epoch. Nothing is allocated and nothing
 * outside is called but memcpy.
 */
export function emitLoop(b: Builder, block: Value, program: KernelProgram, layout: Layout, step: FunctionRef): void {
  const state = new BlockState(b, block);
  const outputs = scalarOutputs(program);
  const steps = state.get("steps");
  const rows = state.get("rows");
  const batch = state.get("batch");
  const advance = b.compare("ne", state.get("advance"), b.index(0));
  const hasRows = b.compare("ne", rows, b.index(0));
  const stopFlag = state.get("stop", ptr);
  // A step that fails leaves results of its own behind: what the one before gave is kept where that can happen.
  const canFail = program.failures.length > 0 || [...program.compute, ...program.commit].some(isUnbounded);
  const [stepsDone] = b.loopWhile(
    [b.index(0), b.constant(i64, 1)],
    ([done, going]) => {
      if (done === undefined || going === undefined) throw new InternalError("a loop without its state");
      const wanted = b.and(b.compare("lt", done, steps), b.compare("ne", going, b.index(0)));
      return wanted;
    },
    ([done]) => {
      if (done === undefined) throw new InternalError("a loop without its state");
      b.ifElse(hasRows, () => {
        emitBatch(b, block, layout, state, { rows, batch });
      });
      b.call(step, [block]);
      const failed = b.compare("ne", state.get("status"), b.index(0));
      const next = b.ifElse(
        failed,
        () => [done, b.index(0)],
        () => {
          const now = b.add(done, b.index(1));
          state.set("done", now);
          if (canFail) emitLast(b, state, block, layout, outputs);
          const room = b.ifElse(
            advance,
            () => {
              state.setAt(blockWords.runState + 1, b.add(state.at(blockWords.runState + 1), b.index(1)));
              state.setAt(blockWords.runState + 2, b.index(0));
              return [emitReport(b, state, block, layout, outputs)];
            },
            () => {
              state.setAt(blockWords.runState + 2, b.add(state.at(blockWords.runState + 2), b.index(1)));
              emitSums(b, state, block, layout, outputs, batch);
              return [b.constant(i64, 1)];
            },
          );
          const inEpoch = b.ifElse(
            hasRows,
            () => [emitAdvance(b, state, rows, batch)],
            () => [b.constant(i64, 1)],
          );
          const asked = b.loadVolatile(i32, stopFlag);
          const stopping = b.compare("ne", asked, b.constant(i32, 0));
          const going = b.and(only(room), only(inEpoch));
          return [now, b.select(stopping, b.index(0), going)];
        },
      );
      return next;
    },
  );
  if (canFail) return;
  b.ifElse(b.compare("gt", stepsDone ?? b.index(0), b.index(0)), () => {
    emitLast(b, state, block, layout, outputs);
  });
}

function only(values: readonly Value[]): Value {
  const [value] = values;
  if (value === undefined) throw new InternalError("a branch without its value");
  return value;
}

/** Words of the block, by name or counted from a place in it. */
class BlockState {
  readonly #b: Builder;
  readonly #block: Value;

  constructor(b: Builder, block: Value) {
    this.#b = b;
    this.#block = block;
  }

  at(word: number, type = i64): Value {
    return this.#b.load(type, this.#b.offsetElements(this.#block, "i64", word));
  }

  setAt(word: number, value: Value): void {
    this.#b.store(value, this.#b.offsetElements(this.#block, "i64", word));
  }

  get(word: keyof typeof blockWords, type = i64): Value {
    return this.at(blockWords[word], type);
  }

  set(word: keyof typeof blockWords, value: Value): void {
    this.setAt(blockWords[word], value);
  }
}

/** How many rows before its use a row of a shuffled data set is fetched. */
const rowsAhead = 4;

/** Points each placeholder that has a column at this step's rows: in place when they lie in order, else at a copy. */
function emitBatch(
  b: Builder,
  block: Value,
  layout: Layout,
  state: BlockState,
  size: { readonly rows: Value; readonly batch: Value },
): void {
  const shuffled = b.compare("ne", state.get("shuffle"), b.index(0));
  b.ifElse(shuffled, () => {
    const stale = b.compare("ne", state.get("orderEpoch"), state.get("epoch"));
    b.ifElse(stale, () => {
      emitShuffle(b, state, size.rows);
    });
  });
  const position = state.get("position");
  // One code for all of them: where there are hundreds, one each would take LLVM longer than all kernels.
  b.loop(0, layout.placeholders.length, 1, (slot) => {
    const first = b.add(b.index(placeholderWord(0, 0)), b.mul(slot, b.index(placeholderWords.count)));
    const own = new BlockState(b, b.offsetElements(block, "i64", first));
    const column = own.at(placeholderWords.column, ptr);
    const isColumn = b.compare("ne", own.at(placeholderWords.column), b.index(0));
    b.ifElse(isColumn, () => {
      const rowBytes = own.at(placeholderWords.rowBytes);
      b.ifElse(
        shuffled,
        () => {
          const staging = own.at(placeholderWords.staging, ptr);
          const order = state.get("order", ptr);
          const rowAt = (place: Value): Value => {
            const chosen = b.resizeInteger(b.load(i32, b.offsetElements(order, "i32", place)), "i64", "unsigned");
            return b.offsetBytes(column, b.mul(chosen, rowBytes));
          };
          b.loop(0, size.batch, 1, (row) => {
            const place = b.add(position, row);
            // Rows lie anywhere in a data set larger than the caches: ask for those to come while this one is copied.
            const ahead = b.min(b.add(place, b.index(rowsAhead)), b.sub(size.rows, b.index(1)));
            const coming = rowAt(ahead);
            b.loop(b.index(0), rowBytes, 64, (line) => {
              b.prefetch(b.offsetBytes(coming, line));
              return [];
            });
            emitRowCopy(b, b.offsetBytes(staging, b.mul(row, rowBytes)), rowAt(place), rowBytes);
            return [];
          });
          own.setAt(placeholderWords.address, own.at(placeholderWords.staging));
        },
        () => {
          const start = b.add(own.at(placeholderWords.column), b.mul(position, rowBytes));
          own.setAt(placeholderWords.address, start);
        },
      );
    });
    return [];
  });
}

/** Copies a row in cache lines, the last of which may overlap the one before; a row shorter than a line by memcpy. */
function emitRowCopy(b: Builder, to: Value, from: Value, bytes: Value): void {
  const line = typeOf("i8", 64);
  const copyLine = (offset: Value): void =>
    b.store(b.load(line, b.offsetBytes(from, offset)), b.offsetBytes(to, offset));
  b.ifElse(
    b.compare("ge", bytes, b.index(64)),
    () => {
      const last = b.sub(bytes, b.index(64));
      b.loop(b.index(0), last, 64, (offset) => {
        copyLine(offset);
        return [];
      });
      copyLine(last);
    },
    () => {
      b.copyBytes(to, from, bytes);
    },
  );
}

/** Fisher-Yates with Threefry draws: exactly `shuffleRows` of backends/shuffle.ts. */
function emitShuffle(b: Builder, state: BlockState, rows: Value): void {
  const order = state.get("order", ptr);
  const domain: Pair = [b.constant(i32, shuffleDomain[0] | 0), b.constant(i32, shuffleDomain[1] | 0)];
  const seeded = emitThreefry(b, emitWords(b, state.at(blockWords.runState)), domain);
  const key = emitThreefry(b, seeded, emitWords(b, state.get("epoch")));
  const place = (index: Value): Value => b.offsetElements(order, "i32", index);
  b.loop(0, rows, 1, (row) => {
    b.store(b.resizeInteger(row, "i32", "unsigned"), place(row));
    return [];
  });
  b.loop(1, rows, 1, (turn) => {
    const i = b.sub(rows, turn);
    const [word] = emitThreefry(b, key, [b.resizeInteger(i, "i32", "unsigned"), b.constant(i32, 0)]);
    const product = b.mul(b.resizeInteger(word, "i64", "unsigned"), b.add(i, b.index(1)));
    const j = b.shiftRight(product, b.index(32));
    const kept = b.load(i32, place(i));
    b.store(b.load(i32, place(j)), place(i));
    b.store(kept, place(j));
    return [];
  });
  state.set("orderEpoch", state.get("epoch"));
}

/** Moves on by a batch; 0 when the epoch is over and the loop is to end there. A remainder is left to the caller, or dropped. */
function emitAdvance(b: Builder, state: BlockState, rows: Value, batch: Value): Value {
  const position = b.add(state.get("position"), batch);
  state.set("position", position);
  const over = b.compare("gt", b.add(position, batch), rows);
  return only(
    b.ifElse(
      over,
      () => {
        const stops = b.compare("ne", state.get("stopAtEpochEnd"), b.index(0));
        return b.ifElse(
          stops,
          () => [b.index(0)],
          () => {
            state.set("position", b.index(0));
            state.set("epoch", b.add(state.get("epoch"), b.index(1)));
            return [b.constant(i64, 1)];
          },
        );
      },
      () => [b.constant(i64, 1)],
    ),
  );
}

/** Counts down to the next report and writes it; 0 when there is no room for another one. */
function emitReport(
  b: Builder,
  state: BlockState,
  block: Value,
  layout: Layout,
  outputs: readonly ProgramOutput[],
): Value {
  const left = b.sub(state.get("untilReport"), b.index(1));
  state.set("untilReport", left);
  return only(
    b.ifElse(
      b.compare("eq", left, b.index(0)),
      () => {
        const count = state.get("reportCount");
        const words = 1 + outputs.length;
        const row = b.offsetElements(state.get("reports", ptr), "f64", b.mul(count, b.index(words)));
        const step = state.at(blockWords.runState + 1);
        b.store(b.integerToFloat(step, "f64", "signed"), row);
        outputs.forEach((output, index) => {
          b.store(emitScalarOutput(b, block, layout, output), b.offsetElements(row, "f64", index + 1));
        });
        const next = b.add(count, b.index(1));
        state.set("reportCount", next);
        state.set("untilReport", state.get("every"));
        const full = b.compare("ge", next, state.get("reportRoom"));
        return [b.select(full, b.index(0), b.constant(i64, 1))];
      },
      () => [b.constant(i64, 1)],
    ),
  );
}

function emitSums(
  b: Builder,
  state: BlockState,
  block: Value,
  layout: Layout,
  outputs: readonly ProgramOutput[],
  batch: Value,
): void {
  const weight = b.integerToFloat(batch, "f64", "signed");
  const sums = state.get("sums", ptr);
  outputs.forEach((output, index) => {
    const place = b.offsetElements(sums, "f64", index);
    const value = b.mul(emitScalarOutput(b, block, layout, output), weight);
    b.store(b.add(b.loadElements("f64", 1, place), value), place);
  });
}

/** Keeps the scalar outputs of a step, behind the sums. */
function emitLast(
  b: Builder,
  state: BlockState,
  block: Value,
  layout: Layout,
  outputs: readonly ProgramOutput[],
): void {
  const sums = state.get("sums", ptr);
  outputs.forEach((output, index) => {
    const place = b.offsetElements(sums, "f64", outputs.length + index);
    b.store(emitScalarOutput(b, block, layout, output), place);
  });
}

/** The one element of an output as f64. */
function emitScalarOutput(b: Builder, block: Value, layout: Layout, output: ProgramOutput): Value {
  const buffer = layout.buffers.get(output.buffer);
  const place = layout.places.get(output.buffer);
  if (buffer === undefined || place === undefined) throw new InternalError(`the output ${output.name} has no buffer`);
  const address = b.offsetBytes(outputBase(b, block, layout, buffer, place.slot), place.offset);
  return b.convert(b.loadElements(output.dtype, 1, address), output.dtype, "f64");
}

function outputBase(b: Builder, block: Value, layout: Layout, buffer: Buffer, slot: number): Value {
  switch (buffer.storage.kind) {
    case "temporary":
      return b.argument(block, blockWords.arena);
    case "constant":
      return b.argument(block, blockWords.constants);
    case "variable":
      return b.argument(block, variableWord(layout.placeholders.length, slot));
    case "placeholder":
      return b.argument(block, placeholderWord(slot, placeholderWords.address));
    case "run_state":
      return b.offsetElements(block, "i64", blockWords.runState);
  }
}
