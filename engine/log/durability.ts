/**
 * Durability: what an acknowledged change survives (DUR-1). A file of its own, so that the public
 * types do not depend on those of the database.
 */
/** When an answer may say that a change is durable (DUR-1). */
export type Durability = 'memory' | 'process' | 'disk'
