import type { Buffer } from 'node:buffer'
import type { Duplex } from 'node:stream'
import { BYTES_MESSAGE, CHECK_AGENT_REQUEST } from '#buildkit/messages'
import type { PacketStream } from '../call.ts'
import { hasStatus } from '../call-error.ts'
import type { Caller } from '../session.ts'

const CHECK_AGENT = '/moby.sshforward.v1.SSH/CheckAgent'
const FORWARD_AGENT = '/moby.sshforward.v1.SSH/ForwardAgent'
const ID = 'buildkit.ssh.id'

/** Serves a connection of a step, until either side ends it. */
export type AgentConnect = (connection: Duplex) => void

/**
 * Finds SSH agents in a session: `undefined` for one that the client does not have. What a step may ask of it is the
 * client's to decide, which has the keys; it may be another socket altogether. Spec: BuildKit, session/sshforward
 */
export function sessionAgents(
  session: Caller,
): (id: string, signal?: AbortSignal) => Promise<AgentConnect | undefined> {
  return async (id, signal) => {
    try {
      await session.call(CHECK_AGENT, CHECK_AGENT_REQUEST.encode({ ID: id }), { signal })
    } catch (cause) {
      // A client says that it has no such agent with an error of its own, which has no status.
      if (hasStatus(cause, 'NOT_FOUND', 'UNIMPLEMENTED', 'UNKNOWN')) return undefined
      throw cause
    }
    return (connection) => void forward(session, id, connection)
  }
}

/** Never fails: a step sees a closed connection, the protocol has no other answer. */
async function forward(session: Caller, id: string, connection: Duplex): Promise<void> {
  connection.on('error', () => undefined)
  const stop = new AbortController()
  connection.once('close', () => stop.abort())
  try {
    const call = session.open(FORWARD_AGENT, { metadata: { [ID]: id }, signal: stop.signal })
    await Promise.all([sendAll(connection, call), takeAll(call, connection)])
  } catch {
    // It is closed below.
  } finally {
    connection.destroy()
  }
}

async function sendAll(connection: Duplex, call: PacketStream): Promise<void> {
  for await (const chunk of connection.iterator({ destroyOnReturn: false })) {
    await call.send(BYTES_MESSAGE.encode({ data: chunk as Buffer }))
  }
  call.end()
}

async function takeAll(call: PacketStream, connection: Duplex): Promise<void> {
  for await (const message of call.messages) {
    const { data } = BYTES_MESSAGE.decode(message)
    if (!connection.write(data)) await drained(connection)
    if (connection.destroyed) return
  }
  connection.end()
}

async function drained(connection: Duplex): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  connection.once('drain', resolve).once('close', resolve)
  if (!connection.destroyed) await promise
  connection.off('drain', resolve).off('close', resolve)
}
