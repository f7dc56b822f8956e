/*
 * Hashes that notice damage. In JavaScript: loading the part of Node that has one takes longer. Every step
 * is a bijection of each of its numbers, so that one changed word is always noticed.
 */

const MULTIPLIER = 0x5bd1e995

/** Goes on from `hash` with one word of 32 bits. */
export function mix(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, MULTIPLIER)
  return product ^ (product >>> 15)
}

/** Goes on from `hash` with bytes that begin at a multiple of four. */
export function hashOfBytes(bytes: Uint8Array, hash: number): number {
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
  let result = mix(hash, bytes.length)
  for (let at = 0; at < words.length; at++) {
    // As `mix`, which takes several times as long until it is compiled.
    result = Math.imul(result ^ (words[at] ?? 0), MULTIPLIER)
    result ^= result >>> 15
  }
  for (let at = words.length * 4; at < bytes.length; at++) result = mix(result, bytes[at] ?? 0)
  return result
}

/** The hash of a short text. */
export function hashOfText(text: string): number {
  let hash = text.length
  for (let at = 0; at < text.length; at++) hash = mix(hash, text.charCodeAt(at))
  return hash
}
