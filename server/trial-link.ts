/**
 * Trial link: what a server prints for those who try it.
 */
import type { Settings } from './config.ts'
import { trialKey } from './http/trial-routes.ts'
import type { CommandContext } from './serve.ts'
import { makeToken } from './token.ts'

const TRIAL_USER = 'guest'
const ADMIN_USER = 'operator'
const TRIAL_SECONDS = 12 * 3_600

/** Outside production: prints a token, and with the pages links to them; people try the chat by their name. */
export async function printTrialLink(
  settings: Settings,
  url: string,
  { out }: CommandContext,
): Promise<void> {
  const key = trialKey(settings)
  if (key === null) return
  const hasPages = settings.web === 'on'
  if (hasPages) out(`Try it: ${url}/#trial=${key} (in two windows to be two people)`)
  const token = await makeToken(settings, { userId: TRIAL_USER, name: 'Guest', ttlSeconds: TRIAL_SECONDS })
  out(`Token of the user "${TRIAL_USER}", for 12 hours: ${token}`)
  if (!hasPages) return
  const admin = await makeToken(settings, { userId: ADMIN_USER, isAdmin: true, ttlSeconds: TRIAL_SECONDS })
  out(`Dashboard: ${url}/admin#token=${admin}`)
}
