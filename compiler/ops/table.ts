/** The op table: importing the families registers their ops. A new file of ops gets a line here, and nothing else changes. */
import "./arithmetic.js";
import "./bits.js";
import "./checks.js";
import "./comparison.js";
import "./contraction.js";
import "./control_flow.js";
import "./conversion.js";
import "./cumulative.js";
import "./convolution.js";
import "./decomposition.js";
import "./dynamic_slices.js";
import "./exponential.js";
import "./indexing.js";
import "./linear_algebra.js";
import "./logic.js";
import "./pseudo.js";
import "./random.js";
import "./reduction.js";
import "./reduce_window.js";
import "./rounding.js";
import "./sort.js";
import "./sources.js";
import "./structure.js";
import "./trigonometric.js";
import "./views.js";
import "./windows.js";
import { definedOp, type Op, registeredOps } from "./define.js";

/** All ops by name. */
export const ops: ReadonlyMap<string, Op> = registeredOps();

/** The op of a node; a name that is not in the table is a defect. Text from outside is looked up in `ops`. */
export const opNamed: (name: string) => Op = definedOp;
