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

/** What the input of a client ends as. */
type InputEnd = 'ended' | 'detached' | 'gone'

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
  void passInput(client, streams, detachKeys).then(async (end) => {
    if (end === 'detached') {
      attached[Symbol.dispose]()
      client.end()
    } else if (endsInput) (await streams.input())?.end()
  })
}

async function passInput(
  client: Duplex,
  streams: Streams,
  detachKeys: Buffer | undefined,
): Promise<InputEnd> {
  const keys = detachKeys === undefined ? undefined : new DetachKeys(detachKeys)
  const input = await streams.input()
  try {
    for await (const chunk of inputOf(client)) {
      const { data, isDetached } = keys?.filter(chunk) ?? { data: chunk, isDetached: false }
      if (data.length > 0 && input?.writable === true && !input.write(data)) await drained(input)
      if (isDetached) return 'detached'
    }
    return 'ended'
  } catch {
    return 'gone'
  }
}

/** Leaves the other direction open when this one ends. */
async function* inputOf(client: Duplex): AsyncGenerator<Buffer> {
  for await (const chunk of client.iterator({ destroyOnReturn: false })) yield chunk as Buffer
}
