/**
 * Handler: how the group's actor handles one `send_message`, from the request to its effects.
 */
import type { Effects } from '../../engine/actors/effects.ts'
import { groupHandlers } from '../../engine/actors/group/group-handlers.ts'
import { newState } from '../../engine/actors/group/group-state.ts'
import { type MicroSuite, OPERATIONS } from './micro-task.ts'
import { SAMPLE_TIME, sampleGroup, sampleMembers, sampleRequest } from './sample.ts'

export function handlerSuite(): MicroSuite {
  const group = newState(sampleGroup, Number.MAX_SAFE_INTEGER, {
    editWindowMs: 0,
    maxGroupsPerUser: 0,
    contactPolicy: 'open',
  })
  for (const member of sampleMembers) group.members.set(member.userId, member)
  const by = { session: 1, ref: 1, userId: 'user-1', name: 'User 1' }
  const results: (Effects | null)[] = new Array(OPERATIONS).fill(null)
  let number = 0
  let requests = nextRequests()
  function nextRequests() {
    return Array.from({ length: OPERATIONS }, () => sampleRequest(number++))
  }
  return {
    tasks: [
      {
        name: 'group handler: send_message',
        operations: OPERATIONS,
        // Each message has another tempId; a known one would be answered from memory.
        prepare: () => {
          requests = nextRequests()
        },
        run: () => {
          for (let i = 0; i < OPERATIONS; i++) {
            const fields = requests[i]
            if (fields) results[i] = groupHandlers.send_message(group, by, fields, SAMPLE_TIME)
          }
        },
      },
    ],
    end: () => {},
  }
}
