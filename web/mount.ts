/**
 * Mount: what `tertulia/web` imports from the server. The dynamic import loads the styles too.
 */
import type { ChatOptions, MountedChat } from './index.ts'

export async function mount(element: Element, options: ChatOptions): Promise<MountedChat> {
  const { mountInto } = await import('./mount-into.tsx')
  return await mountInto(element, options)
}
