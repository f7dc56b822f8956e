const LETTERS = 36

/**
 * A random name of `a-z0-9`, with five bits a character and at most 64 in all. Not for secrets: it comes
 * from `Math.random`, which V8 seeds for each thread from the system's randomness. `node:crypto` would
 * have to be loaded for it.
 */
export function randomName(length: number): string {
  const letter = (): string => Math.floor(Math.random() * LETTERS).toString(LETTERS)
  return Array.from({ length }, letter).join('')
}
