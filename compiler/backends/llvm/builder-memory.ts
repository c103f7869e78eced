import { InternalError } from "../../ir/diagnostic.js";
import type { NumericDType } from "../../ir/dtype.js";
import { VectorBuilder } from "./builder-vector.js";
import { helperFunction } from "./prelude.js";
import {
  type ElementKind,
  elementBits,
  i8,
  i64,
  intrinsicSuffix,
  type LlvmType,
  ptr,
  storageElement,
  typeOf,
  withElement,
  withLanes,
} from "./types.js";
import { requireType, type Value } from "./value.js";

/** Addresses, loads and stores. Elements lie at multiples of their size; vectors may lie at any element. */
export class MemoryBuilder extends VectorBuilder {
  /** `base` plus a number of bytes (i64). */
  offsetBytes(base: Value, bytes: Value | number): Value {
    return this.offsetElements(base, "i8", bytes);
  }

  /** `base` plus a number of elements (i64) of a kind. */
  offsetElements(base: Value, element: ElementKind, count: Value | number): Value {
    requireType("offsetElements", base, ptr);
    if (count === 0) return base;
    const index = typeof count === "number" ? this.index(count) : count;
    requireType("offsetElements", index, i64);
    const type = typeOf(memoryElement(element));
    const typed = this.#typed(base, type);
    const moved = this.ir.CreateInBoundsGEP(this.module.llvmType(type), typed, index.handle);
    return this.wrap(ptr, type === i8 ? moved : this.ir.CreateBitCast(moved, this.module.llvmType(ptr)));
  }

