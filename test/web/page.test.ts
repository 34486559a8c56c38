import { describe, expect, it } from 'vitest'
import { aContext } from './support/browser.ts'
import { aWebServer } from './support/web-server.ts'

describe('the page', () => {
  it('opens under its policy, without an error, and asks for a token', async () => {
    const server = await aWebServer()
    const page = await (await aContext()).newPage()
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(error.message))
    page.on('console', (message) => void (message.type() === 'error' && errors.push(message.text())))
    await page.goto(server.url)
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    expect(await page.getByLabel('Token').isVisible()).toBe(true)
    expect(errors).toEqual([])
  })

  it('speaks the language of the browser', async () => {
    const server = await aWebServer()
    const page = await (await aContext({ locale: 'pt-BR' })).newPage()
    await page.goto(server.url)
    await page.getByRole('heading', { name: 'Entrar' }).waitFor()
    expect(await page.locator('html').getAttribute('lang')).toBe('pt')
  })
})
