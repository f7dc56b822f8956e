const MULTIPLIER = 0x5bd1e995

/** The hash of a short text, of 32 bits. In JavaScript: loading the part of Node that has one takes longer. */
export function hashOfText(text: string): number {
  let hash = text.length
  for (let at = 0; at < text.length; at++) {
    const product = Math.imul(hash ^ text.charCodeAt(at), MULTIPLIER)
    hash = product ^ (product >>> 15)
  }
  return hash
}
