import { getSystemErrorMessage } from 'node:util'
import { unnamedReason } from '#core'

const MAX_CAUSES = 10

/**
 * The error and its causes, outermost first. Causes that are not errors, such as a worker's stack trace,
 * are for debuggers.
 */
export function chainOf(error: unknown): readonly unknown[] {
  const chain = [error]
  let link = error instanceof Error ? error.cause : undefined
  while (link instanceof Error && chain.length < MAX_CAUSES) {
    chain.push(link)
    link = link.cause
  }
  return chain
}

/** Messages joined by colons, without those that a wrapper has repeated. */
export function chainMessage(error: unknown): string {
  let text = ''
  for (const link of chainOf(error)) {
    const message = messageOf(link)
    if (message === '' || text.includes(message) || isReasonIn(text, link)) continue
    text = text === '' ? message : `${text}: ${message}`
  }
  return text
}

function messageOf(link: unknown): string {
  if (link instanceof Error) return link.message === '' ? link.name : link.message.trim()
  return link === undefined ? 'unknown error' : String(link)
}

/** A failed system call adds nothing to a text that has its reason in words. */
function isReasonIn(text: string, link: unknown): boolean {
  if (!(link instanceof Error) || !('errno' in link) || typeof link.errno !== 'number') return false
  const reason = unnamedReason(link) ?? getSystemErrorMessage(link.errno)
  return text.toLowerCase().includes(reason.toLowerCase())
}
