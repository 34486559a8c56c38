/**
 * `tertulia/testing`: an engine whose time a test moves, and clients without sockets.
 */
export { ManualClock } from './manual-clock.ts'
export { collect, type Listening, nextEvent } from './received.ts'
export { startTestEngine, type TestEngine, type TestEngineOptions } from './test-engine.ts'
