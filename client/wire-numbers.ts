/**
 * Made by `npm run docs` from protocol/limits.ts and protocol/close-codes.ts: edit these, not this file.
 */
export const connectedGroups = 200
export const groupsPage = 200
export const historyPage = 200
export const largeGroup = 500
export const membersPage = 500
export const pinnedMessages = 100
export const receiptMessages = 500
export const resumeEvents = 10_000

export const unauthenticated = 4401
export const tokenExpired = 4402
