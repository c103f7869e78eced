export { a as compiler_ir_node } from "../ir/node.js";
export { a as compiler_ops_table } from "../ops/table.js";
