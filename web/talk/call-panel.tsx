/**
 * Call panel: the current call, above everything else. It is a region, so that F6 reaches it; it does not get
 * the focus by itself. An incoming call is announced at once.
 */
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { CallInfo, CallMedia, CallView } from '../../client/calls/call-view.ts'
import type { PeerCalls } from '../../client/calls/peer-calls.ts'
import { useShell, useView } from '../shell.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Button, IconButton } from '../ui/button.tsx'

const ENDED_SHOWN_MS = 4_000

export function CallPanel({ calls }: { readonly calls: PeerCalls }) {
  const call = useView(calls.view)
  const { texts, announce } = useShell()
  const [isLarge, setLarge] = useState(false)
  const name = useNameOf(call)
  const t = texts.talk
  const { state } = call
  const status = statusOf(call, t)
  // biome-ignore lint/correctness/useExhaustiveDependencies: each state is announced once.
  useEffect(() => {
    if (state === 'idle') return
    if (state === 'ringing') announce(call.withVideo ? t.ringsVideo(name) : t.rings(name), 'assertive')
    else announce(`${name}: ${status}`, 'assertive')
    if (state !== 'ended') return
    const timer = setTimeout(() => calls.dismiss(), ENDED_SHOWN_MS)
    return () => clearTimeout(timer)
  }, [state, calls])
  if (call.state === 'idle') return null
  const isAnswered =
    call.state === 'connecting' || call.state === 'connected' || call.state === 'reconnecting'
  const showsVideo = isAnswered && (call.remote.video !== null || call.local.video !== null)
  return (
    <section
      class={`call${isLarge && showsVideo ? ' call-large' : ''}${showsVideo ? ' call-video' : ''}`}
      data-region
      tabIndex={-1}
      aria-label={t.callWith(name)}
      data-state={call.state}
    >
      {isAnswered && <RemoteMedia media={call.remote} />}
      {isAnswered && call.local.video !== null && <LocalVideo media={call.local} label={t.ownVideo} />}
      <div class="call-person">
        <Avatar id={call.userId} name={name} size={showsVideo ? 36 : 56} />
        <span class="grow call-text">
          <strong class="ellipsis">{name}</strong>
          <span class="small" role="status">
            {call.state === 'connected' ? <CallTime since={call.connectedAt} /> : status}
            {isAnswered && call.remote.muted && ` · ${t.peerMuted}`}
          </span>
        </span>
      </div>
      <div class="call-actions">
        {call.state === 'ringing' && <RingingActions calls={calls} withVideo={call.withVideo} />}
        {isAnswered && (
          <AnsweredActions calls={calls} local={call.local}>
            {showsVideo && (
              <IconButton
                icon="expand"
                label={isLarge ? t.smaller : t.larger}
                pressed={isLarge}
                onClick={() => setLarge(!isLarge)}
              />
            )}
          </AnsweredActions>
        )}
        {(isAnswered || call.state === 'calling') && (
          <IconButton icon="hangUp" kind="danger" label={t.hangUp} onClick={() => calls.hangUp()} />
        )}
        {call.state === 'ended' && (
          <IconButton icon="close" label={texts.shell.close} onClick={() => calls.dismiss()} />
        )}
      </div>
    </section>
  )
}

function RingingActions({ calls, withVideo }: { readonly calls: PeerCalls; readonly withVideo: boolean }) {
  const { texts, fail } = useShell()
  const t = texts.talk
  return (
    <>
      <Button kind="primary" icon="phone" onClick={() => void calls.accept(false).catch(fail)}>
        {t.answer}
      </Button>
      {withVideo && (
        <Button kind="primary" icon="video" onClick={() => void calls.accept(true).catch(fail)}>
          {t.answerVideo}
        </Button>
      )}
      <Button kind="danger" icon="hangUp" onClick={() => calls.hangUp()}>
        {t.declineCall}
      </Button>
    </>
  )
}

interface AnsweredActionsProps {
  readonly calls: PeerCalls
  readonly local: CallMedia
  readonly children: ComponentChildren
}

function AnsweredActions({ calls, local: { muted, video }, children }: AnsweredActionsProps) {
  const { texts, toast } = useShell()
  const t = texts.talk
  const show = (next: CallMedia['video']) => calls.setVideo(next).catch(() => toast(t.noVideo))
  return (
    <>
      <IconButton
        icon={muted ? 'micOff' : 'mic'}
        label={muted ? t.unmute : t.mute}
        pressed={muted}
        onClick={() => calls.setMuted(!muted)}
      />
      <IconButton
        icon={video === 'camera' ? 'video' : 'videoOff'}
        label={video === 'camera' ? t.cameraOff : t.cameraOn}
        pressed={video === 'camera'}
        onClick={() => void show(video === 'camera' ? null : 'camera')}
      />
      {'getDisplayMedia' in navigator.mediaDevices && (
        <IconButton
          icon="screen"
          label={video === 'screen' ? t.screenOff : t.screenOn}
          pressed={video === 'screen'}
          onClick={() => void show(video === 'screen' ? null : 'screen')}
        />
      )}
      {children}
    </>
  )
}

function RemoteMedia({ media: { stream, video } }: { readonly media: CallMedia }) {
  const ref = useStream(stream)
  return (
    // biome-ignore lint/a11y/useMediaCaption: a call has no captions.
    <video ref={ref} class="call-remote" autoplay playsInline hidden={video === null} />
  )
}

function LocalVideo({ media, label }: { readonly media: CallMedia; readonly label: string }) {
  const ref = useStream(media.stream)
  const isMirrored = media.video === 'camera'
  return (
    <video
      ref={ref}
      class={isMirrored ? 'call-local call-mirrored' : 'call-local'}
      aria-label={label}
      autoplay
      muted
      playsInline
    />
  )
}

function useStream(stream: MediaStream | null) {
  const ref = useRef<HTMLVideoElement>(null)
  useEffect(() => {
    const video = ref.current
    if (video && video.srcObject !== stream) video.srcObject = stream
  })
  return ref
}

function CallTime({ since }: { readonly since: number }) {
  const { format } = useShell()
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now), 1_000)
    return () => clearInterval(timer)
  }, [])
  return <span aria-live="off">{format.clock(Math.max(0, (now - since) / 1_000))}</span>
}

/** The name of the other user, as the direct chat shows it. */
function useNameOf(call: CallView): string {
  const { groups } = useView(useShell().store.groups)
  if (call.state === 'idle') return ''
  const info = groups.find(({ groupId }) => groupId === (call as CallInfo).groupId)
  return info?.peer?.userId === call.userId ? info.title : call.userId
}

type TalkTexts = ReturnType<typeof useShell>['texts']['talk']

function statusOf(call: CallView, t: TalkTexts): string {
  if (call.state === 'ended') return t.callEnded[call.reason]
  if (call.state === 'calling') return call.isRinging ? t.callState.ringsThere : t.callState.calling
  return call.state === 'idle' ? '' : t.callState[call.state]
}
