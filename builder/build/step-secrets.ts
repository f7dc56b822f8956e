import { statSync } from 'node:fs'
import { type NamedFileOptions, readNamedFile } from '#builder/linux'
import type { SecretSource } from '#builder/options'
import type { StepSecrets } from '#builder/solve'
import { ioError, TsbuildError } from '#core'

const MAX_BYTES = 500 * 1024

/**
 * Prepares secrets and agents for steps. Secrets are read when a step needs them, key files at once.
 * @throws {TsbuildError} NOT_FOUND, USAGE, PERMISSION_DENIED
 */
export async function openSecrets(options: {
  readonly secrets: Readonly<Record<string, SecretSource>>
  readonly ssh: Readonly<Record<string, readonly string[]>>
  readonly signal: AbortSignal | undefined
}): Promise<StepSecrets> {
  const sources = new Map(Object.entries(options.secrets))
  for (const [id, source] of sources) checkSource(id, source)
  const read = new Map<string, Promise<Uint8Array>>()
  const agents = await openAgents(options.ssh, options.signal)
  return {
    secret: async (id, signal = options.signal) => {
      const source = sources.get(id)
      if (source === undefined) return undefined
      const reading = read.get(id) ?? readSecret(id, source, signal)
      read.set(id, reading)
      return reading
    },
    agent: (id) => agents.get(id),
  }
}

type ConnectionHandler = NonNullable<ReturnType<StepSecrets['agent']>>

async function openAgents(
  ssh: Readonly<Record<string, readonly string[]>>,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, ConnectionHandler>> {
  const entries = Object.entries(ssh)
  if (entries.length === 0) return new Map()
  const { openAgentSource, serveAgent } = await import('#ssh')
  const agents = new Map<string, ConnectionHandler>()
  for (const [id, paths] of entries) {
    const open = await openAgentSource(paths, { signal })
    agents.set(id, (connection) => void serveAgent(connection, open))
  }
  return agents
}

/** Finds mistakes before any work is done. */
function checkSource(id: string, source: SecretSource): void {
  if ('value' in source) {
    if (source.value.length > MAX_BYTES) throw tooBigError(id)
    return
  }
  const { file } = source
  try {
    const stat = statSync(file, { throwIfNoEntry: false })
    if (stat === undefined) {
      throw new TsbuildError(`failed to stat ${file}: no such file or directory`, {
        code: 'NOT_FOUND',
        hint: `secret ${id} is to be read from this file`,
      })
    }
    if (stat.size > MAX_BYTES) throw tooBigError(id)
  } catch (cause) {
    throw ioError(`failed to stat ${file}`, cause)
  }
}

async function readSecret(
  id: string,
  source: SecretSource,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  if ('value' in source) {
    const content = Buffer.from(source.value)
    if (content.length > MAX_BYTES) throw tooBigError(id)
    return content
  }
  const { file } = source
  try {
    const refuse: NamedFileOptions['refuse'] = (why, reason) =>
      reason === 'size' ? tooBigError(id) : unreadableError(id, `${file}: ${why}`)
    return await readNamedFile(file, { limit: MAX_BYTES, refuse, signal })
  } catch (cause) {
    throw ioError(`read ${file}`, cause)
  }
}

function unreadableError(id: string, why: string): TsbuildError {
  return new TsbuildError(`secret ${id}: ${why}`, {
    code: 'USAGE',
    hint: 'a secret is read from a file or from a pipe',
  })
}

function tooBigError(id: string): TsbuildError {
  return new TsbuildError(`secret ${id} too big. max size 500KB`, {
    code: 'USAGE',
    hint: 'a large file is not a secret: mount it with --mount=type=bind',
  })
}
