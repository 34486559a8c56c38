import { expectTypeOf, it } from 'vitest'
import type { LiveFigures } from '../../../server/admin/live-figures.ts'
import type { ConnectionFigures as Sent } from '../../../server/admin/user-connections.ts'
import type { ConnectionFigures, Figures } from '../../../web/admin/figures.ts'

// web/ imports nothing of server/, so it has types of its own: `npm run typecheck` compares them here.
it('shows what the server sends', () => {
  expectTypeOf<LiveFigures>().toExtend<Figures>()
  expectTypeOf<Sent>().toExtend<ConnectionFigures>()
})
