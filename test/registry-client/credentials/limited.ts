/** Reads docker's credentials in a process with limited rights: see `LIMITED`. */
import { dockerConfigCredentials } from '#registry-client'
import { answer, becomeUser } from '../../support/rights/index.ts'

becomeUser(process.argv[2])
await answer(async (options: Parameters<typeof dockerConfigCredentials>[0]) => {
  try {
    return { found: await dockerConfigCredentials(options).get('host') }
  } catch (cause) {
    return { code: (cause as { readonly code?: string }).code }
  }
})
