import { describe, expect, it } from 'vitest'
import { createFormat } from '../../web/i18n/format.ts'
import { pluralIn } from '../../web/i18n/plural.ts'
import { pt } from '../../web/i18n/pt/texts.ts'
import { chooseLanguage, en, localeOf } from '../../web/i18n/texts.ts'

describe('the tables of texts', () => {
  it('have the same keys, no empty text, and functions with the same number of parameters', () => {
    for (const area of Object.keys(en) as (keyof typeof en)[]) {
      const english = Object.entries<unknown>(en[area])
      const portuguese: Record<string, unknown> = pt[area]
      expect(Object.keys(portuguese).sort()).toEqual(english.map(([key]) => key).sort())
      for (const [key, text] of english) {
        const other = portuguese[key]
        expect([key, typeof other]).toEqual([key, typeof text])
        if (typeof text === 'function')
          expect([key, (other as () => void).length]).toEqual([key, text.length])
        else expect([key, text, other]).not.toContain('')
      }
    }
  })

  it('are chosen by the order of the browser', () => {
    expect(chooseLanguage(['fr-FR', 'pt-BR', 'en'])).toBe('pt')
    expect(chooseLanguage(['ja'])).toBe('en')
    expect(localeOf('pt', ['en-GB', 'pt-BR'])).toBe('pt-BR')
    expect(localeOf('pt', ['en-GB'])).toBe('pt')
  })
})

describe('plurals', () => {
  it('follow the rules of the language', () => {
    const forms = { one: '# message', other: '# messages' }
    expect([0, 1, 2_000].map((n) => pluralIn('en')(n, forms))).toEqual([
      '0 messages',
      '1 message',
      '2,000 messages',
    ])
    expect(pluralIn('pt')(0, { one: '# mensagem', other: '# mensagens' })).toBe('0 mensagem')
  })
})

describe('dates and sizes', () => {
  const now = new Date(2026, 10, 26, 15, 0).getTime()
  const format = createFormat('en-GB', () => now)

  it('are near words, then weekdays, then dates', () => {
    const hours = (n: number) => now - n * 3_600_000
    expect([hours(1), hours(20), hours(72), hours(24 * 30)].map(format.day)).toEqual([
      'Today',
      'Yesterday',
      'Monday',
      'Tue 27 October',
    ])
    expect([hours(1), hours(72)].map(format.short)).toEqual(['14:00', 'Mon'])
    expect(format.ago(hours(2))).toBe('2 hours ago')
    expect(format.bytes(1_500_000)).toBe('1.5 MB')
    expect(format.clock(75)).toBe('1:15')
  })
})
