/**
 * Page: the socket API at `/asyncapi`, rendered from `/asyncapi.json`.
 */
import { Fragment } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import type { Format } from '../i18n/format.ts'
import type { PreferencesView } from '../settings/preferences.ts'
import { SiteHeader } from '../site/site-header.tsx'
import { useTheme } from '../theme/use-theme.ts'
import { type AsyncApiDocument, type MessageItem, messagesOf, type Schema } from './document.ts'
import { exampleFrame } from './example.ts'
import { Fields } from './fields.tsx'
import type { AsyncApiTexts } from './i18n/en.ts'

interface PageProps {
  readonly texts: AsyncApiTexts
  readonly format: Format
  readonly preferences: PreferencesView
}

type Loaded = { readonly document: AsyncApiDocument } | { readonly error: string } | null

export function AsyncApiPage({ texts, format, preferences }: PageProps) {
  const theme = useTheme(preferences)
  const loaded = useDocument()
  return (
    <div class="tertulia site asyncapi" {...theme}>
      <SiteHeader texts={texts} current="asyncapi" />
      {loaded === null || 'error' in loaded ? (
        <main class="site-main">
          <h1>{texts.title}</h1>
          <p role="status">{loaded === null ? texts.loading : texts.failed(loaded.error)}</p>
        </main>
      ) : (
        <Reference document={loaded.document} texts={texts} format={format} />
      )}
    </div>
  )
}

function useDocument(): Loaded {
  const [loaded, setLoaded] = useState<Loaded>(null)
  useEffect(() => {
    fetch('asyncapi.json')
      .then(async (response) => setLoaded({ document: (await response.json()) as AsyncApiDocument }))
      .catch((error: Error) => setLoaded({ error: error.message }))
  }, [])
  // The browser looked for the element of the address before it was there.
  useEffect(() => {
    if (loaded && 'document' in loaded && location.hash !== '') {
      document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView()
    }
  }, [loaded])
  return loaded
}

interface ReferenceProps extends Omit<PageProps, 'preferences'> {
  readonly document: AsyncApiDocument
}

function Reference({ document, texts, format }: ReferenceProps) {
  const { info, channels, components } = document
  const all = useMemo(() => messagesOf(document), [document])
  const [filter, setFilter] = useState('')
  const wanted = filter.trim().toLowerCase()
  const fits = (name: string, schema: Schema) =>
    [name, ...Object.keys(schema.properties ?? {})].some((text) => text.toLowerCase().includes(wanted))
  const shown = all.filter(({ name, data }) => fits(name, data))
  const { schemas } = components
  const records = Object.entries(schemas).filter(([name, schema]) => fits(name, schema))
  const parts = [
    ['requests', texts.requests, texts.requestsText, shown.filter(({ kind }) => kind === 'request')],
    ['events', texts.events, texts.eventsText, shown.filter(({ kind }) => kind === 'event')],
  ] as const
  return (
    <div class="reference">
      <nav class="reference-list" aria-label={texts.messages}>
        <input
          class="field"
          type="search"
          aria-label={texts.filter}
          placeholder={texts.filter}
          value={filter}
          onInput={({ currentTarget }) => setFilter(currentTarget.value)}
        />
        <p role="status" class="soft small">
          {texts.found(shown.length)}
        </p>
        {parts.map(([id, title, , items]) => (
          <section key={id}>
            <h2>
              <a href={`#${id}`}>{title}</a>
            </h2>
            <ul>
              {items.map(({ id: item, name }) => (
                <li key={item}>
                  <a href={`#${item}`}>{name}</a>
                </li>
              ))}
            </ul>
          </section>
        ))}
        <section>
          <h2>
            <a href="#records">{texts.records}</a>
          </h2>
          <ul>
            {records.map(([name]) => (
              <li key={name}>
                <a href={`#record.${name}`}>{name}</a>
              </li>
            ))}
          </ul>
        </section>
      </nav>
      <main class="site-main">
        <section>
          <h1>{texts.title}</h1>
          <p class="soft">
            {texts.version(info.version)} · {texts.address(channels.chat.address)} ·{' '}
            <a href="asyncapi.json">{texts.download}</a>
          </p>
          <p lang="en">{withCode(info.description)}</p>
        </section>
        {parts.map(([id, title, text, items]) => (
          <section key={id} id={id} class="stack">
            <h2>{title}</h2>
            <p class="soft">{text}</p>
            {items.map((item) => (
              <MessageCard key={item.id} {...item} schemas={schemas} texts={texts} format={format} />
            ))}
          </section>
        ))}
        <section id="records" class="stack">
          <h2>{texts.records}</h2>
          <p class="soft">{texts.recordsText}</p>
          {records.map(([name, schema]) => (
            <article key={name} id={`record.${name}`} class="card">
              <h3>
                <code>{name}</code>
              </h3>
              <Fields schema={schema} texts={texts} format={format} />
            </article>
          ))}
        </section>
      </main>
    </div>
  )
}

interface MessageCardProps extends MessageItem, Omit<PageProps, 'preferences'> {
  readonly schemas: Readonly<Record<string, Schema>>
}

function MessageCard({ id, name, code, kind, data, schemas, texts, format, ...rest }: MessageCardProps) {
  const links = (keys: readonly string[]) =>
    keys.map((key, at) => (
      <Fragment key={key}>
        {at > 0 && ', '}
        <a href={`#${key}`}>
          <code>{key.slice(key.indexOf('.') + 1)}</code>
        </a>
      </Fragment>
    ))
  return (
    <article id={id} class="card message">
      <h3>
        <a class={`kind kind-${kind}`} href={`#${id}`}>
          <code>{name}</code>
        </a>{' '}
        <span class="soft small">{texts.code(code)}</span>
      </h3>
      <Fields schema={data} texts={texts} format={format} />
      {rest.answers.length > 0 && (
        <p>
          {texts.answeredBy} {links(rest.answers)}
        </p>
      )}
      {rest.answersTo.length > 0 && (
        <details>
          <summary>
            {texts.answersTo} ({rest.answersTo.length})
          </summary>
          <p>{links(rest.answersTo)}</p>
        </details>
      )}
      <details>
        <summary>{texts.example}</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by the keyboard. */}
        <pre tabIndex={0}>{exampleFrame(name, kind, data, schemas)}</pre>
      </details>
    </article>
  )
}

/** The text with its parts in backticks as code. */
function withCode(text: string) {
  return text.split('`').map((part, at) => (at % 2 === 1 ? <code key={part}>{part}</code> : part))
}
