import { expect, test } from 'vitest'
import { directionOf } from '../../../web/text/direction.ts'

test('a text has the direction of its first letter', () => {
  expect(['olá', 'שלום world', '1. (مرحبا)', 'hello שלום', '123 🙂', ''].map(directionOf)).toEqual([
    undefined,
    'rtl',
    'rtl',
    undefined,
    undefined,
    undefined,
  ])
})
