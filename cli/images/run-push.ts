import { type PushResult, pushFromStore } from '#builder'
import { TsbuildError, usageError } from '#core'
import { familiarReference, parseReference } from '#registry-client'
import { type Arguments, expectArguments } from '../arguments/flags.ts'
import { print, type Shell } from '../terminal/shell.ts'
import { withProgress } from '../transfer/with-progress.ts'
import { openLocalStore } from './local-store.ts'

/** `tsbuild push` */
export async function runPush(args: Arguments, shell: Shell): Promise<number> {
  const usage = 'tsbuild push [flags] NAME[:TAG]'
  const [name = ''] = expectArguments(args, { least: 1, most: 1, usage })
  const names = args.has('all-tags') ? await allTagsOf(name, args, shell) : [name]
  const platform = args.text('platform')
  const pushed = await withProgress(args, shell, async ({ root, ...options }) => {
    const results: PushResult[] = []
    for (const one of names) {
      const push = {
        ...options,
        ...(root === undefined ? {} : { root }),
        ...(platform === undefined ? {} : { platform }),
        ignoreChownErrors: args.has('ignore-chown-errors'),
        name: one,
      }
      results.push(await pushFromStore(push))
    }
    return results
  })
  const quiet = args.has('quiet')
  for (const { name: canonical, descriptor } of pushed) {
    const { digest, size } = descriptor
    await print(shell, quiet ? `${digest}\n` : `${canonical}: digest: ${digest} size: ${size}\n`)
  }
  return 0
}

/** @throws {TsbuildError} USAGE for a name with a tag, NOT_FOUND where the store has none of the repository */
async function allTagsOf(text: string, args: Arguments, shell: Shell): Promise<readonly string[]> {
  const { registry, repository, tag, digest } = parseReference(text)
  const familiar = familiarReference({ registry, repository })
  if (tag !== undefined || digest !== undefined) {
    throw usageError("tag can't be used with --all-tags/-a", `write ${familiar}`)
  }
  await using store = openLocalStore(args, shell)
  const prefix = `${registry}/${repository}:`
  const names = store.images.list().map(({ name }) => name)
  const found = names.filter((name) => name.startsWith(prefix) && !name.includes('@'))
  if (found.length > 0) return found
  throw new TsbuildError(`no image of ${familiar} in the local store`, {
    code: 'NOT_FOUND',
    hint: 'tsbuild images lists what is there',
  })
}
