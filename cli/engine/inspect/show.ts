import { type Json, TsbuildError } from '#core'
import { type EngineClient, EngineError, pathOf } from '#engine/client'
import type { Arguments } from '../../arguments/flags.ts'
import { note, print, type Shell } from '../../terminal/shell.ts'
import { objectOf } from '../format/json.ts'
import { parseTemplate } from '../template/go-template.ts'

/** What can be inspected. */
export type ObjectKind = 'container' | 'image' | 'network' | 'volume'

/** The document of a thing of one kind. @throws {EngineError} */
export async function inspectObject(
  client: EngineClient,
  kind: ObjectKind,
  { name, size }: { readonly name: string; readonly size?: boolean },
): Promise<Json> {
  switch (kind) {
    case 'container': {
      const query = { size: size === true || undefined }
      return await client.json({ path: pathOf`/containers/${name}/json`, query })
    }
    case 'image':
      return await client.json({ path: pathOf`/images/${name}/json` })
    case 'network':
      return await client.json({ path: pathOf`/networks/${name}` })
    case 'volume':
      return await client.json({ path: pathOf`/volumes/${name}` })
  }
}

/** The same; `undefined` when there is no such thing. */
export async function findObject(
  client: EngineClient,
  kind: ObjectKind,
  what: { readonly name: string; readonly size?: boolean },
): Promise<Json | undefined> {
  try {
    return await inspectObject(client, kind, what)
  } catch (cause) {
    const isMissing = cause instanceof EngineError && (cause.status === 404 || cause.status === 400)
    if (isMissing) return undefined
    throw cause
  }
}

/** Prints documents as JSON, or as `--format` asks for it; then what could not be found. @returns the exit code */
export async function showDocuments(
  names: readonly string[],
  get: (name: string) => Promise<Json>,
  { args, shell }: { readonly args: Arguments; readonly shell: Shell },
): Promise<number> {
  const format = args.text('format') ?? ''
  const template = format === '' || format === 'json' ? undefined : parseTemplate(format)
  const found: Json[] = []
  const messages: string[] = []
  for (const name of names) {
    try {
      found.push(await get(name))
    } catch (cause) {
      if (cause instanceof EngineError)
        messages.push(`Error response from daemon: ${cause.message}`)
      else if (cause instanceof TsbuildError && cause.code === 'NOT_FOUND')
        messages.push(`Error: ${cause.message}`)
      else throw cause
    }
  }
  if (template !== undefined) {
    for (const document of found) await print(shell, `${template(withOptional(document))}\n`)
  } else {
    const indent = format === 'json' ? undefined : 4
    await print(shell, `${JSON.stringify(found, undefined, indent)}\n`)
  }
  for (const message of messages) note(shell, message)
  return messages.length === 0 ? 0 : 1
}

/** Daemons leave out some fields that have no value; a template may ask for them. */
export function withOptional(document: Json): Json {
  const { State, HostConfig } = objectOf(document)
  if (State === undefined || HostConfig === undefined || 'Health' in objectOf(State))
    return document
  // It is there for who asks for it by its name; `{{json .State}}` has what was sent.
  const state = Object.defineProperty({ ...objectOf(State) }, 'Health', { value: null })
  return { ...objectOf(document), State: state }
}

/** The error of docker for a name of nothing. */
export function noSuchObject(name: string): TsbuildError {
  return new TsbuildError(`no such object: ${name}`, { code: 'NOT_FOUND' })
}
