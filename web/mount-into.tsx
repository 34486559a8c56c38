/** Mount into: shows the chat inside of an element of any page. */
import type { ChatOptions, MountedChat } from './index.ts'
import './theme/index.css'

export async function mountInto(_element: Element, _options: ChatOptions): Promise<MountedChat> {
  throw new Error('not yet')
}
