import type { Duplex } from 'node:stream'
import type { Streams } from '#engine/containers'
import { DetachKeys } from './detach-keys.ts'
import { clientSink, drained, type WantedOutputs } from './stdcopy.ts'

/** How a client is connected with the input and output of a process. */
export interface ClientConnection {
  readonly kind: 'raw' | 'multiplexed'
  readonly outputs: WantedOutputs
  readonly stdin: boolean
  /** The input of the process ends with that of the client. */
  readonly endsInput: boolean
  /** What leaves the process running; absent: all bytes are input. */
  readonly detachKeys: Buffer | undefined
}

/**
 * Connects a client until the process ends, the client goes or types the detach keys. A client that has ended its input
 * still gets the output.
 */
export function connectClient(
  client: Duplex,
  streams: Streams,
  { kind, outputs, stdin, endsInput, detachKeys }: ClientConnection,
): void {
  const sink = clientSink(client, kind, outputs)
  const attached = streams.attach({ sink, onEnd: () => client.end() })
  client.on('close', () => attached[Symbol.dispose]())
  if (!stdin) {
    client.resume()
    return
  }
  void passInput(client, streams, { detachKeys, endsInput }).then((isDetached) => {
    if (isDetached) {
      attached[Symbol.dispose]()
      client.end()
    }
  })
}

/** @returns whether the client typed the keys to detach */
async function passInput(
  client: Duplex,
  streams: Streams,
  { detachKeys, endsInput }: Pick<ClientConnection, 'detachKeys' | 'endsInput'>,
): Promise<boolean> {
  const keys = detachKeys === undefined ? undefined : new DetachKeys(detachKeys)
  // Of this run only: the client may outlive it.
  const input = await streams.input()
  try {
    for await (const chunk of inputOf(client)) {
      const { data, isDetached } = keys?.filter(chunk) ?? { data: chunk, isDetached: false }
      if (data.length > 0 && input?.writable === true && !input.write(data)) await drained(input)
      if (isDetached) return true
    }
  } catch {
    // It is gone.
  }
  if (endsInput) input?.end()
  return false
}

/** Leaves the other direction open when this one ends. */
async function* inputOf(client: Duplex): AsyncGenerator<Buffer> {
  for await (const chunk of client.iterator({ destroyOnReturn: false })) yield chunk as Buffer
}
