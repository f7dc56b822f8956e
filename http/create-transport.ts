import type { Transport, TransportOptions } from './transport.ts'

/** A transport whose implementation is loaded with the first request. */
export function createTransport(options: TransportOptions): Transport {
  let opened: Promise<Transport> | undefined
  let isClosed = false
  const open = async (): Promise<Transport> => {
    const { UndiciTransport } = await import('./undici-transport.ts')
    return new UndiciTransport(options)
  }
  return {
    send: async (request, destination) => {
      if (isClosed) throw new Error('the connections are closed')
      opened ??= open()
      return (await opened).send(request, destination)
    },
    close: async () => {
      isClosed = true
      await (await opened)?.close()
    },
  }
}
