import { join } from 'node:path'
import type { Fetcher, HttpFile } from '#builder/fetch'
import { decompress, newestFile } from '#builder/layer'
import type { RemoteSource } from '#builder/plan'
import { TsbuildError } from '#core'
import { chunksOf } from './read-downloaded.ts'

/** When a commit or a file elsewhere was made, in milliseconds; it is fetched for that. */
export async function timeOfSource(
  remote: RemoteSource,
  fetcher: Fetcher,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  if (remote.op === 'git') return (await fetcher.checkoutGit(remote.source, { signal })).committedMs
  return timeOfFile(await fetcher.fetchHttp(remote.source, { signal }))
}

/** The date that the server told, else that of the newest file in the archive, in milliseconds. */
export async function timeOfFile(file: HttpFile): Promise<number | undefined> {
  if (file.isDated) return file.modifiedMs
  const { directory, name } = file
  try {
    return await newestFile(decompress(chunksOf(join(directory, name)), 'detect', { name }))
  } catch (cause) {
    // What is no archive has no time.
    if (cause instanceof TsbuildError && cause.code === 'LAYER_INVALID') return undefined
    throw cause
  }
}
