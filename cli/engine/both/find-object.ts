/** What `tsbuild inspect` finds in a daemon, beside the images of the local store. */
import { existsSync } from 'node:fs'
import { layoutOf, resolveRoot } from '#cache'
import type { Json } from '#core'
import type { Arguments } from '../../arguments/flags.ts'
import type { Shell } from '../../terminal/shell.ts'
import { type Engine, openEngine, runningEngine } from '../connect/engine.ts'
import { findObject, noSuchObject, type ObjectKind } from '../inspect/show.ts'

/** Looks for things by their names. */
export interface ObjectFinder extends Disposable {
  /** A container; `undefined` also where no daemon runs that could have one. */
  container(name: string): Promise<Json | undefined>
  /** Anything else, and containers of a daemon that has to be started. @throws {TsbuildError} NOT_FOUND */
  other(name: string): Promise<Json>
  /** Whether a daemon was asked. */
  hasDaemon(): boolean
}

/** Opens what `inspect` asks a daemon. */
export async function openObjectFinder(args: Arguments, shell: Shell): Promise<ObjectFinder> {
  const size = args.has('size')
  const running = await runningEngine(args, shell)
  let engine: Engine | undefined = running
  const wanted = args.text('type')
  const find = async (kind: ObjectKind, name: string): Promise<Json | undefined> => {
    if (engine === undefined || (wanted !== undefined && wanted !== kind)) return undefined
    return await findObject(engine.client, kind, { name, size })
  }
  return {
    container: async (name) => await find('container', name),
    other: async (name) => {
      if (engine === undefined && hasState(args, shell)) engine = await openEngine(args, shell)
      for (const kind of ['container', 'image', 'network', 'volume'] as const) {
        const found = await find(kind, name)
        if (found !== undefined) return found
      }
      throw noSuchObject(name)
    },
    hasDaemon: () => engine !== undefined,
    [Symbol.dispose]: () => engine?.[Symbol.dispose](),
  }
}

/** A store without the engine's database has no containers. */
function hasState(args: Arguments, { env }: Shell): boolean {
  return existsSync(layoutOf(args.text('root') ?? resolveRoot(env)).engineDatabase)
}
