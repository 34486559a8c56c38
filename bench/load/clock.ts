/**
 * Clock: microseconds that mean the same in every process of one machine.
 *
 * `performance.now()` counts from the start of its process and `timeOrigin` is wall clock, which
 * may be set while a bench runs. The monotonic clock behind `hrtime` is the machine's: what one
 * process wrote into a message, another may subtract from its own time.
 */
const originMicros = Number(process.hrtime.bigint() / 1_000n) - performance.now() * 1_000

/** Microseconds of the machine's monotonic clock. */
export function nowMicros(): number {
  return originMicros + performance.now() * 1_000
}
