import { existsSync } from 'node:fs'
import { trySyscall } from './syscalls.ts'

const F_SETFD = 2

/**
 * Lets the program that takes this process's place have the descriptors that `words` name, as
 * `<(command)` does (`/dev/fd/63`): Node closes those that it was started with.
 */
export function passOnNamedDescriptors(words: readonly string[]): void {
  for (const [, digits] of words.join('\n').matchAll(/\/fd\/(\d{1,3})(?!\d)/g)) {
    const descriptor = Number(digits)
    if (descriptor > 2 && existsSync(`/proc/self/fd/${descriptor}`)) passOnDescriptor(descriptor)
  }
}

/** Lets the program that takes this process's place have an open descriptor. */
export function passOnDescriptor(descriptor: number): void {
  trySyscall('fcntl', [descriptor, F_SETFD, 0])
}
