/** The names of all ops: the one list that a new op must join. `table.ts` must hold a record for each. */
export type OpName =
  // element-wise
  | "full"
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "maximum"
  | "neg"
  | "exp"
  | "log"
  | "sqrt"
  | "square"
  | "relu"
  | "leakyRelu"
  | "sigmoid"
  | "tanh"
  | "silu"
  | "gelu"
  | "gate"
  | "gateAtLeast"
  // reductions
  | "sum"
  | "broadcastTo"
  // shape
  | "reshape";
