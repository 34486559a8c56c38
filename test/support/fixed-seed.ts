/**
 * Fixed seed: random cases of fast-check are the same in every run. `FC_SEED=7 npx vitest run` tries others.
 */
import fc from 'fast-check'

fc.configureGlobal({ seed: Number(process.env['FC_SEED'] ?? 1) })
