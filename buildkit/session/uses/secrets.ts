import { GET_SECRET_REQUEST, GET_SECRET_RESPONSE } from '#buildkit/messages'
import { hasStatus } from '../call-error.ts'
import type { Caller } from '../session.ts'

const GET_SECRET = '/moby.buildkit.secrets.v1.Secrets/GetSecret'

/** Bytes of a secret, as clients have it, and of what is around it. Spec: BuildKit, session/secrets */
const MOST_ANSWER = 500 * 1024 + 1024

/** Finds secrets in a session: `undefined` for one that the client does not have. */
export function sessionSecrets(
  session: Caller,
): (id: string, signal?: AbortSignal) => Promise<Uint8Array | undefined> {
  return async (id, signal) => {
    const request = GET_SECRET_REQUEST.encode({ ID: id })
    try {
      const answer = await session.call(GET_SECRET, request, { limit: MOST_ANSWER, signal })
      return GET_SECRET_RESPONSE.decode(answer).data
    } catch (cause) {
      if (hasStatus(cause, 'NOT_FOUND', 'UNIMPLEMENTED')) return undefined
      throw cause
    }
  }
}
