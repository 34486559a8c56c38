/**
 * Heap size: limits V8's young generation of the main thread, in the server's process only, and keeps new objects there.
 *
 * Most objects of a server are long-lived (ten thousand connections). While connections are opened, V8
 * would let the young generation grow to 3 × 16 MiB, more than half of the memory that they need. With 3 × 2 MiB
 * the measured throughput is the same. The threads of the engine have limits of their own, which a flag of the
 * command line would override. Imported before all other modules, because loading them grows the space. The flag
 * `--max-semi-space-size=2` on the command line is more effective.
 *
 * V8 allocates objects directly in the old generation where earlier ones of the same code lived for some time.
 * Requests and answers then wait for a full collection, and everything that they refer to is copied by each
 * small one until then: while everybody reads, two thirds of what a shard copied (`bench/cases/reading.ts`).
 */
import { setFlagsFromString } from 'node:v8'

// Not for threads that start later. The limit of this one is already set.
setFlagsFromString('--max-semi-space-size=0')
// It stops growing.
setFlagsFromString('--semi-space-growth-factor=1')
// For the threads of the engine too.
setFlagsFromString('--no-allocation-site-pretenuring')
