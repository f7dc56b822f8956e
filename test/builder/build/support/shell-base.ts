import { readFileSync } from 'node:fs'
import type { Workplace } from './workplace.ts'

/** A stage called `base` that has busybox; the context must be prepared with `putShell`. */
export const SHELL_BASE: readonly string[] = [
  'FROM scratch AS base',
  'COPY --chmod=755 busybox /bin/busybox',
  'SHELL ["/bin/busybox", "sh", "-c"]',
  'RUN ["/bin/busybox", "--install", "-s", "/bin"]',
]

/** Puts into the context what `SHELL_BASE` copies. */
export function putShell(at: Workplace): void {
  at.put({ busybox: readFileSync('/bin/busybox') })
}

/** What the steps of a build wrote, in the order in which it came. */
export function outputOf(built: Pick<Awaited<ReturnType<Workplace['build']>>, 'events'>): string {
  return built.events
    .map((event) => (event.type === 'log' ? Buffer.from(event.data).toString() : ''))
    .join('')
}
