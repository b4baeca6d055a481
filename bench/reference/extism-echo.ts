import { wat } from "../../test/plugins/wat.ts"

/** An echo by the interface of Extism, whose host holds input and output outside of the module's memory. */
export const extismEcho = (): Uint8Array =>
  wat(`(module
    (import "extism:host/env" "input_length" (func $length (result i64)))
    (import "extism:host/env" "input_load_u8" (func $load (param i64) (result i32)))
    (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
    (import "extism:host/env" "store_u8" (func $store (param i64 i32)))
    (import "extism:host/env" "output_set" (func $set (param i64 i64)))
    (memory (export "memory") 1)
    (func (export "echo") (result i32) (local $i i64) (local $n i64) (local $p i64)
      (local.set $n (call $length))
      (local.set $p (call $alloc (local.get $n)))
      (loop $l
        (call $store (i64.add (local.get $p) (local.get $i)) (call $load (local.get $i)))
        (local.set $i (i64.add (local.get $i) (i64.const 1)))
        (br_if $l (i64.lt_u (local.get $i) (local.get $n))))
      (call $set (local.get $p) (local.get $n))
      (i32.const 0)))`)
