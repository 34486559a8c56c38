import { describe, expect, it } from 'vitest'
import { Mailbox } from '../../../engine/actors/mailbox.ts'

describe('a mailbox', () => {
  it('returns its mail in order, once; later mail comes after it', () => {
    const mailbox = new Mailbox<string>()
    mailbox.push('a')
    mailbox.push('b')
    const taken = mailbox.takeAll()
    for (const mail of taken) mailbox.push(`${mail} again`)
    expect(taken).toEqual(['a', 'b'])
    expect(mailbox.takeAll()).toEqual(['a again', 'b again'])
    expect(mailbox.takeAll()).toEqual([])
  })

  it('holds at most 4,096 until it is emptied', () => {
    const mailbox = new Mailbox<number>()
    for (let i = 0; i < 4_096; i++) expect(mailbox.push(i)).toBe(true)
    expect(mailbox.push(4_096)).toBe(false)
    expect(mailbox.size).toBe(4_096)
    expect(mailbox.takeAll().at(-1)).toBe(4_095)
    expect(mailbox.push(0)).toBe(true)
  })
})
