import { createImageIndex } from '#builder'
import { usageError } from '#core'
import { type Arguments, expectArguments } from '../arguments/flags.ts'
import { print, type Shell } from '../terminal/shell.ts'
import { withProgress } from './with-progress.ts'

/** `tsbuild index` */
export async function runIndex(args: Arguments, shell: Shell): Promise<number> {
  const usage = 'tsbuild index create [flags] SOURCE…'
  const [action, ...sources] = expectArguments(args, { least: 1, most: 1000, usage })
  if (action !== 'create') throw usageError(`unknown action "${action}"`, `usage: ${usage}`)
  if (sources.length === 0) throw usageError('no image to make an index of', `usage: ${usage}`)
  const tags = args.list('tag')
  const dryRun = args.has('dry-run')
  if (tags.length === 0 && !dryRun) {
    throw usageError(
      'the index has no name',
      'give it one with -t NAME, or look at it with --dry-run',
    )
  }
  const platforms = args.list('platform').flatMap((list) => list.split(','))
  const made = await withProgress(args, shell, (options) =>
    createImageIndex({
      ...options,
      ...annotationsOf(args.list('annotation')),
      sources,
      tags,
      dryRun,
      append: args.has('append'),
      platforms: platforms.length === 0 ? undefined : platforms,
    }),
  )
  const { digest, size } = made.descriptor
  if (dryRun) await print(shell, `${Buffer.from(made.bytes)}\n`)
  else if (args.has('quiet')) await print(shell, `${digest}\n`)
  else for (const tag of tags) await print(shell, `${tag}: digest: ${digest} size: ${size}\n`)
  return 0
}

interface Annotations {
  annotations?: Record<string, string>
  entryAnnotations?: Record<string, string>
}

function annotationsOf(texts: readonly string[]): Annotations {
  const found: Annotations = {}
  for (const text of texts) {
    const [, type, key = '', value = ''] = /^(?:([a-z-]+):)?([^=]+)=(.*)$/s.exec(text) ?? []
    if (type === 'index') found.annotations = { ...found.annotations, [key]: value }
    else if (type === 'manifest-descriptor') {
      found.entryAnnotations = { ...found.entryAnnotations, [key]: value }
    } else {
      const hint = 'write index:KEY=VALUE or manifest-descriptor:KEY=VALUE'
      throw usageError(`invalid annotation "${text}"`, hint)
    }
  }
  return found
}
