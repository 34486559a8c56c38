/**
 * Latency: the histogram that the cases record times in, microseconds up to two minutes.
 */
import { build, type Histogram } from 'hdr-histogram-js'

export function latencyHistogram(): Histogram {
  return build({ lowestDiscernibleValue: 1, highestTrackableValue: 120_000_000 })
}
