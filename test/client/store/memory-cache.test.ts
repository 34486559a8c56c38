import { describeCache } from './cache-contract.ts'

describeCache('a cache in memory', () => {})
