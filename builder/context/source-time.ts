import { join } from 'node:path'
import type { HttpFile, RemoteFetcher } from '#builder/fetch'
import { decompress, newestFile } from '#builder/layer'
import type { RemoteSource } from '#builder/plan'
import { TsbuildError } from '#core'
import { chunksOf } from './read-downloaded.ts'

/** When a commit or a remote file was made, in milliseconds. Fetches it. */
export async function timeOfSource(
  remote: RemoteSource,
  fetcher: RemoteFetcher,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  if (remote.op === 'git') return (await fetcher.checkoutGit(remote.source, { signal })).committedMs
  return timeOfFile(await fetcher.fetchHttp(remote.source, { signal }))
}

/** The date that the server sent, else that of the newest file in the archive, in milliseconds. */
export async function timeOfFile(file: HttpFile): Promise<number | undefined> {
  if (file.isDated) return file.modifiedMs
  const { directory, name } = file
  try {
    return await newestFile(decompress(chunksOf(join(directory, name)), 'detect', { name }))
  } catch (cause) {
    // A file that is not an archive has no time.
    if (cause instanceof TsbuildError && cause.code === 'LAYER_INVALID') return undefined
    throw cause
  }
}
