/**
 * The chat page in a page of your service.
 *
 * The code and styles of the page come from the chat server, so that both have the same version, and this
 * module is small. The service's origin must be in `CORS_ORIGINS` of the server, and its policy must
 * allow scripts, styles and connections of the server.
 */

export interface ChatOptions {
  /** The address of the server: `https://chat.example.com`. */
  readonly url: string
  /** Returns a token of the signed-in user; called for each connection, also after one has expired. */
  readonly token: () => string | Promise<string>
  /** The user of the token: their stored chats are then shown before there is a connection. */
  readonly userId?: string | undefined
  /** `en` or `pt`; the browser's language by default. */
  readonly language?: 'en' | 'pt' | undefined
  readonly theme?: 'auto' | 'light' | 'dark' | undefined
}

export interface MountedChat {
  /** Shows a group. */
  show(groupId: string): void
  /** Removes the chat from the page and closes its connection; drafts and unsent messages stay stored. */
  unmount(): Promise<void>
  /** The same, and removes everything of the user from this device. */
  signOut(): Promise<void>
}

/**
 * Shows the chat inside of an element, which must have a height.
 *
 * @example
 * ```ts
 * import { mountChat } from 'tertulia/web'
 *
 * const chat = await mountChat(document.querySelector('#chat'), {
 *   url: 'https://chat.example.com',
 *   token: async () => (await fetch('/chat-token')).text(),
 * })
 * chat.show('kitchen')
 * ```
 *
 * @throws TypeError if the server does not serve the page, or does not allow this origin.
 */
export async function mountChat(element: Element, options: ChatOptions): Promise<MountedChat> {
  const address = new URL('mount.js', options.url.endsWith('/') ? options.url : `${options.url}/`)
  const { mount } = (await import(/* @vite-ignore */ address.href)) as {
    mount: (element: Element, options: ChatOptions) => Promise<MountedChat>
  }
  return await mount(element, options)
}
