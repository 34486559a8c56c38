/**
 * `tertulia/react`: the views of a `ChatStore` as React hooks.
 */
import {
  createContext,
  createElement,
  type ReactNode,
  useContext,
  useMemo,
  useSyncExternalStore,
} from 'react'
import type { GroupHandle, Store, View, WindowView } from '../store/types.ts'

const ChatContext = createContext<Store | null>(null)

/** Gives the components below it a store. */
export function ChatProvider(props: { readonly store: Store; readonly children?: ReactNode }): ReactNode {
  return createElement(ChatContext, { value: props.store }, props.children)
}

/** The value of a view; the component renders again after each change. On a server, the value at the time. */
export function useView<T>(view: View<T>): T {
  const [subscribe, read] = useMemo(
    () => [(listener: () => void) => view.subscribe(listener), () => view.getSnapshot()],
    [view],
  )
  return useSyncExternalStore(subscribe, read, read)
}

/** The store. @throws Error outside of a `ChatProvider` */
export function useChat(): Store {
  const store = useContext(ChatContext)
  if (!store) throw new Error('useChat must be called in a component below a ChatProvider')
  return store
}

/** A group: what can be done in it, and its views for `useView`. */
export function useGroup(groupId: string): GroupHandle {
  const store = useChat()
  return useMemo(() => store.group(groupId), [store, groupId])
}

/** The messages on show in a group; loaded while a component uses them. */
export function useMessages(groupId: string): WindowView {
  return useView(useGroup(groupId).messages)
}
