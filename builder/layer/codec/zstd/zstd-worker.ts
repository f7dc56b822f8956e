import { once } from 'node:events'
import { parentPort } from 'node:worker_threads'
import { ZstdCodec } from 'zstd-codec'
import streams from 'zstd-codec/lib/zstd-stream.js'

/**
 * The thread in which zstd-codec runs: it works synchronously, and ends its process when its memory
 * is exhausted. The first message says what to do, each of the others is a piece of the bytes; each
 * is answered by a list of results, or by a text that says what went wrong.
 */
const port = parentPort
if (port === null) throw new Error('not a worker thread')

port.once('message', async (task: 'compress' | 'decompress') => {
  const work = task === 'compress' ? await compressor() : await decompressor()
  port.on('message', async (bytes: Uint8Array) => port.postMessage(await work(bytes)))
  port.postMessage([])
})

type Work = (bytes: Uint8Array) => Promise<readonly Uint8Array[] | string>

function compressor(): Promise<Work> {
  return new Promise((resolve) => {
    ZstdCodec.run((zstd) => {
      const codec = new zstd.Simple()
      resolve(async (bytes) => {
        const compressed = codec.compress(bytes, 3)
        return compressed === null ? 'zstd failed' : [compressed]
      })
    })
  })
}

function decompressor(): Promise<Work> {
  return new Promise((resolve) => {
    streams.run(({ ZstdDecompressTransform }) => {
      const stream = new ZstdDecompressTransform()
      const results: Uint8Array[] = []
      let failure: string | undefined
      stream.on('data', (bytes) => results.push(bytes))
      stream.on('error', (cause) => {
        failure = cause.message
      })
      resolve(async (bytes) => {
        if (!stream.write(bytes) && failure === undefined)
          await Promise.race([once(stream, 'drain'), once(stream, 'error')]).catch(() => {})
        await new Promise((done) => setImmediate(done))
        return failure ?? results.splice(0)
      })
    })
  })
}
