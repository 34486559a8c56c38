/**
 * Topics: the names under which the events of a group are published.
 */

/** The topic of a group's ephemeral events: `e:<id>` for the topic `g:<id>`. */
export function ephemeralTwin(topic: string): string {
  return `e${topic.slice(1)}`
}

/** The topic of the durable events of the same group; a durable topic is returned unchanged. */
export function durableTwin(topic: string): string {
  return `g${topic.slice(1)}`
}
