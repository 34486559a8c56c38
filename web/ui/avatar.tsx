/**
 * Avatar: the picture of a person or group, or their initials on a colour made from the id, and a dot for
 * somebody who is there. Decoration: the name stands beside it.
 */
import type { User } from '../../protocol/records.ts'
import { colourOf } from './colour-of.ts'

interface AvatarProps {
  readonly id: string
  readonly name: string
  readonly picture?: string | undefined
  readonly size?: number
  readonly isGroup?: boolean
  readonly presence?: User['status'] | undefined
}

export function Avatar({ id, name, picture, size = 40, isGroup = false, presence }: AvatarProps) {
  const shape = isGroup ? 'avatar avatar-group' : 'avatar'
  return (
    <span class={`${shape} avatar-${colourOf(id)}`} style={{ '--size': `${size}px` }} aria-hidden="true">
      {isShown(picture) ? (
        <img src={picture} alt="" width={size} height={size} loading="lazy" />
      ) : (
        initialsOf(name)
      )}
      {presence && presence !== 'offline' && <span class={`presence presence-${presence}`} />}
    </span>
  )
}

/** Pictures of other hosts are not loaded: that would tell them who reads what. */
function isShown(picture: string | undefined): boolean {
  return picture !== undefined && /^(blob:|data:image\/|\/(?!\/))/.test(picture)
}

function initialsOf(name: string): string {
  const words = name
    .trim()
    .split(/\s+/u)
    .map((word) => word.replace(/^[\p{P}\p{S}]+(?=[\p{L}\p{N}])/u, ''))
  const last = words.length > 1 ? words.at(-1) : undefined
  return [words[0], last].map((word) => firstGrapheme(word ?? '').toLocaleUpperCase()).join('')
}

const graphemes = new Intl.Segmenter()

function firstGrapheme(word: string): string {
  for (const { segment } of graphemes.segment(word)) return segment
  return ''
}
