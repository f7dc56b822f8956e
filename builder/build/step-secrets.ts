import { statSync } from 'node:fs'
import { type NamedFileOptions, readNamedFile } from '#builder/linux'
import type { FindAgent, FindSecret, SecretSource } from '#builder/options'
import type { StepSecrets } from '#builder/solve'
import { ioError, TsbuildError } from '#core'

const MAX_BYTES = 500 * 1024

/**
 * Prepares secrets and agents for steps. Secrets are read when a step needs them, key files at once.
 * @throws {TsbuildError} NOT_FOUND, USAGE, PERMISSION_DENIED
 */
export async function openSecrets(options: {
  readonly secrets: Readonly<Record<string, SecretSource>>
  readonly findSecret?: FindSecret | undefined
  readonly ssh: Readonly<Record<string, readonly string[]>>
  readonly findAgent?: FindAgent | undefined
  readonly signal: AbortSignal | undefined
}): Promise<StepSecrets> {
  const sources = new Map(Object.entries(options.secrets))
  for (const [id, source] of sources) checkSource(id, source)
  const { findSecret, findAgent } = options
  const read = new Map<string, Promise<Uint8Array | undefined>>()
  const agents = await openAgents(options.ssh, options.signal)
  return {
    secret: async (id, signal = options.signal) => {
      const source = sources.get(id)
      if (source === undefined && findSecret === undefined) return undefined
      const reading =
        read.get(id) ??
        (source === undefined
          ? foundSecret(id, findSecret, signal)
          : readSecret(id, source, signal))
      read.set(id, reading)
      // Another step may have more time, or find the client again; what a pipe held is gone.
      if (source === undefined) reading.catch(() => read.delete(id))
      return reading
    },
    agent: async (id, signal = options.signal) => agents.get(id) ?? (await findAgent?.(id, signal)),
  }
}

type ConnectionHandler = NonNullable<Awaited<ReturnType<StepSecrets['agent']>>>

/** What is too long is no secret, wherever it comes from. */
async function foundSecret(
  id: string,
  find: FindSecret | undefined,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  const content = await find?.(id, signal)
  if (content !== undefined && content.length > MAX_BYTES) throw tooBigError(id)
  return content
}

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
