/** Tasks of a thread that the tests ask for everything that may happen. */
import { readFileSync } from 'node:fs'
import { checkpoint, TsbuildError } from '#core'

export async function add({ a, b }: { readonly a: number; readonly b: number }): Promise<number> {
  return a + b
}

export function countTo(last: number, post: (update: { readonly count: number }) => void): string {
  for (let count = 1; count <= last; count++) post({ count })
  return 'counted'
}

export function failTyped(): void {
  const cause = new Error('the disk is wet', { cause: new Error('rain') })
  throw new TsbuildError('read: wet', { code: 'LAYER_INVALID', hint: 'dry it', cause })
}

export function readFile(path: string): string {
  return readFileSync(path, 'utf8')
}

export function failPlainly(): void {
  throw new RangeError('a bug')
}

export function returnFunction(): () => void {
  return () => undefined
}

export function spin(): void {
  for (;;) checkpoint()
}

export function exit(code: number): never {
  process.exit(code)
}

export function throwLater(): Promise<never> {
  setImmediate(() => {
    throw new Error('uncaught')
  })
  return new Promise(() => undefined)
}
