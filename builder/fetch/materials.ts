import type { Material } from '#core'
import type { Fetcher } from './fetcher.ts'
import type { GitCheckout } from './git-checkout.ts'
import { type GitSource, gitSourceName } from './git-source.ts'
import type { HttpFile } from './http-file.ts'
import { type HttpSource, httpSourceName } from './http-source.ts'

/** What brings files from elsewhere to this machine; see `Fetcher`. */
export type RemoteFetcher = Pick<Fetcher, 'fetchHttp' | 'checkoutGit'>

/** The same fetcher, which gives `record` all that it has fetched or found to be unchanged. */
export function recordingFetcher(
  fetcher: RemoteFetcher,
  record: (material: Material) => void,
): RemoteFetcher {
  return {
    fetchHttp: async (source, options) => {
      const file = await fetcher.fetchHttp(source, options)
      record(httpMaterial(source, file))
      return file
    },
    checkoutGit: async (source, options) => {
      const checkout = await fetcher.checkoutGit(source, options)
      record(gitMaterial(source, checkout))
      return checkout
    },
  }
}

function httpMaterial(source: HttpSource, { digest }: HttpFile): Material {
  return { kind: 'http', reference: httpSourceName(source), digest }
}

function gitMaterial(source: GitSource, { commit }: GitCheckout): Material {
  return { kind: 'git', reference: gitSourceName(source), digest: commit }
}
