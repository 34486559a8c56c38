/**
 * Heap size: keeps V8's space for young objects small, in the server's process only.
 *
 * A server holds much that lives long (ten thousand connections) and little that does not. While
 * connections come in V8 would let that space grow to 3 × 16 MiB in each thread, more than half of
 * all they cost; 3 × 2 MiB were measured to serve the same load as fast. Imported before all else,
 * as the space of this thread is grown by loading; the flag on the command line does it better.
 */
import { setFlagsFromString } from 'node:v8'

// For the threads that are still to start.
setFlagsFromString('--max-semi-space-size=2')
// For this one, whose limit is set already: it does not grow further.
setFlagsFromString('--semi-space-growth-factor=1')
