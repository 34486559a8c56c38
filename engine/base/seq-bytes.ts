/**
 * Seq bytes: a seq in the id of a record, 6 bytes, little-endian; a topic may follow.
 */
export const SEQ_BYTES = 6

/** The address of a group's events: room for a seq, then the topic. Filled by `withSeq`. */
export function addressOf(topic: string): Buffer {
  return Buffer.concat([Buffer.alloc(SEQ_BYTES), Buffer.from(topic, 'latin1')])
}

/** The same bytes with this seq: copied by who uses them. */
export function withSeq(address: Buffer, seq: number): Buffer {
  address.writeUIntLE(seq, 0, SEQ_BYTES)
  return address
}

/** Seqs one after the other. */
export function seqBytes(seqs: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(SEQ_BYTES * seqs.length)
  for (const [i, seq] of seqs.entries()) bytes.writeUIntLE(seq, i * SEQ_BYTES, SEQ_BYTES)
  return bytes
}

/** The seq at `at`. @throws RangeError past the end */
export function seqAt(bytes: Uint8Array, at = 0): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).readUIntLE(at, SEQ_BYTES)
}
