import { relative } from 'node:path'
import { Git } from '#builder/fetch'
import type { Settings } from '#builder/options'
import type { JsonObject } from '#core'

/** It must not be the user's, whose settings could run programs. */
const NO_HOME = '/nonexistent'
/** As buildx has it. */
const OFF = /^(?:0|f|false)$/i

/**
 * The commit that a folder of the client is at, and where its repository comes from; nothing for a folder that is
 * in none. `BUILDX_GIT_INFO=false` turns it off.
 */
export async function versionControl({
  context,
  environment,
  signal,
}: Settings): Promise<JsonObject> {
  if (context.kind !== 'folder' || OFF.test(environment.BUILDX_GIT_INFO ?? '')) return {}
  const git = new Git(environment, NO_HOME)
  const ask = async (...args: readonly string[]): Promise<string | undefined> => {
    try {
      return (await git.run(args, { directory: context.path, signal })).trim()
    } catch {
      // No git, no repository, none of this user's, or no commit: then nothing is said.
      return undefined
    }
  }
  const [revision, folder] = (await ask('rev-parse', 'HEAD', '--show-prefix'))?.split('\n') ?? []
  if (revision === undefined || !/^[0-9a-f]{40,64}$/.test(revision)) return {}
  const source = await ask('config', '--get', 'remote.origin.url')
  const place = relative('/', `/${folder ?? ''}`) || '.'
  const vcs = {
    ...(source ? { source } : {}),
    revision,
    'localdir:context': place,
  }
  return { vcs }
}
