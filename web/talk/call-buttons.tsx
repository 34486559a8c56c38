/**
 * Call buttons: start an audio or video call with the other user of a direct chat.
 */
import type { GroupHandle } from '../../client/store/types.ts'
import { useShell, useView } from '../shell.ts'
import { IconButton } from '../ui/button.tsx'
import { useCalls } from './talk-state.ts'

export function CallButtons({ handle }: { readonly handle: GroupHandle }) {
  const { store, texts, fail, toast } = useShell()
  const info = useView(handle.info)
  const { state } = useView(store.connection)
  const calls = useCalls()
  const peer = info?.peer
  if (!peer || typeof RTCPeerConnection === 'undefined') return null
  const call = (withVideo: boolean) => {
    // Browsers give microphones only to pages with TLS.
    if (!navigator.mediaDevices) return toast(texts.talk.noMicrophone)
    const { groupId } = handle
    calls?.call({ groupId, userId: peer.userId, withVideo }).catch(fail)
  }
  const isOff = !calls || (state !== 'live' && state !== 'catching_up')
  return (
    <>
      <IconButton
        icon="phone"
        label={texts.talk.callAudio(peer.name)}
        tip="below"
        disabled={isOff}
        onClick={() => call(false)}
      />
      <IconButton
        icon="video"
        label={texts.talk.callVideo(peer.name)}
        tip="below"
        disabled={isOff}
        onClick={() => call(true)}
      />
    </>
  )
}
