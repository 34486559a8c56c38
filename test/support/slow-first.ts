/**
 * Slow first: the order in which the test files run. Files that wait for processes, and the simulation, take
 * longest; if they began last, they would run alone at the end. The others run in vitest's own order.
 */
import { relative } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const slow = ['test/system/', 'test/engine/simulation/', 'test/examples.test.ts']

export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { root } = this.ctx.config
    const isSlow = ({ moduleId }: TestSpecification) =>
      slow.some((path) => relative(root, moduleId).startsWith(path))
    const ordered = await super.sort(files)
    return [...ordered.filter(isSlow), ...ordered.filter((file) => !isSlow(file))]
  }
}
