import type { Extent } from "../../../kernels/form.js";
import type { Value } from "../value.js";
import type { ContractScope, Strip } from "./contract_scope.js";
import { type Counter, widen } from "./expressions.js";

/** Copies one strip of columns into the panel, k by k; where memory runs along k instead, square blocks are transposed. */
export function packStrip(scope: ContractScope, strip: Strip): void {
  const { b } = scope;
  const alongDepth =
    scope.isUnit(scope.vectorOperand, scope.inner) && !scope.isUnit(scope.vectorOperand, scope.axes.columns);
  if (alongDepth && scope.inner.extent >= scope.lanes) {
    packTransposed(scope, strip);
    return;
  }
  scope.eachDepth(scope.axes.depth, b.index(0), (k) => {
    strip.lanes.forEach((_, register) => {
      scope.expressions.within(() => {
        const value = scope.expressions.emit(scope.vectorOperand, scope.position(scope.lanesAt(strip, register)));
        const line = scope.panelLine(strip, { base: k, plus: 0 });
        b.store(widen(b, value, scope.lanes), b.offsetElements(line, scope.element, register * scope.lanes));
      });
    });
  });
}

/** Reads registers along k, one a column, and writes their transpose. */
function packTransposed(scope: ContractScope, strip: Strip): void {
  const { b } = scope;
  const { depth } = scope.axes;
  const { extent } = scope.inner;
  const block = (outer: Value, from: Counter, active: number): void => {
    strip.lanes.forEach((columns, register) => {
      const mask = active === scope.lanes ? undefined : b.firstLanes(active, scope.lanes);
      const vector = { loop: scope.inner.id, first: from, lanes: scope.lanes, active, mask };
      const lines: Value[] = [];
      for (let lane = 0; lane < scope.lanes; lane++) {
        const plus = strip.start.plus + register * scope.lanes + Math.min(lane, columns - 1);
        scope.open(scope.axes.columns, { base: strip.start.base, plus }, () => {
          const value = scope.expressions.emit(scope.vectorOperand, scope.position(vector));
          lines.push(widen(b, value, scope.lanes));
        });
      }
      b.transpose(lines)
        .slice(0, active)
        .forEach((line, k) => {
          const address = scope.panelLine(strip, { base: b.add(outer, from.base), plus: from.plus + k });
          b.store(line, b.offsetElements(address, scope.element, register * scope.lanes));
        });
    });
  };
  scope.eachDepth(depth.slice(0, -1), b.index(0), (flat) => {
    const outer = b.mul(flat, b.index(extent));
    const whole = extent - (extent % scope.lanes);
    b.loop(0, whole, scope.lanes, (base) => {
      block(outer, { base, plus: 0 }, scope.lanes);
      return [];
    });
    if (whole < extent) block(outer, { base: b.index(whole), plus: 0 }, extent - whole);
  });
}

/** Copies a block of rows into the scalar panel, along whichever of k and the rows lies contiguous in memory. */
export function packRows(scope: ContractScope, start: Value, count: Value): void {
  const { b } = scope;
  const { rows, depth } = scope.axes;
  if (scope.panel.row === 1) {
    scope.eachDepth(depth, b.index(0), (k) => {
      packLine(scope, rows, start, count, (done) => scope.rowAddress(done, k));
    });
    return;
  }
  b.loop(b.index(0), count, 1, (row) => {
    scope.open(rows, { base: b.add(start, row), plus: 0 }, () => {
      scope.eachDepth(depth.slice(0, -1), b.index(0), (flat) => {
        const line = b.mul(flat, b.index(scope.inner.extent));
        packLine(scope, scope.inner, b.index(0), b.index(scope.inner.extent), (done) =>
          scope.rowAddress(row, b.add(line, done)),
        );
      });
    });
    return [];
  });
}

/** Copies `count` elements along a loop that starts at `start`, a register at a time, then one by one. */
function packLine(
  scope: ContractScope,
  loop: Extent,
  start: Value,
  count: Value,
  address: (done: Value) => Value,
): void {
  const { b } = scope;
  const whole = b.and(count, b.index(-scope.lanes));
  b.loop(b.index(0), whole, scope.lanes, (done) => {
    const first = { base: b.add(start, done), plus: 0 };
    const vector = { loop: loop.id, first, lanes: scope.lanes, active: scope.lanes, mask: undefined };
    scope.expressions.within(() => {
      const value = scope.expressions.emit(scope.scalarOperand, scope.position(vector));
      b.store(widen(b, value, scope.lanes), address(done));
    });
    return [];
  });
  b.loop(whole, count, 1, (done) => {
    scope.open(loop, { base: b.add(start, done), plus: 0 }, () => {
      b.store(scope.expressions.emit(scope.scalarOperand, scope.position(undefined)), address(done));
    });
    return [];
  });
}
