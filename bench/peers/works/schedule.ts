/**
 * Schedule: posts at a fixed rate, whatever became of those before (an open loop).
 *
 * Each post states when it was due, and each delivery counts from there, also where the sender is late. The
 * sender wakes every millisecond and does not spin, so that the load's processor time is that of its work;
 * a post is at most about a millisecond late for that.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Histogram } from 'hdr-histogram-js'
import { latencyHistogram } from '../../load/latency.ts'
import type { Member } from '../load/member.ts'
import type { PeerCrowd } from '../load/peer-crowd.ts'
import { contentOf, markOf, nowUs } from '../load/post-content.ts'
import { type Usage, watchUsage } from '../load/usage.ts'

/** A walk through all members, the same for every peer. */
const STEP = 7_919

export interface Schedule {
  readonly messagesASecond: number
  readonly seconds: number
  readonly groupSize: number
  /** Added to each content. */
  readonly more?: string
  /** How long deliveries may take after the last post. */
  readonly settleMs: number
  /** Members who post. */
  readonly senders?: readonly Member[]
  /** Deliveries to this member are neither timed nor awaited; they go to `onExcept` with the number of the post. */
  readonly except?: Member
  readonly onExcept?: (number: number) => void
}

export interface Course {
  readonly sent: number
  readonly histogram: Histogram
  readonly missing: number
  readonly deliveries: number
  readonly usage: Usage
}

export async function runSchedule(crowd: PeerCrowd, pid: number, schedule: Schedule): Promise<Course> {
  const { messagesASecond, seconds, groupSize, more = '', settleMs, except, onExcept } = schedule
  const senders = schedule.senders ?? crowd.members
  const total = Math.round(seconds * messagesASecond)
  const histogram = latencyHistogram()
  const before = crowd.deliveries
  const exceptBefore = except?.posts ?? 0
  crowd.onDelivery = (member, bytes, start, end) => {
    const { dueUs, number } = markOf(bytes, start, end)
    if (member === except) onExcept?.(number)
    else histogram.recordValue(Math.max(1, nowUs() - dueUs))
  }
  const used = watchUsage(pid)
  const startUs = nowUs() + 1_000
  for (let sent = 0; sent < total; ) {
    const dueUs = Math.round(startUs + (sent * 1_000_000) / messagesASecond)
    if (dueUs > nowUs()) {
      await delay(1)
      continue
    }
    const sender = senders[(sent * STEP) % senders.length] as Member
    crowd.post(sender, contentOf(dueUs, sender.index, sent, more))
    sent += 1
  }
  const awaited = before + total * (crowd.receivers(groupSize) - (except ? 1 : 0))
  const arrived = () => crowd.deliveries - ((except?.posts ?? 0) - exceptBefore)
  const deadline = performance.now() + settleMs
  while (arrived() < awaited && performance.now() < deadline) await delay(2)
  const usage = used()
  crowd.onDelivery = null
  return {
    sent: total,
    histogram,
    missing: awaited - arrived(),
    deliveries: crowd.deliveries - before,
    usage,
  }
}

export function percentile(histogram: Histogram, percent: number): number {
  return histogram.getValueAtPercentile(percent) / 1_000
}
