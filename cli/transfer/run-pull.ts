import { type PulledImage, pullImages } from '#builder'
import { familiarReference, parseReference } from '#registry-client'
import { type Arguments, expectArguments } from '../arguments/flags.ts'
import { note, print, type Shell } from '../terminal/shell.ts'
import { withProgress } from './with-progress.ts'

/** `tsbuild pull` */
export async function runPull(args: Arguments, shell: Shell): Promise<number> {
  const usage = 'tsbuild pull [flags] NAME[:TAG|@DIGEST]'
  const [name = ''] = expectArguments(args, { least: 1, most: 1, usage })
  const allTags = args.has('all-tags')
  const quiet = args.has('quiet')
  const { tag, digest } = parseReference(name)
  if (!quiet && !allTags && tag === undefined && digest === undefined) {
    note(shell, 'Using default tag: latest')
  }
  const pulled = await withProgress(args, shell, (options) =>
    pullImages({ ...options, name, allTags, platform: args.text('platform') }),
  )
  await print(shell, pulled.map(quiet ? nameLine : report).join(''))
  return 0
}

/** As `docker pull` ends. */
function report(image: PulledImage): string {
  const familiar = familiarReference(parseReference(image.name))
  const what = image.isUnchanged ? 'Image is up to date' : 'Downloaded newer image'
  return `Digest: ${image.named.digest}\nStatus: ${what} for ${familiar}\n${nameLine(image)}`
}

function nameLine({ name }: PulledImage): string {
  return `${name}\n`
}