  #typed(address: Value, type: LlvmType): Value["handle"] {
    return type === i8 ? address.handle : this.ir.CreateBitCast(address.handle, this.module.pointerTo(type));
  }

  #requireMemory(operation: string, type: LlvmType): void {
    if (type.element === "i1") throw new InternalError(`${operation}: ${type.text} has no place in memory`);
  }

  /** Reads a scalar, or as many elements in a row as `type` has lanes. */
  load(type: LlvmType, address: Value): Value {
    this.#requireMemory("load", type);
    requireType("load", address, ptr);
    return this.wrap(type, this.ir.CreateLoad(this.module.llvmType(type), this.#typed(address, type)));
  }

  /** Writes a scalar, or the lanes of a vector in a row. */
  store(value: Value, address: Value): void {
    this.#requireMemory("store", value.type);
    requireType("store", address, ptr);
    this.ir.CreateStore(value.handle, this.#typed(address, value.type));
  }

  /** Reads elements of a dtype into the form that is computed with (see `fromStorage`). */
  loadElements(dtype: NumericDType, lanes: number, address: Value): Value {
    return this.fromStorage(this.load(typeOf(storageElement(dtype), lanes), address), dtype);
  }

  /** Writes register values as elements of a dtype. */
  storeElements(dtype: NumericDType, value: Value, address: Value): void {
    this.store(this.toStorage(value, dtype), address);
  }

  /** A load that is really done each time: for a flag that another thread sets. */
  loadVolatile(type: LlvmType, address: Value): Value {
    this.#requireMemory("loadVolatile", type);
    const name = `load.volatile.${intrinsicSuffix(type)}`;
    return this.helperValue(name, [address], () =>
      helperFunction(name, [ptr], type, [
        `%q = bitcast i8* %p0 to ${type.text}*`,
        `%r = load volatile ${type.text}, ${type.text}* %q, align ${elementBytes(type)}`,
        `ret ${type.text} %r`,
      ]),
    );
  }

  /** A store past the caches, for results larger than them; the address is a multiple of the vector's size. */
  storeNonTemporal(value: Value, address: Value): void {
    const { type } = value;
    this.#requireMemory("storeNonTemporal", type);
    const name = `store.nontemporal.${intrinsicSuffix(type)}`;
    this.helper(name, [value, address], () =>
      helperFunction(name, [type, ptr], undefined, [
        `%q = bitcast i8* %p1 to ${type.text}*`,
        `store ${type.text} %p0, ${type.text}* %q, align ${elementBytes(type) * type.lanes}, !nontemporal !0`,
        "ret void",
      ]),
    );
  }

  /** A mask whose first `count` (i64, any value) lanes are set. */
  firstLanes(count: Value | number, lanes: number): Value {
    if (typeof count === "number") {
      return this.constantLanes(
        typeOf("i1", lanes),
        Array.from({ length: lanes }, (_, lane) => (lane < count ? 1 : 0)),
      );
    }
    requireType("firstLanes", count, i64);
    const limited = this.resizeInteger(this.min(count, this.index(lanes)), "i32");
    const splat = this.splat(limited, lanes);
    return this.compare("lt", this.laneNumbers(splat.type), splat);
  }

  #requireMask(operation: string, mask: Value, type: LlvmType): void {
    if (type.lanes === 1) throw new InternalError(`${operation} of a scalar`);
    requireType(operation, mask, withElement(type, "i1"));
  }

  /** Reads the lanes whose mask is set and touches no other memory; the other lanes are 0. */
  loadMasked(type: LlvmType, address: Value, mask: Value): Value {
    this.#requireMemory("loadMasked", type);
    this.#requireMask("loadMasked", mask, type);
    const name = `load.masked.${intrinsicSuffix(type)}`;
    const intrinsic = `@llvm.masked.load.${intrinsicSuffix(type)}.p0${intrinsicSuffix(type)}`;
    const masks = `<${type.lanes} x i1>`;
    return this.helperValue(name, [address, mask], () =>
      helperFunction(
        name,
        [ptr, mask.type],
        type,
        [
          `%q = bitcast i8* %p0 to ${type.text}*`,
          `%r = call ${type.text} ${intrinsic}(${type.text}* %q, i32 ${elementBytes(type)}, ${masks} %p1, ${type.text} zeroinitializer)`,
          `ret ${type.text} %r`,
        ],
        [`declare ${type.text} ${intrinsic}(${type.text}*, i32, ${masks}, ${type.text})`],
      ),
    );
  }

  /** Writes the lanes whose mask is set and touches no other memory. */
  storeMasked(value: Value, address: Value, mask: Value): void {
    const { type } = value;
    this.#requireMemory("storeMasked", type);
    this.#requireMask("storeMasked", mask, type);
    const name = `store.masked.${intrinsicSuffix(type)}`;
    const intrinsic = `@llvm.masked.store.${intrinsicSuffix(type)}.p0${intrinsicSuffix(type)}`;
    const masks = `<${type.lanes} x i1>`;
    this.helper(name, [value, address, mask], () =>
      helperFunction(
        name,
        [type, ptr, mask.type],
        undefined,
        [
          `%q = bitcast i8* %p1 to ${type.text}*`,
          `call void ${intrinsic}(${type.text} %p0, ${type.text}* %q, i32 ${elementBytes(type)}, ${masks} %p2)`,
          "ret void",
        ],
        [`declare void ${intrinsic}(${type.text}, ${type.text}*, i32, ${masks})`],
      ),
    );
  }

  /** Reads lane i from `base` plus `indices[i]` elements (a vector of i64). With a mask, unset lanes are 0 and not read. */
  gather(type: LlvmType, base: Value, indices: Value, mask?: Value): Value {
    this.#requireMemory("gather", type);
    requireType("gather", indices, withElement(type, "i64"));
    if (type.lanes === 1) return this.load(type, this.offsetElements(base, type.element, indices));
    const given = mask ?? this.constant(withElement(type, "i1"), 1);
    this.#requireMask("gather", given, type);
    const suffix = intrinsicSuffix(type);
    const element = withLanes(type, 1).text;
    const name = `gather.${suffix}`;
    const intrinsic = `@llvm.masked.gather.${suffix}.v${type.lanes}p0${type.element}`;
    const pointers = `<${type.lanes} x ${element}*>`;
    const masks = `<${type.lanes} x i1>`;
    return this.helperValue(name, [base, indices, given], () =>
      helperFunction(
        name,
        [ptr, indices.type, given.type],
        type,
        [
          `%q = bitcast i8* %p0 to ${element}*`,
          `%a = getelementptr inbounds ${element}, ${element}* %q, ${indices.type.text} %p1`,
          `%r = call ${type.text} ${intrinsic}(${pointers} %a, i32 ${elementBytes(type)}, ${masks} %p2, ${type.text} zeroinitializer)`,
          `ret ${type.text} %r`,
        ],
        [`declare ${type.text} ${intrinsic}(${pointers}, i32, ${masks}, ${type.text})`],
      ),
    );
  }

  /** Reads lane i from `base` plus i strides of elements. A stride of 1 is a plain load, one of 0 a splat. */
  loadStrided(type: LlvmType, base: Value, stride: Value | number): Value {
    if (stride === 1) return this.load(type, base);
    if (stride === 0) return this.splat(this.load(withLanes(type, 1), base), type.lanes);
    const step = typeof stride === "number" ? this.index(stride) : stride;
    let result = this.undefined(type);
    // Element by element: as fast as a gather on the processors at hand, and without its long latency on others.
    for (let lane = 0; lane < type.lanes; lane++) {
      const address = this.offsetElements(base, type.element, this.mul(step, this.index(lane)));
      const element = this.load(withLanes(type, 1), address);
      if (type.lanes === 1) return element;
      result = this.insertLane(result, element, lane);
    }
    return result;
  }

  /** Writes lane i to `base` plus i strides of elements. */
  storeStrided(value: Value, base: Value, stride: Value | number): void {
    if (stride === 1) {
      this.store(value, base);
      return;
    }
    const step = typeof stride === "number" ? this.index(stride) : stride;
    for (let lane = 0; lane < value.type.lanes; lane++) {
      const address = this.offsetElements(base, value.type.element, this.mul(step, this.index(lane)));
      this.store(this.extractLane(value, lane), address);
    }
  }

  /** Asks for a cache line to be read soon, into all levels. Any address is allowed. */
  prefetch(address: Value, purpose: "read" | "write" = "read"): void {
    const name = `prefetch.${purpose}`;
    this.helper(name, [address], () =>
      helperFunction(
        name,
        [ptr],
        undefined,
        [`call void @llvm.prefetch.p0i8(i8* %p0, i32 ${purpose === "read" ? 0 : 1}, i32 3, i32 1)`, "ret void"],
        ["declare void @llvm.prefetch.p0i8(i8*, i32, i32, i32)"],
      ),
    );
  }

  /** The address of a constant table of 64-bit words, kept with the code. The name stands for one content. */
  constantWords(name: string, words: readonly bigint[]): Value {
    const helper = `table.${name}`;
    return this.helperValue(helper, [], () => {
      const array = `[${words.length} x i64]`;
      const content = words.map((word) => `i64 ${BigInt.asIntN(64, word)}`).join(", ");
      return helperFunction(
        helper,
        [],
        ptr,
        [`ret i8* bitcast (${array}* @words.${name} to i8*)`],
        [`@words.${name} = linkonce_odr hidden constant ${array} [${content}], align 64`],
      );
    });
  }

  /** The processor's counter of cycles at its base rate (i64): neither kept from call to call nor moved past memory's use. */
  cycles(): Value {
    return this.intrinsic("llvm.readcyclecounter", [], i64);
  }

  /** Copies bytes between places that do not overlap. */
  copyBytes(to: Value, from: Value, bytes: Value): void {
    this.helper("copy.bytes", [to, from, bytes], () =>
      helperFunction(
        "copy.bytes",
        [ptr, ptr, i64],
        undefined,
        ["call void @llvm.memcpy.p0i8.p0i8.i64(i8* %p0, i8* %p1, i64 %p2, i1 false)", "ret void"],
        ["declare void @llvm.memcpy.p0i8.p0i8.i64(i8*, i8*, i64, i1)"],
      ),
    );
  }

  /** Sets bytes to one value (i8). */
  fillBytes(to: Value, byte: Value, bytes: Value): void {
    this.helper("fill.bytes", [to, byte, bytes], () =>
      helperFunction(
        "fill.bytes",
        [ptr, i8, i64],
        undefined,
        ["call void @llvm.memset.p0i8.i64(i8* %p0, i8 %p1, i64 %p2, i1 false)", "ret void"],
        ["declare void @llvm.memset.p0i8.i64(i8*, i8, i64, i1)"],
      ),
    );
  }
}

function memoryElement(element: ElementKind): ElementKind {
  if (element === "i1") throw new InternalError("i1 has no size in memory");
  return element;
}

function elementBytes(type: LlvmType): number {
  return elementBits(type.element) / 8;
}
