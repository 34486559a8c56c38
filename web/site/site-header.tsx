/**
 * Site header: the links between the pages of a server. The page `/swagger` has the same in its own document.
 */
import type { ComponentChildren } from 'preact'

export interface SiteTexts {
  readonly pages: string
  readonly chat: string
  readonly dashboard: string
  readonly httpApi: string
  readonly socketApi: string
}

interface SiteHeaderProps {
  readonly texts: SiteTexts
  readonly current: 'admin' | 'asyncapi'
  readonly children?: ComponentChildren
}

export function SiteHeader({ texts, current, children }: SiteHeaderProps) {
  const link = (href: string, text: string) => (
    <a href={href} aria-current={href === current ? 'page' : undefined}>
      {text}
    </a>
  )
  return (
    <header class="site-header">
      <a class="site-name" href=".">
        <img src="icon.svg" alt="" width={28} height={28} />
        <strong>Tertulia</strong>
      </a>
      <nav aria-label={texts.pages}>
        {link('.', texts.chat)} {link('admin', texts.dashboard)} {link('swagger', texts.httpApi)}{' '}
        {link('asyncapi', texts.socketApi)}
      </nav>
      {children}
    </header>
  )
}
