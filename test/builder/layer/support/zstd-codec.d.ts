/** The parts of zstd-codec that the tests use; the package brings no types. */
declare module 'zstd-codec' {
  /** Its heap is fixed: about 4 MiB can be given to it at once. */
  export interface SimpleCodec {
    /** `null` when it fails. */
    compress(bytes: Uint8Array, level: number): Uint8Array | null
    /** One frame whose header has its size. `null` when it fails. */
    decompress(bytes: Uint8Array): Uint8Array | null
  }
  export const ZstdCodec: {
    run(callback: (zstd: { readonly Simple: new () => SimpleCodec }) => void): void
  }
}

declare module 'zstd-codec/lib/zstd-stream.js' {
  import type { Transform } from 'node:stream'

  interface Streams {
    readonly ZstdCompressTransform: new (level: number) => Transform
    /** Takes several frames one after the other. */
    readonly ZstdDecompressTransform: new () => Transform
  }
  const streams: { run(callback: (streams: Streams) => void): void }
  export = streams
}
