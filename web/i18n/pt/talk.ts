/** Portuguese texts of the area "talk". */
import type { Texts } from '../texts.ts'

export const talk: Texts['talk'] = {}
