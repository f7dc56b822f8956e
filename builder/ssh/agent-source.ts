import { readFileSync, type Stats, statSync } from 'node:fs'
import { ioError, TsbuildError } from '#core'
import { keyAgent } from './key-agent.ts'
import type { Agent } from './messages.ts'
import { parsePrivateKey } from './private-key.ts'
import { socketAgent } from './socket-agent.ts'

/** Opens an agent for one conversation. */
export type OpenAgent = () => Agent

const MAX_KEY_BYTES = 100 * 1024

/**
 * What stands for an agent: the path of its socket, or those of private keys, which are read now.
 * @throws {TsbuildError} USAGE, NOT_FOUND, PERMISSION_DENIED
 */
export function openAgentSource(paths: readonly string[]): OpenAgent {
  const [first = ''] = paths
  const stats = paths.map(statOf)
  if (stats.some((stat) => stat.isSocket())) {
    if (paths.length === 1) return () => socketAgent(first)
    throw new TsbuildError('invalid combination of keys and sockets', {
      code: 'USAGE',
      hint: 'give one socket, or any number of key files',
    })
  }
  const keys = paths.map((path, index) => parsePrivateKey(readKey(path, stats[index]), path))
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
    hint: 'an agent is given by its socket or by files with private keys',
  })
}

function readKey(path: string, stat: Stats | undefined): string {
  if (stat?.isFile() !== true || stat.size > MAX_KEY_BYTES) {
    throw new TsbuildError(`failed to parse ${path}: it is no private key`, {
      code: 'USAGE',
      hint: 'an agent is given by its socket or by files with private keys',
    })
  }
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw ioError(`read ${path}`, cause)
  }
}
