import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { havoc } from '../../../support/random/index.ts'
import { TARS } from './sample-tars.ts'

const BLOCK = 512
const CHECKSUM = 148

/**
 * Small archives with some bytes changed, a byte a character. Mostly the checksums of their headers are made right
 * again, so that what was changed is looked at.
 */
export const changedTars: fc.Arbitrary<string> = fc
  .tuple(havoc(fc.constantFrom(...TARS)), fc.integer({ min: 0, max: 3 }))
  .map(([tar, luck]) => (luck === 0 ? tar : withChecksums(tar)))

function withChecksums(tar: string): string {
  const bytes = Buffer.from(tar, 'latin1')
  for (let at = 0; at + BLOCK <= bytes.length; at += BLOCK) {
    const block = bytes.subarray(at, at + BLOCK)
    if (block.toString('latin1', 257, 262) !== 'ustar') continue
    block.fill(' ', CHECKSUM, CHECKSUM + 8)
    const sum = block.reduce((total, byte) => total + byte, 0)
    block.write(`${sum.toString(8).padStart(6, '0')}\0 `, CHECKSUM, 'latin1')
  }
  return bytes.toString('latin1')
}
