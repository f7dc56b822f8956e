const LETTERS = 36

/**
 * A name of `a-z0-9` that nobody else comes upon, five bits a character and at most 64. Not for
 * secrets: it is made of `Math.random`, which V8 seeds for each thread from the system's randomness, so
 * that a build need not load `node:crypto` for it.
 */
export function randomName(length: number): string {
  const letter = (): string => Math.floor(Math.random() * LETTERS).toString(LETTERS)
  return Array.from({ length }, letter).join('')
}
