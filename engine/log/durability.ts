/**
 * Durability: which failures an acknowledged change survives (DUR-1). It is a separate file, so that the
 * public types do not depend on those of the database.
 */
/** Levels of durability after which a change is acknowledged (DUR-1). */
export type Durability = 'memory' | 'process' | 'disk'
