import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, ioError, isJsonObject, type Json, TsbuildError, usageError } from '#core'
import { homeFolder } from '#disk'
import { EngineError } from '#engine/client'
import { dockerProxies } from '#registry-client'
import type { Arguments } from '../../arguments/flags.ts'
import { note, type Shell } from '../../terminal/shell.ts'
import { cleanText } from '../../terminal/text.ts'
import type { Engine } from '../connect/engine.ts'
import { type NewContainer, parseCreate } from '../create/create-body.ts'
import { familiarImage, pullImage } from '../images/pull.ts'
import { windowOf } from '../streams/window.ts'

/** What a command line asks for. @throws {TsbuildError} USAGE, UNSUPPORTED */
export function readNewContainer(args: Arguments, shell: Shell): NewContainer {
  const { env } = shell
  pullOf(args)
  const folder = env.DOCKER_CONFIG || join(homeFolder(env), '.docker')
  const proxies = dockerProxies(join(folder, 'config.json'), {
    daemon: args.text('host') ?? env.DOCKER_HOST,
    isGuessed: !env.DOCKER_CONFIG,
  })
  // Programs read one or the other.
  const both = Object.entries(proxies).flatMap(([name, value]) => [
    [name, value] as const,
    [name.toLowerCase(), value] as const,
  ])
  return parseCreate(args, { env, proxies: Object.fromEntries(both), terminal: windowOf(shell) })
}

/** Creates a container; an image that is missing is pulled. @returns its id */
export async function createContainer(
  container: NewContainer,
  engine: Engine,
  { args, shell }: { readonly args: Arguments; readonly shell: Shell },
): Promise<string> {
  const { platform, body } = container
  const { Image: image = '' } = body
  const pull = { image, platform, isQuiet: args.has('quiet') }
  using file = openIdFile(args.text('cidfile'))
  const when = pullOf(args)
  if (when === 'always') await pullImage(engine.client, pull, shell)
  let answer: Json
  try {
    answer = await postCreate(container, engine)
  } catch (cause) {
    const isMissing = cause instanceof EngineError && cause.status === 404
    if (!isMissing || when !== 'missing' || !/no such image/i.test(cause.message)) throw cause
    if (!args.has('quiet')) note(shell, `Unable to find image '${familiarImage(image)}' locally`)
    await pullImage(engine.client, pull, shell)
    answer = await postCreate(container, engine)
  }
  const { id, warnings } = readCreated(answer)
  for (const warning of warnings) note(shell, cleanText(`WARNING: ${warning}`))
  file.write(id)
  sayOnceThatPoliciesNeedServe(container, engine, shell)
  return id
}

async function postCreate(
  { body, name, platform }: NewContainer,
  { client }: Engine,
): Promise<Json> {
  const query = { name, platform }
  const path = '/containers/create'
  return await client.json({ method: 'POST', path, query, body: { kind: 'json', value: body } })
}

function readCreated(answer: Json): { readonly id: string; readonly warnings: readonly string[] } {
  const { Id, Warnings } = isJsonObject(answer) ? answer : {}
  const warnings = Array.isArray(Warnings) ? Warnings.map(String) : []
  if (typeof Id === 'string') return { id: Id, warnings }
  throw new TsbuildError('the daemon created a container without an id', { code: 'ENGINE_FAILED' })
}

const PULLS = ['missing', 'always', 'never'] as const

function pullOf(args: Arguments): (typeof PULLS)[number] {
  const text = args.text('pull') ?? PULLS[0]
  const found = PULLS.find((one) => one === text)
  if (found !== undefined) return found
  throw usageError(`invalid pull option: '${text}': must be one of "always", "missing" or "never"`)
}

interface IdFile extends Disposable {
  write(id: string): void
}

/** The file that gets the id; it is removed again when there is none. */
function openIdFile(path: string | undefined): IdFile {
  if (path === undefined || path === '')
    return { write: () => undefined, [Symbol.dispose]: () => undefined }
  const descriptor = openNew(path)
  let isWritten = false
  return {
    write: (id) => {
      writeFileSync(descriptor, id)
      isWritten = true
    },
    [Symbol.dispose]: () => {
      closeSync(descriptor)
      if (!isWritten) rmSync(path, { force: true })
    },
  }
}

function openNew(path: string): number {
  try {
    return openSync(path, 'wx', 0o644)
  } catch (cause) {
    if (errnoOf(cause) !== 'EEXIST') throw ioError('failed to create the container ID file', cause)
    throw usageError(
      `container ID file found, make sure the other container isn't running or delete ${path}`,
    )
  }
}

/** The daemon that is started when it is needed ends when nothing runs, and starts nothing then. */
function sayOnceThatPoliciesNeedServe({ body }: NewContainer, { own }: Engine, shell: Shell): void {
  const policy = body.HostConfig?.RestartPolicy?.Name ?? 'no'
  if (own === undefined || policy === 'no') return
  try {
    closeSync(openSync(`${own.socket}.told`, 'wx', 0o600))
  } catch (cause) {
    if (errnoOf(cause) !== undefined) return
    throw cause
  }
  note(shell, 'WARNING: a restart policy holds after a reboot only where tsbuild serve runs')
}
