/** The Portuguese tables: neutral between Portugal and Brazil. */
import type { Texts } from '../texts.ts'
import { conversation } from './conversation.ts'
import { shell } from './shell.ts'
import { talk } from './talk.ts'

export const pt: Texts = { shell, conversation, talk }
