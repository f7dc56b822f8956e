/** The parts that tsbuild uses; the package brings no types. */
declare module 'zstd-codec' {
  export interface SimpleCodec {
    /** `null` when it fails. Its heap is fixed: no more than 4 MiB at once. */
    compress(bytes: Uint8Array, level: number): Uint8Array | null
  }
  export const ZstdCodec: {
    run(callback: (zstd: { readonly Simple: new () => SimpleCodec }) => void): void
  }
}

declare module 'zstd-codec/lib/zstd-stream.js' {
  import type { Transform } from 'node:stream'

  interface Streams {
    /** Takes several frames one after the other. */
    readonly ZstdDecompressTransform: new () => Transform
  }
  const streams: { run(callback: (streams: Streams) => void): void }
  export = streams
}
