import { type Stats, statSync } from 'node:fs'
import { readNamedFile } from '#builder/linux'
import { ioError, TsbuildError } from '#core'
import { keyAgent } from './key-agent.ts'
import type { Agent } from './messages.ts'
import { parsePrivateKey } from './private-key.ts'
import { socketAgent } from './socket-agent.ts'

/** Opens an agent for one conversation. */
export type OpenAgent = () => Agent

const MAX_KEY_BYTES = 100 * 1024
const HINT = 'an agent is given by its socket or by files with private keys'

/**
 * Opens an agent: one that listens on a socket of the host, or one in this process that holds private
 * keys, which are read now.
 * @throws {TsbuildError} USAGE, NOT_FOUND, PERMISSION_DENIED, CANCELLED
 */
export async function openAgentSource(
  paths: readonly string[],
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<OpenAgent> {
  const [first = ''] = paths
  if (paths.map(statOf).some((stat) => stat.isSocket())) {
    if (paths.length === 1) return () => socketAgent(first)
    throw new TsbuildError('invalid combination of keys and sockets', {
      code: 'USAGE',
      hint: 'give one socket, or any number of key files',
    })
  }
  const keys: ReturnType<typeof parsePrivateKey>[] = []
  for (const path of paths) keys.push(parsePrivateKey(await readKey(path, options.signal), path))
  return () => keyAgent(keys)
}

function statOf(path: string): Stats {
  try {
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat !== undefined) return stat
  } catch (cause) {
    throw ioError(`failed to stat ${path}`, cause)
  }
  throw new TsbuildError(`failed to stat ${path}: no such file or directory`, {
    code: 'NOT_FOUND',
    hint: HINT,
  })
}

async function readKey(path: string, signal: AbortSignal | undefined): Promise<string> {
  try {
    const refuse = (why: string): TsbuildError =>
      new TsbuildError(`failed to parse ${path}: it is not a private key: ${why}`, {
        code: 'USAGE',
        hint: HINT,
      })
    const bytes = await readNamedFile(path, { limit: MAX_KEY_BYTES, refuse, signal })
    return bytes.toString()
  } catch (cause) {
    throw ioError(`read ${path}`, cause)
  }
}
