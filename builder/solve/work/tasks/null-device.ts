import { closeSync, openSync } from 'node:fs'

/** A descriptor to write a tar to of which only the digest is wanted. */
export function openNullDevice(): Disposable & { readonly descriptor: number } {
  const descriptor = openSync('/dev/null', 'w')
  return { descriptor, [Symbol.dispose]: () => closeSync(descriptor) }
}
