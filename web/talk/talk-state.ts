/**
 * Talk state: what the parts of the page that show files and calls share: the calls of a store, the image on
 * show, the files that were chosen but not sent, and previews of files that were sent from here.
 */
import { useCallback } from 'preact/hooks'
import type { PeerCalls } from '../../client/calls/peer-calls.ts'
import type { GroupHandle, MessageItem, Store } from '../../client/store/types.ts'
import { ViewCell } from '../../client/store/view-cell.ts'
import { type Shell, useShell } from '../shell.ts'
import { useLoaded } from '../ui/lazy.tsx'
import { loadIceServers } from './ice-servers.ts'

export interface ChosenFile {
  readonly id: number
  readonly file: File
  /** Of images and videos, until the file is sent or removed. */
  readonly url: string | null
}

interface TalkState {
  /** The image that the viewer shows; null for none. */
  readonly viewer: ViewCell<MessageItem | null>
  /** Loaded with the first use. */
  calls: Promise<PeerCalls> | null
}

const MAX_PREVIEWS = 30
const states = new WeakMap<Store, TalkState>()
const chosen = new WeakMap<GroupHandle, ViewCell<readonly ChosenFile[]>>()
const none: readonly ChosenFile[] = []

function stateOf(store: Store): TalkState {
  let state = states.get(store)
  if (!state) {
    state = { viewer: new ViewCell<MessageItem | null>(null), calls: null }
    states.set(store, state)
  }
  return state
}

/** The image in the viewer. */
export function viewerOf(store: Store): ViewCell<MessageItem | null> {
  return stateOf(store).viewer
}

/** The calls of the user on this page; null before their code is loaded, and where the browser has none. */
export function useCalls(): PeerCalls | null {
  const { store, server } = useShell()
  const load = useCallback(() => callsOf({ store, server }), [store, server])
  return useLoaded(typeof RTCPeerConnection === 'undefined' ? null : load)
}

function callsOf({ store, server }: Pick<Shell, 'store' | 'server'>): Promise<PeerCalls> {
  const state = stateOf(store)
  state.calls ??= import('../../client/calls/peer-calls.ts').then(
    ({ PeerCalls }) => new PeerCalls(store, { iceServers: () => loadIceServers(server) }),
    (error: unknown) => {
      // The next use loads it again.
      state.calls = null
      throw error
    },
  )
  return state.calls
}

/** The files that wait in the dialog of a group. */
export function chosenIn(handle: GroupHandle): ViewCell<readonly ChosenFile[]> {
  let cell = chosen.get(handle)
  if (!cell) {
    cell = new ViewCell(none)
    chosen.set(handle, cell)
  }
  return cell
}

/** Shows files in the dialog, beside those that it has. */
export function chooseFiles(handle: GroupHandle, files: readonly File[]): void {
  const cell = chosenIn(handle)
  const shown = cell.getSnapshot()
  const added = files.map((file, i) => ({
    id: (shown.at(-1)?.id ?? 0) + i + 1,
    file,
    url: /^(image|video)\//.test(file.type) ? URL.createObjectURL(file) : null,
  }))
  cell.set([...shown, ...added])
}

export function removeChosen(handle: GroupHandle, { id, url }: ChosenFile): void {
  const cell = chosenIn(handle)
  if (url) URL.revokeObjectURL(url)
  cell.set(cell.getSnapshot().filter((one) => one.id !== id))
}

/** Empties the dialog; the previews of sent files stay. */
export function clearChosen(handle: GroupHandle): void {
  chosenIn(handle).set(none)
}

const previews = new Map<string, string>()

/** The address of a file that was sent from this page, by the key of its message. */
export function previewOf(key: string): string | undefined {
  return previews.get(key)
}

/** Bounded: the preview of the oldest message is released. */
export function addPreview(key: string, url: string): void {
  previews.set(key, url)
  if (previews.size <= MAX_PREVIEWS) return
  const [[oldest, old] = []] = previews
  if (oldest === undefined || old === undefined) return
  previews.delete(oldest)
  URL.revokeObjectURL(old)
}
