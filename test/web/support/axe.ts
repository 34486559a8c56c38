/**
 * Axe: the faults of a page that axe-core finds, under all its rules for WCAG 2.2 AA and best practices.
 */
import axe from 'axe-core'
import type { Page } from 'playwright-core'

interface Results {
  readonly violations: readonly {
    readonly id: string
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[]
  }[]
}

/** One text for each fault. */
export async function violationsOf(page: Page): Promise<readonly string[]> {
  // Not by a script element, which the policy of the page refuses.
  await page.evaluate(axe.source)
  const { violations } = (await page.evaluate('axe.run()')) as Results
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)}: ${failureSummary}`),
  )
}
