/** The smallest modules that are plugins; `extra` is more of their text form. */
export const reactor = (extra = "", imports = "", memory = '(memory (export "memory") 1)') => `(module
  ${imports}
  ${memory}
  (func (export "weft_alloc") (param i32) (result i32) (i32.const 8))
  (func (export "describe") (param i32 i32) (result i64) (i64.const 0))
  (func (export "handle_tool_call") (param i32 i32) (result i64) (i64.const 0))
  ${extra})`

export const adapter = (extra = "") => `(module
  (memory (export "memory") 1)
  (func (export "weft_alloc") (param i32) (result i32) (i32.const 8))
  (func (export "describe") (result i64) (i64.const 0))
  (func (export "parse_incoming") (param i32 i32) (result i64) (i64.const 0))
  (func (export "format_outgoing") (param i32 i32) (result i64) (i64.const 0))
  ${extra})`

export const program = (extra = "", imports = "") => `(module
  ${imports}
  (memory (export "memory") 1)
  (func (export "_start"))
  ${extra})`
