import { Duplex } from 'node:stream'
import { duplex, type Methods } from '#buildkit/grpc'
import { BYTES_MESSAGE } from '#buildkit/messages'
import { type Sessions, sessionIdentity } from '#buildkit/session'

const PREFIX = 'x-docker-expose-session-'
const NAMES = ['uuid', 'name', 'sharedkey', 'grpc-method'].map((name) => `${PREFIX}${name}`)

/** The call in which a client has its session: it lasts as long. Spec: BuildKit, session/grpchijack */
export function sessionMethod(sessions: Sessions): Methods[string] {
  return duplex(BYTES_MESSAGE, BYTES_MESSAGE, async (call) => {
    const identity = sessionIdentity(
      Object.fromEntries(NAMES.map((name) => [name, call.allMetadata(name)])),
    )
    sessions.check(identity.id)
    const bytes = tunnelOf(call)
    const session = sessions.add(bytes, identity)
    const { closed } = session
    if (closed.aborted) return
    const ended = Promise.withResolvers<void>()
    closed.addEventListener('abort', () => ended.resolve(), { once: true })
    call.signal.addEventListener('abort', () => session.close(), { once: true })
    if (call.signal.aborted) session.close()
    await ended.promise
  })
}

interface Messages {
  readonly messages: AsyncIterable<{ readonly data: Uint8Array }>
  readonly send: (message: { readonly data: Uint8Array }) => Promise<void>
}

/** The bytes of the messages as one stream in each direction. */
function tunnelOf({ messages, send }: Messages): Duplex {
  const incoming = messages[Symbol.asyncIterator]()
  return new Duplex({
    read() {
      incoming.next().then(
        ({ value, done }) => this.push(done === true ? null : value.data),
        (cause: Error) => this.destroy(cause),
      )
    },
    write(chunk: Buffer, _encoding, done) {
      send({ data: chunk }).then(() => done(), done)
    },
    final(done) {
      done()
    },
  })
}
